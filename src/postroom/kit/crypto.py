"""Keeping personal data and keys: sealed values, blind indexes and digests, all from one secret."""

import hashlib
import hmac
import os
import secrets
from hashlib import blake2b

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_BYTES = 12
_KEY_ID_BYTES = 4
SHORTEST_SECRET = 32


class CannotOpen(Exception):
    """A sealed value was made with another secret, or was changed since. The text holds no data."""


class Vault:
    """Seals values for one row and column, and makes indexes that only the secret's holder can make.

    A sealed value is `key id (4 bytes) | nonce (12) | ciphertext and tag`; the row and the column are
    authenticated with it, so that a value moved to another place does not open.
    """

    def __init__(self, secret: str) -> None:
        if len(secret) < SHORTEST_SECRET:
            raise ValueError(f"the secret must have at least {SHORTEST_SECRET} characters")
        self._sealing = AESGCM(_derive(secret, "seal"))
        self._index_key = _derive(secret, "blind index")
        self._digest_key = _derive(secret, "key digest")
        self._seed_key = _derive(secret, "seed")
        self._nonces = _Nonces()
        self._key_id = hashlib.sha256(_derive(secret, "key id")).digest()[:_KEY_ID_BYTES]

    def seal(self, value: bytes, *, row: str, column: str) -> bytes:
        nonce = self._nonces.next()
        return self._key_id + nonce + self._sealing.encrypt(nonce, value, _place(row, column))

    def open(self, sealed: bytes, *, row: str, column: str) -> bytes:
        """The value that was sealed there; CannotOpen for anything else."""
        if sealed[:_KEY_ID_BYTES] != self._key_id:
            raise CannotOpen(f"{column} was sealed with another secret")
        nonce, body = sealed[_KEY_ID_BYTES:][:_NONCE_BYTES], sealed[_KEY_ID_BYTES + _NONCE_BYTES :]
        try:
            return self._sealing.decrypt(nonce, body, _place(row, column))
        except (InvalidTag, ValueError):  # ValueError: cut so short that no nonce is left
            raise CannotOpen(f"{column} was changed, or belongs to another row") from None

    def blind_index(self, value: str, *, purpose: str) -> bytes:
        """16 bytes by which equal values are found without the value being kept."""
        return blake2b(f"{purpose}\0{value}".encode(), key=self._index_key, digest_size=16).digest()

    def digest(self, key: str) -> bytes:
        """How an API key or a token is kept: 32 bytes that do not lead back to it."""
        return hmac.digest(self._digest_key, key.encode(), "sha256")

    def seed(self, purpose: str, *, length: int) -> bytes:
        """Bytes for a key of that purpose: the same in every process that has the secret."""
        return HKDF(algorithm=hashes.SHA256(), length=length, salt=None, info=purpose.encode()).derive(
            self._seed_key
        )


class _Nonces:
    """Random nonces, drawn from the system many at a time: one call each would cost more than sealing."""

    _AT_ONCE = 256

    def __init__(self) -> None:
        self._drawn = b""
        self._used = 0

    def next(self) -> bytes:
        if self._used >= len(self._drawn):
            self._drawn, self._used = os.urandom(_NONCE_BYTES * self._AT_ONCE), 0
        self._used += _NONCE_BYTES
        return self._drawn[self._used - _NONCE_BYTES : self._used]


def new_secret() -> str:
    """A secret, key or token of 256 bits, as URL-safe text of 43 characters."""
    return secrets.token_urlsafe(32)


def key_from(secret: str, *, purpose: str) -> bytes:
    """32 bytes for that purpose alone."""
    return _derive(secret, purpose)


def _derive(secret: str, purpose: str) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=f"postroom {purpose}".encode()).derive(
        secret.encode()
    )


def _place(row: str, column: str) -> bytes:
    return f"{row}\0{column}".encode()
