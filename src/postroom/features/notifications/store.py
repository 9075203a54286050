"""Reading and writing notifications: plain statements, rows in and out."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Subquery,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
    union_all,
)

from postroom.domain.delivery import MOVING, State
from postroom.domain.lane import Lane
from postroom.domain.status import Status
from postroom.features.notifications.tables import (
    attempts,
    deliveries,
    notifications,
    receipts,
)
from postroom.kit.database import (
    AsyncConnection,
    BulkInsert,
    BulkSwap,
    BulkUpdate,
    Database,
    Instant,
    Statement,
    one_of,
)

_SOME = 5_000
"""So many are named in one statement."""

Rows = Sequence[Mapping[str, Any]]

_STATE_COLUMNS = (
    "status",
    "due_at",
    "lease_until",
    "notify_id",
    "attempts",
    "open_attempt",
    "open_attempt_at",
    "looks",
    "polls",
    "sent_at",
    "completed_at",
    "reason",
    "replayed_at",
    "used_version",
)
_AT_FIRST: dict[str, str | int] = {"status": Status.PENDING.value, "attempts": 0, "looks": 0, "polls": 0}
_END_COLUMNS = ("ended_at", "outcome", "status_code", "reason")

# What comes later in the life of one is nothing yet: each column left out spares every request a bit.
add_notifications = BulkInsert(
    notifications,
    without=("first_read_at", "action", "action_at", "action_personal", "removed_at"),
    always={"version": 1},
).add
add_deliveries = BulkInsert(
    deliveries,
    without={*_STATE_COLUMNS} - {*_AT_FIRST, "due_at"},
    always=_AT_FIRST,
).add
add_attempts = BulkInsert(attempts).add
_receipts = BulkInsert(receipts)
add_receipts, insert_receipts = _receipts.add, _receipts.run
# What was read is changed only where it is still that; of what is locked, that is sure.
add_moves = BulkSwap(deliveries, _STATE_COLUMNS, known=MOVING).add
# An attempt that has an end keeps it.
add_ends = BulkUpdate(attempts, _END_COLUMNS, only="ended_at IS NULL").add


STATE_COLUMNS = State.__struct_fields__
_STATE = [deliveries.c[name] for name in STATE_COLUMNS]
_HELD = select(*_STATE, deliveries.c.recipient_index, deliveries.c.content_index, deliveries.c.international)
_WITH_PERSONAL = _HELD.add_columns(notifications.c.personal, notifications.c.correlation_id).outerjoin(
    notifications, notifications.c.id == deliveries.c.notification_id
)
_THESE = {
    (dialect, with_personal): (_WITH_PERSONAL if with_personal else _HELD).where(
        one_of(deliveries.c.id, dialect)
    )
    for dialect in ("postgresql", "sqlite")
    for with_personal in (False, True)
}
_LOCK = {key: each.order_by(deliveries.c.id).with_for_update(of=deliveries) for key, each in _THESE.items()}
_READ = {key: Statement(each) for key, each in _THESE.items()}


async def lock_deliveries(
    conn: AsyncConnection, ids: Iterable[str], *, with_personal: bool
) -> list[Row[Any]]:
    """The deliveries, locked until the transaction ends, by their ids so that no two lockers cross.

    Each has the columns of a state, what is counted of it, and where it is asked for the sealed personal data
    and the correlation id of its notification.
    """
    return list(await conn.execute(_LOCK[conn.dialect.name, with_personal], {"ids": list(ids)}))


async def read_deliveries(
    database: Database, ids: Iterable[str], *, with_personal: bool
) -> Sequence[Sequence[Any]]:
    """The same as they are now, and locked by nobody."""
    return await database.run(_READ[database.dialect, with_personal], ids=list(ids))


_NOW = bindparam("now", type_=Instant)
# Read in the order of the index on lane and moment, and no further than is asked for.
_SOONEST = (
    select(deliveries.c.id, deliveries.c.due_at)
    .where(deliveries.c.lane == bindparam("lane"))
    .order_by(deliveries.c.due_at)
    .limit(bindparam("most"))
)
DUE = Statement(
    _SOONEST.where(
        deliveries.c.due_at <= _NOW, or_(deliveries.c.lease_until.is_(None), deliveries.c.lease_until <= _NOW)
    )
)
"""Id and moment of `most` that are due `now` in a `lane` and in nobody's hands, the longest due first."""


