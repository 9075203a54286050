"""What is hashed, pure: the content of an entry to a digest, and the digests of a batch to a seal."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec

from postroom.kit.database.types import to_microseconds

BEGINNING = bytes(32)
"""What stands before the first seal."""

_ID_BYTES, _DIGEST_BYTES = 16, 32
_encode = msgspec.msgpack.Encoder().encode


@dataclass(frozen=True, slots=True)
class Content:
    """All of an entry that the chain covers. Of personal values it covers their digests."""

    at: datetime
    kind: str
    notification_id: str | None
    service_id: str
    correlation_id: str | None
    detail: str | None
    personal_digests: bytes | None


def content_of(row: Any) -> Content:
    return Content(
        at=row.at,
        kind=row.kind,
        notification_id=row.notification_id,
        service_id=row.service_id,
        correlation_id=row.correlation_id,
        detail=row.detail,
        personal_digests=None if row.personal_digests is None else bytes(row.personal_digests),
    )


def digest_of(entry_id: str, content: Content) -> bytes:
    """The digest of that content under that id."""
    values = (
        entry_id,
        to_microseconds(content.at),
        content.kind,
        content.notification_id,
        content.service_id,
        content.correlation_id,
        content.detail,
        content.personal_digests,
    )
    return sha256(_encode(values)).digest()


def pack(digests: Iterable[tuple[str, bytes]]) -> bytes:
    """Ids and digests, in their order, as a seal keeps them."""
    return b"".join(UUID(entry_id).bytes + digest for entry_id, digest in digests)


def unpack(packed: bytes) -> dict[str, bytes]:
    """The same again, by id. Of what is cut short the rest is left out."""
    step = _ID_BYTES + _DIGEST_BYTES
    return {
        str(UUID(bytes=packed[at : at + _ID_BYTES])): packed[at + _ID_BYTES : at + step]
        for at in range(0, len(packed) - step + 1, step)
    }


def seal_hash(*, number: int, sealed_at: datetime, packed: bytes, before: bytes) -> bytes:
    """What names a seal, all that it holds, and all that came before it."""
    return sha256(_encode((number, to_microseconds(sealed_at), sha256(packed).digest(), before))).digest()


def head_of(number: int, seal: bytes) -> str:
    """A seal in a line, to be written down elsewhere."""
    return f"{number}:{seal.hex()}"
