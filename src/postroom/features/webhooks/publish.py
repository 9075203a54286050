"""Giving what was recorded its place in the feed, and making the calls that are to be made of it.

Places are given after the commit, by one at a time: under a lock on PostgreSQL, and SQLite has one writer.
So a transaction that was open for long holds nothing up, and its events come later in the feed, never before
what somebody has read already.
"""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import BigInteger, bindparam, func, literal, select, text

from postroom.features.webhooks.tables import (
    feedback_events,
    feedback_outbox,
    webhook_calls,
    webhook_endpoints,
)
from postroom.kit.database import AsyncConnection, Database, Instant, Statement

MOST = 1_000
"""So many get their places in one transaction."""

_ONE_AT_A_TIME = 7_205_759_403_793  # any fixed number: the key of PostgreSQL's advisory lock
_COLUMNS = [column.name for column in feedback_events.columns if column.name != "position"]
_CALLED = ["id", "service_id", "notification_id", "position", "due_at", "attempts"]


class Published(NamedTuple):
    """How many events got their places, and how many calls are to be made of them."""

    events: int
    calls: int


async def publish(database: Database, *, now: datetime) -> Published:
    """Publish what is recorded, up to MOST. Nothing where another process is just doing it."""
    if database.is_postgres:
        ((events, calls),) = await database.run(_ON_POSTGRES, now=now, most=MOST, key=_ONE_AT_A_TIME)
        return Published(events, calls)
    if not await database.run(_RECORDED):
        return Published(0, 0)
    async with database.transaction() as conn:
        return await _publish_on_sqlite(conn, now)


_NAMES = ", ".join(_COLUMNS)
_ON_POSTGRES = Statement(
    text(
        f"""
    WITH held AS MATERIALIZED (
        SELECT pg_try_advisory_xact_lock(:key) AS is_ours
    ), moved AS (
        DELETE FROM feedback_outbox
        WHERE (SELECT is_ours FROM held)
            AND drawn IN (SELECT drawn FROM feedback_outbox ORDER BY drawn LIMIT :most)
        RETURNING *
    ), published AS (
        INSERT INTO feedback_events ({_NAMES}, position)
        SELECT {_NAMES}, nextval('feedback_position') FROM (SELECT * FROM moved ORDER BY drawn) AS in_order
        RETURNING id, service_id, notification_id, position
    ), calls AS (
        INSERT INTO webhook_calls ({", ".join(_CALLED)})
        SELECT each.id, each.service_id, each.notification_id, each.position, greatest(:now, (
            SELECT max(earlier.due_at) FROM webhook_calls AS earlier
            WHERE earlier.notification_id = each.notification_id
        )), 0
        FROM published AS each
        JOIN webhook_endpoints AS endpoint ON endpoint.service_id = each.service_id
        WHERE endpoint.off_at IS NULL
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM published), (SELECT count(*) FROM calls)
    """  # noqa: S608 - our own names
    ).bindparams(bindparam("now", type_=Instant()))
)
"""One statement, so one snapshot: what is committed meanwhile is neither moved nor lost.

It may be older than the lock: what another moved in between is gone when its row is looked at again.
"""

# The same on SQLite, where three statements need no lock.
_OUTBOX = feedback_outbox.c
_RECORDED = Statement(select(_OUTBOX.drawn).limit(1))
_SOME = select(_OUTBOX.drawn).order_by(_OUTBOX.drawn).limit(MOST).subquery()
_LAST = select(func.max(_SOME.c.drawn))
_UP_TO_LAST = _OUTBOX.drawn <= bindparam("last", type_=BigInteger())
_PUBLISH = feedback_events.insert().from_select(
    [*_COLUMNS, "position"],
    select(*(_OUTBOX[name] for name in _COLUMNS), _OUTBOX.drawn).where(_UP_TO_LAST).order_by(_OUTBOX.drawn),
)
_NOW = bindparam("now", type_=Instant())
_EARLIER = webhook_calls.alias("earlier")
_WAITS = select(func.max(_EARLIER.c.due_at)).where(_EARLIER.c.notification_id == _OUTBOX.notification_id)
_CALL = webhook_calls.insert().from_select(
    _CALLED,
    select(
        _OUTBOX.id,
        _OUTBOX.service_id,
        _OUTBOX.notification_id,
        _OUTBOX.drawn,
        func.max(_NOW, func.coalesce(_WAITS.scalar_subquery(), _NOW)),
        literal(0),
    )
    .join(webhook_endpoints, webhook_endpoints.c.service_id == _OUTBOX.service_id)
    .where(_UP_TO_LAST, webhook_endpoints.c.off_at.is_(None)),
)
_CLEAR = feedback_outbox.delete().where(_UP_TO_LAST)


async def _publish_on_sqlite(conn: AsyncConnection, now: datetime) -> Published:
    last = await conn.scalar(_LAST)
    if last is None:
        # Another has published it all since it was looked for.
        return Published(0, 0)
    published = await conn.execute(_PUBLISH, {"last": last})
    calls = await conn.execute(_CALL, {"last": last, "now": now})
    await conn.execute(_CLEAR, {"last": last})
    return Published(published.rowcount, calls.rowcount)