async def due(conn: AsyncConnection, *, now: datetime, limit: int, lane: Lane) -> list[Row[Any]]:
    return list(await conn.execute(DUE.clause, {"now": now, "most": limit, "lane": lane.value}))


async def due_between(
    conn: AsyncConnection, *, after: datetime, until: datetime, limit: int, lane: Lane
) -> list[Row[Any]]:
    between = deliveries.c.due_at > after, deliveries.c.due_at <= until
    return list(await conn.execute(_SOONEST.where(*between), {"most": limit, "lane": lane.value}))


async def waiting(
    conn: AsyncConnection,
    *,
    reason: str,
    after: tuple[datetime, str],
    until: datetime,
    limit: int,
    lane: Lane,
) -> list[Row[Any]]:
    """What is due later and waits for that reason, behind a moment and an id, the longest waiting first.

    Each row has the columns of a state.
    """
    moment, last_id = after
    statement = (
        select(*_STATE)
        .where(
            deliveries.c.lane == lane.value,
            deliveries.c.due_at >= moment,
            deliveries.c.due_at <= until,
            or_(deliveries.c.due_at > moment, deliveries.c.id > last_id),
            deliveries.c.reason == reason,
        )
        .order_by(deliveries.c.due_at, deliveries.c.id)
        .limit(limit)
    )
    return list(await conn.execute(statement))


async def personal_of(conn: AsyncConnection, notification_id: str) -> Row[Any] | None:
    """The sealed personal data of a notification, removed or not."""
    statement = select(notifications.c.personal).where(notifications.c.id == notification_id)
    return (await conn.execute(statement)).first()


async def notification(
    conn: AsyncConnection,
    notification_id: str,
    *,
    visible: ColumnElement[bool],
    lock: bool = False,
    also: ColumnElement[bool] | None = None,
) -> Row[Any] | None:
    """The notification, unless it was removed; `also` says which of those can be found all the same."""
    there: ColumnElement[bool] = notifications.c.removed_at.is_(None)
    if also is not None:
        there = or_(there, also)
    statement = select(notifications).where(notifications.c.id == notification_id, there, visible)
    return (await conn.execute(statement.with_for_update() if lock else statement)).first()


async def notifications_of(conn: AsyncConnection, ids: Iterable[str], *, service_id: str) -> list[Row[Any]]:
    """The service's notifications of those, removed or not."""
    statement = select(notifications).where(
        notifications.c.id.in_(list(ids)), notifications.c.service_id == service_id
    )
    return list(await conn.execute(statement))


def ids_about(target_id: str, *, service_ids: Iterable[str]) -> Select[Any]:
    """The ids of the services' notifications about a target, removed or not, as a query."""
    table = notifications.c
    mine = table.target_id == target_id, table.service_id.in_(list(service_ids))
    seen = select(table.id).where(*mine, table.removed_at.is_(None))
    gone = select(table.id).where(*mine, table.removed_at.is_not(None))
    return select(union_all(seen, gone).subquery().c.id)


async def page(conn: AsyncConnection, where: Sequence[ColumnElement[bool]], *, limit: int) -> list[Row[Any]]:
    """Notifications that can be seen, newest first."""
    return list(
        await conn.execute(
            select(notifications)
            .where(notifications.c.removed_at.is_(None), *where)
            .order_by(notifications.c.id.desc())
            .limit(limit)
        )
    )


async def count(conn: AsyncConnection, where: Sequence[ColumnElement[bool]], *, most: int) -> int:
    """How many can be seen; of more than `most` no more are read than that."""
    some = select(notifications.c.id).where(notifications.c.removed_at.is_(None), *where).limit(most)
    return await conn.scalar(select(func.count()).select_from(some.subquery())) or 0


async def page_of_audiences(
    conn: AsyncConnection,
    numbers: Mapping[bytes, int],
    where: Sequence[ColumnElement[bool]],
    *,
    limit: int,
) -> list[Row[Any]]:
    """Notifications that address any of the audiences, newest first; of each there are so many at most.

    Of each the newest are read, by its index, and merged. Asked for all at once, a database reads past
    everybody else's, or sorts all that ever addressed them; and without the number past all that is left to
    look for where there is nothing more.
    """
    newest = _newest_of_each(numbers, where, limit)
    ids = select(newest.c.id).order_by(newest.c.id.desc()).limit(limit).subquery()
    statement = select(notifications).join(ids, ids.c.id == notifications.c.id)
    return list(await conn.execute(statement.order_by(notifications.c.id.desc())))


