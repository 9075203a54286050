"""Giving what was recorded its place, after its commit and by one at a time; and forgetting it again."""

from datetime import datetime, timedelta
from itertools import takewhile

from sqlalchemy import exists, select, text

from postroom.features.screens.tables import screen_changes, screen_outbox
from postroom.kit.database import Database

MOST = 1_000
"""So many get their places in one transaction."""

KEPT_FOR = timedelta(minutes=15)
CHANNEL = "postroom_screens"
"""Where PostgreSQL says that there is something new; what it is stands in the table."""

_ONE_AT_A_TIME = 7_205_759_403_794  # any fixed number: the key of PostgreSQL's advisory lock
_FORGOTTEN_AT_ONCE = 5_000
_NAMES = "kind, at, screen, notification_id"
_PLACE = text(
    f"""
    WITH moved AS (
        DELETE FROM screen_outbox
        WHERE drawn IN (SELECT drawn FROM screen_outbox ORDER BY drawn LIMIT :most)
        RETURNING *
    ), placed AS (
        INSERT INTO screen_changes (position, {_NAMES})
        SELECT (SELECT coalesce(max(position), 0) FROM screen_changes) + row_number() OVER (ORDER BY drawn),
            {_NAMES}
        FROM moved
        RETURNING 1
    )
    SELECT count(*) FROM placed
    """  # noqa: S608 - our own names
)


async def publish(database: Database) -> int:
    """Give places to what is recorded, up to MOST; how many. On SQLite it has its place already."""
    if not database.is_postgres:
        return 0
    async with database.reading() as conn:
        if not await conn.scalar(select(exists().select_from(screen_outbox))):
            return 0
    async with database.transaction() as conn:
        # Waited for: whoever holds it may have looked before our own was there.
        await conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})
        placed: int = await conn.scalar(_PLACE, {"most": MOST}) or 0
        if placed:
            await conn.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})
    return placed


async def forget_changes(database: Database, *, now: datetime) -> int:
    """Forget what is older than is kept; how many. The last one stays, so that its place is known."""
    gone = 0
    while True:
        async with database.transaction() as conn:
            oldest = select(screen_changes.c.position, screen_changes.c.at).order_by(
                screen_changes.c.position
            )
            rows = (await conn.execute(oldest.limit(_FORGOTTEN_AT_ONCE + 1))).all()
            old = [row.position for row in takewhile(lambda row: row.at < now - KEPT_FOR, rows[:-1])]
            if old:
                await conn.execute(screen_changes.delete().where(screen_changes.c.position <= old[-1]))
        gone += len(old)
        if len(old) < _FORGOTTEN_AT_ONCE:
            return gone
