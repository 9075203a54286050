"""Recording what changes on a screen, in the transaction of the change."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from postroom.features.screens.tables import screen_changes, screen_outbox
from postroom.kit.database import AsyncConnection, Batch, BulkInsert


class Kind(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    REMOVED = "removed"
    # So much at once that the screen is to be loaded anew: one change for all of it.
    MANY = "many"


Change = Mapping[str, Any]
"""One change on one screen, as the row that is written."""


def changed(kind: Kind, *, screen: bytes, at: datetime, notification_id: str | None) -> Change:
    """A change. `screen` is the blind index of an audience, or of a reader where it is theirs alone.

    A notification goes with each kind but MANY.
    """
    return {"kind": kind, "at": at, "screen": screen, "notification_id": notification_id}


_recorded = BulkInsert(screen_outbox, without=("drawn",))
_placed = BulkInsert(screen_changes, without=("position",))


async def record(conn: AsyncConnection, changes: Sequence[Change]) -> None:
    """Record the changes, in the caller's transaction. After its commit the app's `screens` want a ring.

    SQLite has one writer: what it numbers is in the order of commits. PostgreSQL's numbers are not, and a
    change gets its place after its commit (publish.py).
    """
    batch = Batch(conn.dialect.name)
    add(batch, changes)
    await batch.run(conn)


def add(batch: Batch, changes: Sequence[Change]) -> None:
    """Record the changes with the batch, as `record` does."""
    (_recorded if batch.dialect == "postgresql" else _placed).add(batch, changes)
