"""What readers have done with notifications: set, asked for, and as a condition of lists."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, exists, func, select
from sqlalchemy.dialects import postgresql, sqlite

from postroom.domain.reading import Reading
from postroom.features.readers.counts import Change, record_changes
from postroom.features.readers.tables import reader_states
from postroom.kit.database import AsyncConnection

COLUMNS = {
    Reading.SEEN: "seen_at",
    Reading.READ: "read_at",
    Reading.ARCHIVED: "archived_at",
    Reading.HIDDEN: "hidden_at",
}


class About(NamedTuple):
    """The notification that a reader does something with. Its row is locked by whoever says so."""

    notification_id: str
    audience: bytes
    outstanding: bool


class View(NamedTuple):
    """Which notifications a reader wants to see: those where the bits of `mask` are those of `value`."""

    mask: Reading
    value: Reading
    outstanding: bool | None = None

    def shows(self, reading: int, outstanding: bool) -> bool:
        return reading & self.mask == self.value and self.outstanding in (None, outstanding)


async def change_state(
    conn: AsyncConnection,
    about: About,
    *,
    reader: bytes,
    change: Callable[[Reading], Reading],
    now: datetime,
) -> tuple[Reading, Reading]:
    """What held before, and what holds from now on."""
    mine = reader_states.c.notification_id == about.notification_id, reader_states.c.reader == reader
    known = (await conn.execute(select(reader_states.c.state).where(*mine))).first()
    before = Reading.UNSEEN if known is None else Reading(known.state)
    then = change(before)
    if then == before:
        return before, then
    changed = {
        column: now if then & flag else None for flag, column in COLUMNS.items() if (then ^ before) & flag
    }
    values: dict[str, Any] = {"state": int(then), **changed}
    insert = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    statement = insert(reader_states).values(notification_id=about.notification_id, reader=reader, **values)
    await conn.execute(
        statement.on_conflict_do_update(index_elements=["notification_id", "reader"], set_=values)
    )
    changes = [Change(about.audience, reader, int(then), about.outstanding, 1)]
    if known is not None:
        changes.append(Change(about.audience, reader, int(before), about.outstanding, -1))
    await record_changes(conn, changes)
    return before, then


async def states_of(
    conn: AsyncConnection, notification_ids: Iterable[str], *, reader: bytes
) -> dict[str, Reading]:
    """What holds for this reader; what they have done nothing with is left out."""
    found = await conn.execute(
        select(reader_states.c.notification_id, reader_states.c.state).where(
            reader_states.c.notification_id.in_(list(notification_ids)), reader_states.c.reader == reader
        )
    )
    return {row.notification_id: Reading(row.state) for row in found}


async def states_of_anyone(conn: AsyncConnection, notification_ids: Collection[str]) -> dict[str, Reading]:
    """Whether anybody has seen or read them; what nobody has is left out."""
    if not notification_ids:
        return {}
    seen, read = (func.max(reader_states.c.state.op("&")(int(flag))) for flag in (Reading.SEEN, Reading.READ))
    found = await conn.execute(
        select(reader_states.c.notification_id, seen.label("seen"), read.label("read"))
        .where(reader_states.c.notification_id.in_(list(notification_ids)))
        .group_by(reader_states.c.notification_id)
    )
    return {row.notification_id: Reading(row.seen | row.read) for row in found}


def is_read_by_anyone(notification_id: ColumnElement[str]) -> ColumnElement[bool]:
    """The condition that anybody has read a notification."""
    return exists().where(
        reader_states.c.notification_id == notification_id, reader_states.c.read_at.is_not(None)
    )


async def anyone_has_read(conn: AsyncConnection, notification_id: str) -> bool:
    read = exists().where(
        reader_states.c.notification_id == notification_id, reader_states.c.read_at.is_not(None)
    )
    return bool(await conn.scalar(select(read)))


async def read_by(conn: AsyncConnection, notification_ids: Collection[str]) -> dict[str, frozenset[bytes]]:
    """Who has read each of them, by their blind indexes."""
    if not notification_ids:
        return {}
    found = await conn.execute(
        select(reader_states.c.notification_id, reader_states.c.reader).where(
            reader_states.c.notification_id.in_(notification_ids), reader_states.c.read_at.is_not(None)
        )
    )
    read: dict[str, set[bytes]] = {}
    for row in found:
        read.setdefault(row.notification_id, set()).add(bytes(row.reader))
    return {notification_id: frozenset(readers) for notification_id, readers in read.items()}


async def readers_of(conn: AsyncConnection, notification_id: str) -> list[Row[Any]]:
    """Each reader who has done something with it, with when they did what."""
    statement = select(reader_states).where(reader_states.c.notification_id == notification_id)
    return list(await conn.execute(statement.order_by(reader_states.c.reader)))


def state_for(reader: bytes, *, notification_id: ColumnElement[str]) -> ColumnElement[int]:
    """What holds of a notification for this reader, as a number of a statement."""
    mine = reader_states.c.notification_id == notification_id, reader_states.c.reader == reader
    return func.coalesce(select(reader_states.c.state).where(*mine).scalar_subquery(), 0)


def is_shown(view: View, *, reader: bytes, notification_id: ColumnElement[str]) -> ColumnElement[bool]:
    """The condition that the view shows a notification to this reader, but for whether it is outstanding."""
    mine = reader_states.c.notification_id == notification_id, reader_states.c.reader == reader
    bits = reader_states.c.state.op("&")(int(view.mask))
    if view.value == Reading.UNSEEN:
        # What they have done nothing with is shown too.
        return ~exists().where(*mine, bits != 0)
    return exists().where(*mine, bits == int(view.value))
