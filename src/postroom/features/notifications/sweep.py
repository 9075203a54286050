"""What keeps a promise when a queue, a worker or a process forgets: the tables are asked again and again."""

from datetime import datetime, timedelta

from postroom.domain.lane import Lane
from postroom.features.notifications import store
from postroom.features.services import Credentials
from postroom.features.services.credentials import forget_raw_keys
from postroom.kit.database import AsyncConnection, Database, take_turn
from postroom.kit.queue import Job, JobQueue

_OVERDUE = timedelta(seconds=2)
_MOST = 1_000
_RAW_KEY_KEPT = timedelta(hours=1)
_TURN_AT_OVERDUE, _TURN_AT_UPCOMING = 7_205_759_403_796, 7_205_759_403_797


async def ids_due(database: Database, now: datetime, limit: int, lane: int) -> list[str]:
    """The deliveries of a lane that are due and in nobody's hands, the longest due first."""
    return [row[0] for row in await database.run(store.DUE, now=now, most=limit, lane=lane)]


async def queue_overdue(conn: AsyncConnection, *, queue: JobQueue, now: datetime) -> int:
    """Queue again what has been due for a while and is in nobody's hands; how many.

    0 while another process does so: it queues the same, and who comes second would wait for its commit.
    """
    if not await take_turn(conn, _TURN_AT_OVERDUE):
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

    0 while another process does so, as above.
    """
    if not await take_turn(conn, _TURN_AT_UPCOMING):
        return 0
    jobs = [
        Job(row.id, row.due_at, lane)
        for lane in Lane
        for row in await store.due_between(conn, after=now, until=now + horizon, limit=_MOST, lane=lane)
    ]
    await queue.put(conn, jobs)
    return len(jobs)


async def give_up_raw_keys(conn: AsyncConnection, *, credentials: Credentials, now: datetime) -> int:
    """Delete the provider's keys that came with requests whose deliveries have all ended; how many."""
    return await forget_raw_keys(
        conn, credentials, unused_since=now - _RAW_KEY_KEPT, in_use=store.credential_in_use
    )
