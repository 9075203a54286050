"""Following what is new on screens: what came there is to be pushed to whom it addresses.

The place that was come to is moved in the transaction that writes what is to be pushed, by one at a time:
after a kill it goes on from there, and nothing is left out or written twice.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, exists, select
from sqlalchemy.dialects import postgresql, sqlite

from postroom.features.inbox.push.subscriptions import is_live
from postroom.features.inbox.push.tables import push_places, push_subscriptions, pushes
from postroom.features.recipients import memberships_among
from postroom.features.screens import Kind, feed
from postroom.kit.database import AsyncConnection, BulkInsert, Database

MOST = 500
"""So many changes are looked at in one transaction."""

_ONE = 1
_insert = BulkInsert(pushes, on_conflict="(subscription_id, notification_id) DO NOTHING").run


async def follow(database: Database, *, now: datetime) -> int:
    """Write down what is to be pushed of what is new; how much. Nothing is done while nobody subscribes."""
    written = 0
    while await _is_anything_new(database):
        async with database.transaction() as conn:
            written += await _follow_some(conn, now)
    return written


async def _is_anything_new(database: Database) -> bool:
    async with database.reading() as conn:
        if not await conn.scalar(select(exists().select_from(push_subscriptions))):
            return False
        place = await conn.scalar(select(push_places.c.position)) or 0
        return await feed.last_position(conn) > place


async def _follow_some(conn: AsyncConnection, now: datetime) -> int:
    place = await _locked_place(conn)
    changes = await feed.read_changes(conn, since=place, most=MOST)
    if not changes:
        return 0
    rows = await _rows_of(conn, [each for each in changes if each.kind == Kind.NEW], now)
    ids = sorted({row["subscription_id"] for row in rows})
    table = push_subscriptions.c
    # Locked before they are written: whoever has just sent what there was looks again afterwards.
    locked = select(table.id).where(table.id.in_(ids)).order_by(table.id).with_for_update()
    there = set(await conn.scalars(locked)) if ids else set()
    await _insert(conn, [row for row in rows if row["subscription_id"] in there])
    wake = push_subscriptions.update().where(table.id.in_(there), table.due_at.is_(None))
    if there:
        await conn.execute(wake.values(due_at=now))
    await conn.execute(push_places.update().values(position=changes[-1].position))
    return len(rows)


async def _locked_place(conn: AsyncConnection) -> int:
    insert = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    await conn.execute(insert(push_places).values(id=_ONE, position=0).on_conflict_do_nothing())
    place: int = (await conn.execute(select(push_places.c.position).with_for_update())).scalar_one()
    return place


async def _rows_of(conn: AsyncConnection, new: Sequence[Row[Any]], now: datetime) -> list[dict[str, Any]]:
    """What is to be pushed to which subscription: not what was there before somebody subscribed."""
    if not new:
        return []
    looking = await _looking_at(conn, {bytes(each.screen) for each in new}, now)
    return [
        {"subscription_id": row.id, "notification_id": each.notification_id, "at": each.at}
        for each in new
        for row in looking.get(bytes(each.screen), ())
        if row.made_at <= each.at
    ]


async def _looking_at(
    conn: AsyncConnection, screens: Collection[bytes], now: datetime
) -> dict[bytes, list[Row[Any]]]:
    """The subscriptions of those whom each of the screens is of: one officer, or a group's members."""
    table = push_subscriptions.c
    readers = select(table.reader).where(is_live(now))
    members = await memberships_among(conn, screens, readers)
    wanted = table.audience.in_(screens) | table.reader.in_({row.member for row in members})
    subscriptions = await conn.execute(select(push_subscriptions).where(is_live(now), wanted))
    of_reader: dict[bytes, list[Row[Any]]] = {}
    looking: dict[bytes, list[Row[Any]]] = {}
    for row in subscriptions:
        of_reader.setdefault(bytes(row.reader), []).append(row)
        looking.setdefault(bytes(row.audience), []).append(row)
    for member in members:
        looking.setdefault(bytes(member.audience), []).extend(of_reader.get(bytes(member.member), ()))
    return looking
