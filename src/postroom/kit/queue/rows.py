"""The embedded queue: the rows themselves are the jobs, found by their index on `due_at`."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.kit.clock import Clock
from postroom.kit.database import DatabaseUnavailable
from postroom.kit.log import get_logger
from postroom.kit.queue.contract import Handle, Job
from postroom.kit.signal import Wakeup

log = get_logger(__name__)

FindDue = Callable[[datetime, int], Awaitable[Collection[str]]]
"""The ids that are due at a moment and in nobody's hands, the longest due first, up to a number."""


class RowQueue:
    """One process's queue over the rows that are due. A ring after a commit makes it look at once."""

    def __init__(
        self,
        *,
        find_due: FindDue,
        clock: Clock,
        at_once: int = 64,
        look_every: timedelta = timedelta(seconds=1),
        patience: timedelta = timedelta(seconds=4),
    ) -> None:
        self._find_due = find_due
        self._clock = clock
        self._at_once = at_once
        self._look_every = look_every
        self._patience = patience
        self._wakeup = Wakeup()
        self._in_hand: dict[str, asyncio.Task[None]] = {}

    async def put(self, conn: AsyncConnection, jobs: Sequence[Job]) -> None:
        """Nothing to do: the row that the same transaction writes is the job."""

    def ring(self) -> None:
        self._wakeup.ring()

    async def run(self, *, handle: Handle, stop: asyncio.Event) -> None:
        stopping = asyncio.create_task(self._ring_at(stop))
        while not stop.is_set():
            if not await self._start_what_is_due(handle):
                await self._wakeup.wait(at_most=self._look_every)
        stopping.cancel()
        if self._in_hand:
            _, late = await asyncio.wait(self._in_hand.values(), timeout=self._patience.total_seconds())
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _ring_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._wakeup.ring()

    async def _start_what_is_due(self, handle: Handle) -> bool:
        """Start what is due and fits; whether anything was started."""
        free = self._at_once - len(self._in_hand)
        if free <= 0:
            return False
        try:
            # What is in hand here stays due until its claim is committed, so look beyond it.
            due = await self._find_due(self._clock(), self._at_once)
        except DatabaseUnavailable:
            log.warning("queue cannot read what is due")
            return False
        fresh = [job_id for job_id in due if job_id not in self._in_hand][:free]
        for job_id in fresh:
            task = asyncio.create_task(handle(job_id))
            self._in_hand[job_id] = task
            task.add_done_callback(partial(self._finished, job_id))
        return bool(fresh)

    def _finished(self, job_id: str, task: asyncio.Task[None]) -> None:
        if task.cancelled() or (error := task.exception()) is None:
            self._release(job_id)
            return
        log.error("job failed", job=job_id, exc_info=error)
        # Its row may still be due: tried again at once, it would keep the process busy with failing.
        asyncio.get_running_loop().call_later(self._look_every.total_seconds(), self._release, job_id)

    def _release(self, job_id: str) -> None:
        del self._in_hand[job_id]
        self._wakeup.ring()
