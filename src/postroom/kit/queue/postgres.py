"""The queue on PostgreSQL: PgQueuer carries what is due within minutes, to any number of workers."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

import asyncpg
from pgqueuer import AsyncpgDriver, Queries
from pgqueuer.models import TableChangedEvent
from sqlalchemy import URL, text

from postroom.kit.clock import Clock
from postroom.kit.database import AsyncConnection, Batch
from postroom.kit.database.direct import connect_options
from postroom.kit.queue.contract import PATIENCE, Handle, Job, Slots
from postroom.kit.queue.postgres_lane import Lane, channel_of, entrypoint_of

HORIZON = timedelta(minutes=2)
"""What is due later than this waits in its table; the sweep queues it when its time comes near.

Less than it takes to the first poll: as a rule a receipt comes before, and nothing was queued for nothing.
"""

_NO_WAIT = timedelta(0)
# PgQueuer's own statement, less the line for each job in its log, which nothing of ours reads: it cost every
# accepted request 15 µs of the server and 9 µs here.
_ENQUEUE = """
INSERT INTO pgqueuer (priority, entrypoint, payload, execute_after, dedupe_key, status)
SELECT 0, job.entrypoint, job.payload, now() + job.wait, job.dedupe_key, 'queued'
FROM unnest($1::text[], $2::bytea[], $3::interval[], $4::text[])
    AS job (entrypoint, payload, wait, dedupe_key)
ON CONFLICT DO NOTHING
"""
_LOG_KEPT = timedelta(hours=1)


class PostgresQueue:
    """PgQueuer behind the contract. A job's dedupe key is its id and moment: a sweep doubles nothing.

    `lease` is for how long a job belongs to whom it was handed to. Where its worker was killed, was stopped
    in the middle of it or failed at it, it is handed out again then.
    """

    def __init__(
        self,
        *,
        url: URL,
        clock: Clock,
        slots: Slots,
        lease: timedelta = timedelta(seconds=20),
        patience: timedelta = PATIENCE,
    ) -> None:
        options = connect_options(url)
        self._clock = clock
        self._lanes = [
            Lane(number, options=options, slots=count, lease=lease, patience=patience)
            for number, count in slots.items()
        ]
        # PgQueuer logs each failed job with its traceback; ours are logged by their lane, without their text.
        logging.getLogger("pgqueuer").setLevel(logging.CRITICAL)

    async def put(self, conn: AsyncConnection, jobs: Sequence[Job]) -> None:
        batch = Batch(conn.dialect.name)
        self.add(batch, jobs)
        await batch.run(conn)

    def add(self, batch: Batch, jobs: Sequence[Job]) -> None:
        now = self._clock()
        near = [job for job in jobs if job.due_at - now <= HORIZON]
        if not near:
            return
        columns = (
            [entrypoint_of(job.lane) for job in near],
            [job.id.encode() for job in near],
            [max(job.due_at - now, _NO_WAIT) for job in near],
            [f"{job.id} {job.due_at.timestamp():.6f}" for job in near],
        )
        batch.add(_ENQUEUE, columns)
        for lane in {job.lane for job in near} - {0}:
            # The engine itself tells of every change of its table, but only on the first lane's channel.
            batch.add("SELECT pg_notify($1, $2)", (channel_of(lane), _news(lane, now)))

    def ring(self) -> None:
        """Nothing to do: PostgreSQL notifies every worker at the commit."""

    async def run(self, *, handle: Handle, stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            for lane in self._lanes:
                group.create_task(lane.run(handle=handle, stop=stop))


async def install(conn: AsyncConnection) -> None:
    """Make PgQueuer's tables where they are not yet, in the caller's transaction."""
    queries = Queries(AsyncpgDriver(await _asyncpg(conn)))
    if not await queries.schema_is_installed():
        await queries.install(create_schema=False)


async def purge_log(conn: AsyncConnection) -> None:
    """Give up the engine's own log; nothing of ours reads it."""
    for table in ("pgqueuer_log", "pgqueuer_statistics"):
        await conn.execute(
            text(f"DELETE FROM {table} WHERE created < now() - CAST(:kept AS interval)"),  # noqa: S608
            {"kept": _LOG_KEPT},
        )


def _news(lane: int, now: datetime) -> str:
    """What an engine hears where something was put in."""
    event = TableChangedEvent(
        channel=channel_of(lane),
        sent_at=now,
        type="table_changed_event",
        operation="insert",
        table="pgqueuer",
    )
    return event.model_dump_json()


async def _asyncpg(conn: AsyncConnection) -> "asyncpg.Connection[asyncpg.Record]":
    # SQLAlchemy begins the transaction with its first statement: the caller has made one before this.
    raw = await conn.get_raw_connection()
    return cast("asyncpg.Connection[asyncpg.Record]", raw.driver_connection)
