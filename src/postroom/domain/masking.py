"""Personal data as those see it whom it is not meant for: enough to tell two apart, not whose they are."""

from collections.abc import Mapping
from typing import Any

import msgspec

from postroom.domain.notification import ActionDetail, Personal

MASK = "•••••"
"""Of one length, whatever it stands for."""

_FIRST_DIGITS, _LAST_DIGITS = 2, 3
_FEWEST_DIGITS = 9
"""Of a shorter number what is left to see would be too much of it."""


def mask_personal(personal: Personal) -> Personal:
    """Whom it addresses (an officer or their group) stays, and so do the names of placeholders."""
    return msgspec.structs.replace(
        personal,
        message=mask_text(personal.message),
        email=None if personal.email is None else mask_email(personal.email),
        mobile_number=None if personal.mobile_number is None else mask_number(personal.mobile_number),
        personalisation=None if personal.personalisation is None else mask_values(personal.personalisation),
        follow_on=None,
        escalation=(),
    )


def mask_action(detail: ActionDetail | None) -> ActionDetail | None:
    """Who decided stays, as part of what was done; what they wrote may tell of somebody else."""
    return None if detail is None else msgspec.structs.replace(detail, note=mask_text(detail.note))


def mask_number(number: str) -> str:
    """As in 07•••••678: the first two digits and the last three."""
    plus = "+" if number.strip().startswith("+") else ""
    digits = "".join(character for character in number if character.isdigit())
    if len(digits) < _FEWEST_DIGITS:
        return MASK
    return f"{plus}{digits[:_FIRST_DIGITS]}{MASK}{digits[-_LAST_DIGITS:]}"


def mask_email(address: str) -> str:
    """As in j•••••@example.com: the first character, and where the mailbox is."""
    name, at, host = address.strip().rpartition("@")
    if not (at and host):
        return MASK
    return f"{name[0] if len(name) > 1 else ''}{MASK}@{host}"


def mask_text(text: str | None) -> str | None:
    return MASK if text else text


def mask_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Every value but an empty one, lists and files as a whole."""
    return {name: value if value is None or value == "" else MASK for name, value in values.items()}
