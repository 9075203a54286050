"""What keeps a promise when a queue, a worker or a process forgets: the tables are asked again and again."""

from datetime import datetime, timedelta

from sqlalchemy import text

from postroom.domain.lane import Lane
from postroom.features.notifications import store
from postroom.features.services import Credentials
from postroom.features.services.credentials import forget_raw_keys
from postroom.kit.database import AsyncConnection, Database
from postroom.kit.queue import Job, JobQueue

_OVERDUE = timedelta(seconds=2)
_MOST = 1_000
_RAW_KEY_KEPT = timedelta(hours=1)
_ONE_AT_A_TIME = 7_205_759_403_796  # any fixed number: the key of PostgreSQL's advisory lock


async def ids_due(database: Database, now: datetime, limit: int, lane: int) -> list[str]:
    """The deliveries of a lane that are due and in nobody's hands, the longest due first."""
    return [row[0] for row in await database.run(store.DUE, now=now, most=limit, lane=lane)]


async def queue_overdue(conn: AsyncConnection, *, queue: JobQueue, now: datetime) -> int:
    """Queue again what has been due for a while and is in nobody's hands; how many.

    None while another process sweeps: it queues the same, and who comes second would wait for its commit.
    """
    if not await _is_our_turn(conn):
        return 0
    jobs = [
        Job(row.id, row.due_at, lane)
        for lane in Lane
        for row in await store.due(conn, now=now - _OVERDUE, limit=_MOST, lane=lane)
    ]
    await queue.put(conn, jobs)
    return len(jobs)


async def queue_upcoming(conn: AsyncConnection, *, queue: JobQueue, now: datetime, horizon: timedelta) -> int:
    """Queue what comes due within the horizon, and until now waited in its table alone; how many.

    None while another process sweeps, as above.
    """
    if not await _is_our_turn(conn):
        return 0
    jobs = [
        Job(row.id, row.due_at, lane)
        for lane in Lane
        for row in await store.due_between(conn, after=now, until=now + horizon, limit=_MOST, lane=lane)
    ]
    await queue.put(conn, jobs)
    return len(jobs)


async def _is_our_turn(conn: AsyncConnection) -> bool:
    """For as long as the transaction lasts. On SQLite nothing is queued but by its rows."""
    if conn.dialect.name != "postgresql":
        return True
    turn = text("SELECT pg_try_advisory_xact_lock(:key)")
    return bool(await conn.scalar(turn, {"key": _ONE_AT_A_TIME}))


async def give_up_raw_keys(conn: AsyncConnection, *, credentials: Credentials, now: datetime) -> int:
    """Delete the provider's keys that came with requests whose deliveries have all ended; how many."""
    return await forget_raw_keys(
        conn, credentials, unused_since=now - _RAW_KEY_KEPT, in_use=store.credential_in_use
    )
