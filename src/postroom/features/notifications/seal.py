"""The personal data of notifications, sealed for their row and opened again."""

import msgspec

from postroom.domain.notification import ActionDetail, Personal
from postroom.features.recipients import audience_index, reader_index
from postroom.kit.crypto import CannotOpen, Vault

__all__ = [
    "audience_index",
    "open_action",
    "open_personal",
    "personal_if_it_opens",
    "reader_index",
    "seal_action",
    "seal_personal",
]

_PERSONAL = "notifications.personal"
_ACTION = "notifications.action_personal"

# JSON, as it came: MessagePack has no numbers beyond 64 bits.
_encode = msgspec.json.Encoder().encode
_decode_personal = msgspec.json.Decoder(Personal).decode
_decode_action = msgspec.json.Decoder(ActionDetail).decode


def seal_personal(vault: Vault, notification_id: str, personal: Personal) -> bytes:
    return vault.seal(_encode(personal), row=notification_id, column=_PERSONAL)


def open_personal(vault: Vault, notification_id: str, sealed: bytes | None) -> Personal:
    """The personal data; empty once it has been given up."""
    if sealed is None:
        return Personal()
    opened = vault.open(sealed, row=notification_id, column=_PERSONAL)
    try:
        return _decode_personal(opened)
    except msgspec.DecodeError:
        raise CannotOpen(f"{_PERSONAL} has a form that is not known") from None


def personal_if_it_opens(vault: Vault, notification_id: str, sealed: bytes | None) -> Personal | None:
    """The same; None where it cannot be opened: for what is shown all the same, without it."""
    try:
        return open_personal(vault, notification_id, sealed)
    except CannotOpen:
        return None


def seal_action(vault: Vault, notification_id: str, detail: ActionDetail) -> bytes:
    return vault.seal(_encode(detail), row=notification_id, column=_ACTION)


def open_action(vault: Vault, notification_id: str, sealed: bytes | None) -> ActionDetail | None:
    if sealed is None:
        return None
    opened = vault.open(sealed, row=notification_id, column=_ACTION)
    try:
        return _decode_action(opened)
    except msgspec.DecodeError:
        raise CannotOpen(f"{_ACTION} has a form that is not known") from None
