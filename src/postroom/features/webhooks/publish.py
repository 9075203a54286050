"""Giving what was recorded its place in the feed, and making the calls that are to be made of it.

Places are given after the commit, by one at a time: under a lock on PostgreSQL, and SQLite has one writer.
So a transaction that was open for long holds nothing up, and its events come later in the feed, never before
what somebody has read already.
"""

from datetime import datetime

from sqlalchemy import bindparam, exists, func, literal, select, text

from postroom.features.webhooks.tables import (
    feedback_events,
    feedback_outbox,
    webhook_calls,
    webhook_endpoints,
)
from postroom.kit.database import AsyncConnection, Database, Instant

MOST = 1_000
"""So many get their places in one transaction."""

_ONE_AT_A_TIME = 7_205_759_403_793  # any fixed number: the key of PostgreSQL's advisory lock
_COLUMNS = [column.name for column in feedback_events.columns if column.name != "position"]
_CALLED = ["id", "service_id", "notification_id", "position", "due_at", "attempts"]


async def publish(database: Database, *, now: datetime) -> int:
    """Publish what is recorded, up to MOST; how many. 0 where another process is just doing it."""
    if database.is_postgres:
        async with database.single() as conn:
            return await conn.scalar(_ON_POSTGRES, {"now": now, "most": MOST, "key": _ONE_AT_A_TIME}) or 0
    async with database.reading() as conn:
        if not await conn.scalar(select(exists().select_from(feedback_outbox))):
            return 0
    async with database.transaction() as conn:
        return await _publish_on_sqlite(conn, now)


_NAMES = ", ".join(_COLUMNS)
_ON_POSTGRES = text(
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
    )
    SELECT count(*) FROM published
    """  # noqa: S608 - our own names
).bindparams(bindparam("now", type_=Instant()))
"""One statement, so one snapshot: what is committed meanwhile is neither moved nor lost.

It may be older than the lock: what another moved in between is gone when its row is looked at again.
"""


async def _publish_on_sqlite(conn: AsyncConnection, now: datetime) -> int:
    outbox, earlier = feedback_outbox.c, webhook_calls.alias("earlier")
    some = select(outbox.drawn).order_by(outbox.drawn).limit(MOST).subquery()
    last = await conn.scalar(select(func.max(some.c.drawn)))
    if last is None:
        # Another has published it all since it was looked for.
        return 0
    moved = outbox.drawn <= last
    columns = [outbox[name] for name in _COLUMNS]
    published = await conn.execute(
        feedback_events.insert().from_select(
            [*_COLUMNS, "position"], select(*columns, outbox.drawn).where(moved).order_by(outbox.drawn)
        )
    )
    waits = select(func.max(earlier.c.due_at)).where(earlier.c.notification_id == outbox.notification_id)
    at = literal(now, Instant())
    due_at = func.max(at, func.coalesce(waits.scalar_subquery(), at))
    calls = (
        select(outbox.id, outbox.service_id, outbox.notification_id, outbox.drawn, due_at, literal(0))
        .join(webhook_endpoints, webhook_endpoints.c.service_id == outbox.service_id)
        .where(moved, webhook_endpoints.c.off_at.is_(None))
    )
    await conn.execute(webhook_calls.insert().from_select(_CALLED, calls))
    await conn.execute(feedback_outbox.delete().where(moved))
    return published.rowcount
