"""What waits for somebody's decision, of many audiences: for who has to see to it that they look at it."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, literal_column

from postroom.features.notifications import store
from postroom.features.notifications.seal import audience_index
from postroom.features.notifications.tables import OUTSTANDING, notifications
from postroom.kit.crypto import Vault
from postroom.kit.database import AsyncConnection

_MOST_MERGED = 100
_MOST_AT_ONCE = 10_000
"""A statement takes no more than some 32,000 values."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A notification without its text. `user` is whom it addresses."""

    id: str
    user: str = field(repr=False)
    target_type: str | None
    reference: str | None
    created_at: datetime


async def find_waiting(
    conn: AsyncConnection,
    audiences: Collection[str],
    *,
    vault: Vault,
    before: str | None = None,
    limit: int,
) -> list[Waiting]:
    """What addresses any of them and waits, newest first; by the index that holds nothing else."""
    if not audiences:
        return []
    users = {audience_index(vault, each): each for each in audiences}
    indexes = sorted(users)
    where: list[ColumnElement[bool]] = [literal_column(f"({OUTSTANDING})")]
    if before is not None:
        where.append(notifications.c.id < before)
    if len(indexes) <= _MOST_MERGED:
        rows = await store.page_of_audiences(conn, dict.fromkeys(indexes, limit), where, limit=limit)
    else:
        rows = []
        for start in range(0, len(indexes), _MOST_AT_ONCE):
            some = notifications.c.audience.in_(indexes[start : start + _MOST_AT_ONCE])
            rows += await store.page(conn, [some, *where], limit=limit)
        rows = sorted(rows, key=lambda row: row.id, reverse=True)[:limit]
    return [_to_waiting(row, users[bytes(row.audience)]) for row in rows]


def _to_waiting(row: Row[Any], user: str) -> Waiting:
    return Waiting(
        id=row.id,
        user=user,
        target_type=row.target_type,
        reference=row.reference,
        created_at=row.created_at,
    )
