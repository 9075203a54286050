"""The queue on PostgreSQL: PgQueuer carries what is due within minutes, to any number of workers."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast

import asyncpg
from pgqueuer import AsyncpgDriver, Queries, QueueManager
from pgqueuer.models import Job as PgJob
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.kit.clock import Clock
from postroom.kit.log import get_logger
from postroom.kit.queue.contract import Handle, Job

log = get_logger(__name__)

ENTRYPOINT = "delivery"
HORIZON = timedelta(minutes=5)
"""What is due later than this waits in its table; the sweep queues it when its time comes near."""

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

_BATCH = 32
_LOG_KEPT = timedelta(hours=1)


class PostgresQueue:
    """PgQueuer behind the contract. A job's dedupe key is its id and moment: a sweep doubles nothing."""

    def __init__(
        self,
        *,
        url: URL,
        clock: Clock,
        at_once: int = 64,
        heartbeat: timedelta = timedelta(seconds=10),
        patience: timedelta = timedelta(seconds=4),
    ) -> None:
        self._dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._clock = clock
        self._at_once = max(at_once, 2 * _BATCH)
        self._heartbeat = heartbeat
        self._patience = patience
        # PgQueuer logs each failed job with its traceback; ours are logged here, without their text.
        logging.getLogger("pgqueuer").setLevel(logging.CRITICAL)

    async def put(self, conn: AsyncConnection, jobs: Sequence[Job]) -> None:
        now = self._clock()
        near = [job for job in jobs if job.due_at - now <= HORIZON]
        if not near:
            return
        columns = (
            [ENTRYPOINT] * len(near),
            [job.id.encode() for job in near],
            [max(job.due_at - now, _NO_WAIT) for job in near],
            [f"{job.id} {job.due_at.timestamp():.6f}" for job in near],
        )
        await conn.exec_driver_sql(_ENQUEUE, columns)

    def ring(self) -> None:
        """Nothing to do: PostgreSQL notifies every worker at the commit."""

    async def run(self, *, handle: Handle, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await self._run_connected(handle, stop)
            except Exception as error:
                # What engine and driver raise as a connection dies under them has no common base
                # (asyncpg.InternalClientError is one of many), and none of it may end the worker.
                log.warning("queue lost its connection", exc_info=error)
                await _wait(stop, seconds=1)

    async def _run_connected(self, handle: Handle, stop: asyncio.Event) -> None:
        connection = await asyncpg.connect(self._dsn, timeout=5)
        try:
            manager = QueueManager(Queries(AsyncpgDriver(connection)))
            manager.entrypoint(ENTRYPOINT)(_entry(handle))
            running = asyncio.create_task(
                manager.run(
                    dequeue_timeout=timedelta(seconds=5),
                    batch_size=_BATCH,
                    max_concurrent_tasks=self._at_once,
                    heartbeat_timeout=self._heartbeat,
                    shutdown_on_listener_failure=True,
                )
            )
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            manager.shutdown.set()
            await self._finish(running)
        finally:
            await _close(connection)

    async def _finish(self, running: "asyncio.Task[None]") -> None:
        """Wait for the calls in hand, then leave them: their attempts stay open and are reconciled later."""
        done, _ = await asyncio.wait({running}, timeout=self._patience.total_seconds())
        if not done:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        elif (error := running.exception()) is not None:
            raise error


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


def _entry(handle: Handle) -> Any:
    async def deliver(job: PgJob) -> None:
        if job.payload is None:
            return
        try:
            await handle(job.payload.decode())
        except Exception as error:
            log.error("job failed", job=job.payload.decode(), exc_info=error)

    return deliver


async def _asyncpg(conn: AsyncConnection) -> "asyncpg.Connection[asyncpg.Record]":
    # SQLAlchemy begins the transaction with its first statement: the caller has made one before this.
    raw = await conn.get_raw_connection()
    return cast("asyncpg.Connection[asyncpg.Record]", raw.driver_connection)


async def _wait(stop: asyncio.Event, *, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return


async def _close(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    try:
        await connection.close(timeout=1)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        connection.terminate()
