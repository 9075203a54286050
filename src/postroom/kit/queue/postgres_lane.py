"""One lane of the queue on PostgreSQL: slots, an engine and a connection of its own in each worker."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
from pgqueuer import AsyncpgDriver, Queries, QueueManager
from pgqueuer.adapters.persistence.qb import QueryQueueBuilder
from pgqueuer.domain.settings import db_settings
from pgqueuer.domain.types import Channel, QueueEntrypoint
from pgqueuer.errors import RetryRequested
from pgqueuer.models import Job as PgJob

from postroom.kit.database import NOT_NOW
from postroom.kit.log import get_logger
from postroom.kit.queue.contract import Handle

log = get_logger(__name__)

_LARGEST_BATCH = 32
_LOOK_EVERY = timedelta(seconds=2)
"""A job whose worker was killed rings no bell: it is found by looking."""
_LATE = timedelta(seconds=1)
"""How long after the lease of a worker that says nothing its jobs are handed out again."""
_LOOK_AGAIN = timedelta(milliseconds=25)
"""While all slots are taken and more is due: a lane with a channel of its own hears of no free slot."""
_TRY_AGAIN = timedelta(seconds=1)
"""After a job that the database did not let be done."""
_ANSWER_SECONDS = 10
_AWAY_SECONDS = 1
_LEAVE_SECONDS = 0.3


def entrypoint_of(lane: int) -> QueueEntrypoint:
    return QueueEntrypoint("delivery" if lane == 0 else f"delivery-{lane}")


def channel_of(lane: int) -> Channel:
    """Where a lane hears that something was put in. Those behind the first hear nothing of the others."""
    first = db_settings().channel
    return first if lane == 0 else Channel(f"{first}_{lane}")


@dataclass(frozen=True, slots=True)
class _Engine:
    """The engine on one connection. `running` ends once it was told to, and nothing is in its hands."""

    manager: QueueManager
    running: "asyncio.Task[None]"
    lost: "asyncio.Future[None]"


class Lane:
    """Hands out a lane's jobs. Where its connection is lost, a new engine goes on while the old finishes."""

    def __init__(
        self, number: int, *, options: Mapping[str, Any], slots: int, lease: timedelta, patience: timedelta
    ) -> None:
        """`options` are what the driver connects with."""
        self._number = number
        self._options = options
        self._batch = min(_LARGEST_BATCH, max(slots // 2, 1))
        # While all slots are taken a batch more is fetched, and waits for them here: to ask for it only once
        # they are free costs the time of three answers. The engine wants room for two batches anyway.
        self._most = slots + self._batch
        self._number_of_slots = slots
        self._slots = asyncio.Semaphore(slots)
        self._ends = False
        self._lease = lease
        self._patience = patience
        self._engines: list[_Engine] = []
        self._silent_until = 0.0

    async def run(self, *, handle: Handle, stop: asyncio.Event) -> None:
        self._slots, self._ends = asyncio.Semaphore(self._number_of_slots), False
        stopped = asyncio.create_task(stop.wait())
        going = asyncio.create_task(self._keep_going(handle, stop))
        try:
            await asyncio.wait({stopped, going}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            until = asyncio.get_running_loop().time() + self._patience.total_seconds()
            for task in (stopped, going):
                task.cancel()
            await asyncio.wait({stopped, going})
            await self._finish(until=until)
        if not going.cancelled():
            going.result()

    async def _keep_going(self, handle: Handle, stop: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began, error = loop.time(), None
            try:
                engine = await self._start(handle, stop)
                await asyncio.wait({engine.running, engine.lost}, return_when=asyncio.FIRST_COMPLETED)
                # It takes nothing more, and finishes what it has in hand while the next goes on.
                engine.manager.shutdown.set()
                error = engine.running.exception() if engine.running.done() else None
            except Exception as unforeseen:
                # What engine and driver raise as a connection dies under them has no common base
                # (asyncpg.InternalClientError is one of many), and none of it may end the worker.
                error = unforeseen
            log.warning("queue lost its connection", lane=self._number, exc_info=error)
            await asyncio.sleep(max(began + _AWAY_SECONDS - loop.time(), 0))

    async def _start(self, handle: Handle, stop: asyncio.Event) -> _Engine:
        connection = await asyncpg.connect(
            **self._options,
            timeout=5,
            command_timeout=_ANSWER_SECONDS,
            server_settings={"application_name": f"postroom queue {self._number}"},
        )
        try:
            await self._hand_back(connection)
        except BaseException:
            connection.terminate()
            raise
        lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        connection.add_termination_listener(lambda _: None if lost.done() else lost.set_result(None))
        manager = self._manager(connection, handle, stop)
        engine = _Engine(manager, asyncio.create_task(self._work(manager, connection)), lost)
        engine.running.add_done_callback(_mark_as_seen)
        self._engines = [*(each for each in self._engines if not each.running.done()), engine]
        return engine

    async def _hand_back(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        """Queue again what an engine of ours took from the table and never got: its connection was lost."""
        lost = [each.manager for each in self._engines]
        if lost:
            await connection.execute(
                f"UPDATE {db_settings().qualified.queue_table}"  # noqa: S608
                " SET status = 'queued', queue_manager_id = NULL"
                " WHERE queue_manager_id = ANY($1::uuid[]) AND status = 'picked' AND id <> ALL($2::bigint[])",
                [manager.queue_manager_id for manager in lost],
                [job_id for manager in lost for job_id in manager.job_context],
            )

    def _manager(
        self, connection: "asyncpg.Connection[asyncpg.Record]", handle: Handle, stop: asyncio.Event
    ) -> QueueManager:
        channel = channel_of(self._number)
        named = db_settings().model_copy(update={"channel": channel})
        manager = QueueManager(
            Queries(_Driver(connection), qbq=QueryQueueBuilder(settings=named)), channel=channel
        )
        manager.min_dequeue_poll_interval = _LOOK_AGAIN
        manager.entrypoint(entrypoint_of(self._number))(self._entry(handle, stop))
        return manager

    async def _work(self, manager: QueueManager, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        try:
            await manager.run(
                dequeue_timeout=_LOOK_EVERY,
                batch_size=self._batch,
                max_concurrent_tasks=self._most,
                heartbeat_timeout=self._lease + _LATE,
                shutdown_on_listener_failure=True,
            )
        finally:
            await _close(connection)

    def _entry(self, handle: Handle, stop: asyncio.Event) -> Any:
        """What the engine calls for a job. What was not done stays with it, and comes again."""

        async def deliver(job: PgJob) -> None:
            if job.payload is None:
                return
            try:
                # A lost connection's engine may hold slots too, beside what was fetched before its time.
                async with self._slots:
                    if not (self._ends or stop.is_set()):
                        await handle(job.payload.decode())
                        return
            except asyncio.CancelledError:
                # Cut off by the stop: another worker may have it once the lease has lapsed.
                raise RetryRequested(self._lease) from None
            except NOT_NOW:
                self._say_that_it_waits()
                raise RetryRequested(_TRY_AGAIN) from None
            except Exception as error:
                log.error("job failed", job=job.payload.decode(), exc_info=error)
                raise RetryRequested(self._lease) from None
            raise RetryRequested

        return deliver

    def _say_that_it_waits(self) -> None:
        """Once for all that fail together: each of them has the same to say."""
        now = asyncio.get_running_loop().time()
        if now >= self._silent_until:
            self._silent_until = now + _TRY_AGAIN.total_seconds()
            log.warning("jobs wait for the database", lane=self._number)

    async def _finish(self, *, until: float) -> None:
        """Wait for what is in hand, then leave it. What waits for a slot is given back at once."""
        self._ends = True
        for engine in self._engines:
            engine.manager.shutdown.set()
            for _ in range(self._most):
                self._slots.release()
        running = {engine.running for engine in self._engines}
        if not running:
            return
        left = max(until - asyncio.get_running_loop().time(), 0)
        _, late = await asyncio.wait(running, timeout=left)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=_LEAVE_SECONDS)


class _Driver(AsyncpgDriver):
    """Gives its connection up where a question fails: the engine asks nothing after that, and is replaced."""

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        try:
            return await super().fetch(query, *args)
        except Exception:
            self._connection.terminate()
            raise


def _mark_as_seen(running: "asyncio.Task[None]") -> None:
    if not running.cancelled():
        running.exception()


async def _close(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    try:
        await connection.close(timeout=_LEAVE_SECONDS)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        connection.terminate()