async def count_of_audiences(
    conn: AsyncConnection, numbers: Mapping[bytes, int], where: Sequence[ColumnElement[bool]], *, most: int
) -> int:
    """How many address any of the audiences; of more than `most` of one no more are read than that."""
    if not numbers:
        return 0
    return await conn.scalar(select(func.count()).select_from(_newest_of_each(numbers, where, most))) or 0


async def lock_newest_of_audiences(
    conn: AsyncConnection, audiences: Iterable[bytes], where: Sequence[ColumnElement[bool]], *, limit: int
) -> list[Row[Any]]:
    """The newest that address any of the audiences, locked by their ids: no two lockers cross."""
    newest = _newest_of_each(dict.fromkeys(audiences, limit), where, limit)
    ids = select(newest.c.id).order_by(newest.c.id.desc()).limit(limit).subquery()
    columns = (
        notifications.c[name]
        for name in ("id", "service_id", "audience", "require_action", "action", "first_read_at")
    )
    statement = (
        select(*columns)
        .where(notifications.c.id.in_(select(ids.c.id)), notifications.c.removed_at.is_(None))
        .order_by(notifications.c.id)
        .with_for_update()
    )
    return list(await conn.execute(statement))


def _newest_of_each(
    numbers: Mapping[bytes, int], where: Sequence[ColumnElement[bool]], limit: int
) -> Subquery:
    newest = (
        select(_newest_of(audience, where, min(limit, number)).subquery().c.id)
        for audience, number in numbers.items()
    )
    return union_all(*newest).subquery()


def _newest_of(audience: bytes, where: Sequence[ColumnElement[bool]], limit: int) -> Select[Any]:
    return (
        select(notifications.c.id)
        .where(notifications.c.audience == audience, notifications.c.removed_at.is_(None), *where)
        .order_by(notifications.c.id.desc())
        .limit(limit)
    )


async def deliveries_of(conn: AsyncConnection, notification_ids: Iterable[str]) -> list[Row[Any]]:
    return list(
        await conn.execute(
            select(deliveries)
            .where(deliveries.c.notification_id.in_(list(notification_ids)))
            .order_by(deliveries.c.id)
        )
    )


async def delivery(conn: AsyncConnection, delivery_id: str, *, service_id: str) -> Row[Any] | None:
    return (
        await conn.execute(
            select(deliveries).where(deliveries.c.id == delivery_id, deliveries.c.service_id == service_id)
        )
    ).first()


async def delivery_by_notify_id(conn: AsyncConnection, notify_id: str, *, service_id: str) -> Row[Any] | None:
    return (
        await conn.execute(
            select(deliveries).where(
                deliveries.c.notify_id == notify_id, deliveries.c.service_id == service_id
            )
        )
    ).first()


def notifications_with_message(message_id: str) -> Select[tuple[str]]:
    """The ids of notifications that have a delivery of this id, ours or the provider's."""
    either = or_(deliveries.c.id == message_id, deliveries.c.notify_id == message_id)
    return select(deliveries.c.notification_id).where(either)


async def credential_in_use(conn: AsyncConnection, credential_id: str) -> bool:
    """Whether a delivery with this credential has not ended."""
    open_one = exists().where(deliveries.c.credential_id == credential_id, deliveries.c.due_at.is_not(None))
    return bool(await conn.scalar(select(open_one)))


async def update_notification(
    conn: AsyncConnection, notification_id: str, values: Mapping[str, object]
) -> None:
    """Set values and count the version on."""
    await conn.execute(
        notifications.update()
        .where(notifications.c.id == notification_id)
        .values(**values, version=notifications.c.version + 1)
    )


async def set_first_read_of_many(conn: AsyncConnection, ids: Sequence[str], *, at: datetime | None) -> None:
    """As `set_first_read`, of many whose rows are locked."""
    for start in range(0, len(ids), _SOME):
        await conn.execute(
            notifications.update()
            .where(one_of(notifications.c.id, conn.dialect.name))
            .values(first_read_at=at),
            {"ids": list(ids[start : start + _SOME])},
        )


async def set_first_read(conn: AsyncConnection, notification_id: str, *, at: datetime | None) -> None:
    """Keep when anybody first read it; what all share is not changed by that, so neither is the version."""
    first = at if at is None else func.coalesce(notifications.c.first_read_at, literal(at, Instant()))
    await conn.execute(
        notifications.update().where(notifications.c.id == notification_id).values(first_read_at=first)
    )
