"""The personal values of an entry: sealed together, each with a salted digest, and given up one by one.

The chain covers the digests, not the values. A salt is kept beside its value and goes with it: from then on
the digest, which stays, leads nobody to the value, and the chain holds.
"""

import secrets
from hashlib import sha256

import msgspec

from postroom.kit.crypto import CannotOpen, Vault

COLUMN = "audit_entries.personal"
NAMES = ("actor", "note", "ip")
"""In the order of their digests."""

_DIGEST_BYTES = 32
_ABSENT = bytes(_DIGEST_BYTES)


class Salted(msgspec.Struct, frozen=True, array_like=True):
    text: str
    salt: str


class Values(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who did it, what they wrote, and where they called from. Entries of old have texts without salts."""

    actor: Salted | str | None = None
    note: Salted | str | None = None
    ip: Salted | str | None = None

    def text(self, name: str) -> str | None:
        value: Salted | str | None = getattr(self, name)
        return value.text if isinstance(value, Salted) else value


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Values).decode


def salted(**texts: str | None) -> Values:
    return Values(
        **{name: Salted(text, secrets.token_urlsafe(16)) for name, text in texts.items() if text is not None}
    )


def seal_values(vault: Vault, entry_id: str, values: Values) -> bytes:
    return vault.seal(_encode(values), row=entry_id, column=COLUMN)


def open_values(vault: Vault, entry_id: str, sealed: bytes | None) -> Values:
    """The values; none once all have been given up."""
    if sealed is None:
        return Values()
    opened = vault.open(sealed, row=entry_id, column=COLUMN)
    try:
        return _decode(opened)
    except msgspec.DecodeError:
        raise CannotOpen(f"{COLUMN} has a form that is not known") from None


def digests_of(values: Values) -> bytes:
    """A digest for each of the names, zeros for one that is absent."""
    return b"".join(_digest(name, getattr(values, name)) for name in NAMES)


def given_up(values: Values, digests: bytes) -> list[str] | None:
    """The names of values that are there no longer; None where one is another than its digest says."""
    gone = []
    for place, name in enumerate(NAMES):
        kept = digests[place * _DIGEST_BYTES : (place + 1) * _DIGEST_BYTES]
        value: Salted | str | None = getattr(values, name)
        if value is None and kept != _ABSENT:
            gone.append(name)
        elif _digest(name, value) != kept:
            return None
    return gone


def actor_index(vault: Vault, actor: str) -> bytes:
    """By which entries are found by who did it."""
    return vault.blind_index(actor.strip().lower(), purpose="audit actor")


def _digest(name: str, value: Salted | str | None) -> bytes:
    if value is None:
        return _ABSENT
    salt, text = (value.salt, value.text) if isinstance(value, Salted) else ("", value)
    return sha256(f"{name}\0{salt}\0{text}".encode()).digest()
