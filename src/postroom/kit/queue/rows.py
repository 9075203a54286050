"""The embedded queue: the rows themselves are the jobs, found by their index on lane and `due_at`."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime, timedelta
from functools import partial

from postroom.kit.clock import Clock
from postroom.kit.database import NOT_NOW, AsyncConnection, Batch, DatabaseUnavailable
from postroom.kit.log import get_logger
from postroom.kit.queue.contract import PATIENCE, Handle, Job, Slots
from postroom.kit.signal import Wakeup

log = get_logger(__name__)

FindDue = Callable[[datetime, int, int], Awaitable[Collection[str]]]
"""The ids that are due at a moment, up to a number, of a lane: in nobody's hands, the longest due first."""

_GIVE_WAY = timedelta(milliseconds=50)
"""Between two looks of a lane behind the first: what it reads and begins never crowds out the first's."""


class RowQueue:
    """One process's queue over the rows that are due. A ring after a commit makes it look at once."""

    def __init__(
        self,
        *,
        find_due: FindDue,
        clock: Clock,
        slots: Slots,
        look_every: timedelta = timedelta(seconds=1),
        patience: timedelta = PATIENCE,
    ) -> None:
        self._lanes = [
            _Lane(
                find_due=partial(_find_in, find_due, lane),
                clock=clock,
                slots=count,
                look_every=look_every,
                give_way=_GIVE_WAY if lane > min(slots) else timedelta(0),
                patience=patience,
            )
            for lane, count in slots.items()
        ]

    async def put(self, conn: AsyncConnection, jobs: Sequence[Job]) -> None:
        """Nothing to do: the row that the same transaction writes is the job."""

    def add(self, batch: Batch, jobs: Sequence[Job]) -> None:
        """Nothing to do, as above."""

    def ring(self) -> None:
        for lane in self._lanes:
            lane.ring()

    async def run(self, *, handle: Handle, stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            for lane in self._lanes:
                group.create_task(lane.run(handle=handle, stop=stop))


async def _find_in(find_due: FindDue, lane: int, now: datetime, limit: int) -> Collection[str]:
    return await find_due(now, limit, lane)


class _Lane:
    """The jobs of one lane, in its own slots."""

    def __init__(
        self,
        *,
        find_due: Callable[[datetime, int], Awaitable[Collection[str]]],
        clock: Clock,
        slots: int,
        look_every: timedelta,
        give_way: timedelta,
        patience: timedelta,
    ) -> None:
        self._find_due = find_due
        self._clock = clock
        self._slots = slots
        self._look_every = look_every
        self._give_way = give_way
        self._patience = patience
        self._wakeup = Wakeup()
        self._in_hand: dict[str, asyncio.Task[None]] = {}
        self._silent_until = 0.0

    def ring(self) -> None:
        self._wakeup.ring()

    async def run(self, *, handle: Handle, stop: asyncio.Event) -> None:
        stopped_at = asyncio.create_task(self._ring_at(stop))
        while not stop.is_set():
            if not await self._start_what_is_due(handle):
                await self._wakeup.wait(at_most=self._look_every)
            if self._give_way:
                await asyncio.sleep(self._give_way.total_seconds())
        await self._finish(until=await stopped_at + self._patience.total_seconds())

    async def _ring_at(self, stop: asyncio.Event) -> float:
        """Ring at the stop; when that was."""
        await stop.wait()
        self._wakeup.ring()
        return asyncio.get_running_loop().time()

    async def _finish(self, *, until: float) -> None:
        """Wait for what is in hand, then leave it."""
        if self._in_hand:
            left = max(until - asyncio.get_running_loop().time(), 0)
            _, late = await asyncio.wait(self._in_hand.values(), timeout=left)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _start_what_is_due(self, handle: Handle) -> bool:
        """Start what is due and fits; whether anything was started."""
        free = self._slots - len(self._in_hand)
        if free <= 0:
            return False
        # What is in hand here stays due until its claim is committed, so look beyond it; nor is it known
        # of what is done while the answer is on its way whether it is due again.
        in_hand = set(self._in_hand)
        try:
            due = await self._find_due(self._clock(), self._slots)
        except DatabaseUnavailable:
            log.warning("queue cannot read what is due")
            return False
        fresh = [job_id for job_id in due if job_id not in in_hand][:free]
        for job_id in fresh:
            task = asyncio.create_task(handle(job_id))
            self._in_hand[job_id] = task
            task.add_done_callback(partial(self._finished, job_id))
        return bool(fresh)

    def _finished(self, job_id: str, task: asyncio.Task[None]) -> None:
        if task.cancelled() or (error := task.exception()) is None:
            self._release(job_id)
            return
        if isinstance(error, NOT_NOW):
            self._say_that_it_waits()
        else:
            log.error("job failed", job=job_id, exc_info=error)
        # Its row may still be due: tried again at once, it would keep the process busy with failing.
        asyncio.get_running_loop().call_later(self._look_every.total_seconds(), self._release, job_id)

    def _say_that_it_waits(self) -> None:
        """Once for all that fail together: each of them has the same to say."""
        now = asyncio.get_running_loop().time()
        if now >= self._silent_until:
            self._silent_until = now + self._look_every.total_seconds()
            log.warning("jobs wait for the database", at_least=len(self._in_hand))

    def _release(self, job_id: str) -> None:
        del self._in_hand[job_id]
        self._wakeup.ring()
