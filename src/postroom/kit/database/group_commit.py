"""Group commit: what arrives together is written in one transaction."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Generic, TypeVar

from postroom.kit.database.asynchronous import AsyncConnection
from postroom.kit.database.engine import Database
from postroom.kit.database.failures import DatabaseUnavailable, LockTimeout

_QUIET_TURNS = 3
_IN_VAIN_SECONDS = 1

Item = TypeVar("Item")
Result = TypeVar("Result")


class WriterBusy(Exception):
    """More waits to be written than is good to keep; nothing of this item was kept."""


NOT_NOW = (DatabaseUnavailable, LockTimeout, WriterBusy)
"""How it is said that the database is not available, or too busy."""


class GroupCommit(Generic[Item, Result]):
    """Writes items in transactions of up to `most`, at most `writers` transactions at a time.

    `write` is given the items of one transaction, commits it, and answers a result for each, in order.
    `submit` returns the item's result then. An item that makes the transaction fail fails alone: the others
    are written again, one by one.
    """

    def __init__(
        self,
        *,
        write: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]],
        after_commit: Callable[[], None] = lambda: None,
        most: int = 64,
        most_waiting: int = 2048,
        writers: int = 1,
    ) -> None:
        self._write = write
        self._after_commit = after_commit
        self._most = most
        self._most_waiting = most_waiting
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._idle_writers = writers
        self._tasks: set[asyncio.Task[None]] = set()

    async def submit(self, item: Item) -> Result:
        """Have the item written; WriterBusy or DatabaseUnavailable when it was not."""
        if len(self._waiting) >= self._most_waiting:
            raise WriterBusy
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        done.add_done_callback(_mark_as_seen)
        self._waiting.append((item, done))
        if self._idle_writers:
            self._start_writer()
        # A caller that goes away cancels its own waiting, not the writing.
        return await done

    async def close(self) -> None:
        """Wait until all that was submitted is written or refused."""
        while self._tasks:
            # Not gathered: who waits no longer stops waiting, and no writing.
            await asyncio.wait(self._tasks)

    def _start_writer(self) -> None:
        self._idle_writers -= 1
        task = asyncio.create_task(self._drain())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _drain(self) -> None:
        try:
            while self._waiting:
                await self._gather()
                size = min(self._most, len(self._waiting))
                await self._write_batch([self._waiting.popleft() for _ in range(size)])
        finally:
            self._idle_writers += 1

    async def _gather(self) -> None:
        """Let those in that are about to submit: wait while each turn of the loop brings more.

        On an idle machine that is a few turns, some microseconds; on a busy one it makes a transaction
        of fifty where there would be many of five.
        """
        quiet_turns = 0
        while quiet_turns < _QUIET_TURNS and len(self._waiting) < self._most:
            before = len(self._waiting)
            await asyncio.sleep(0)
            quiet_turns = quiet_turns + 1 if len(self._waiting) == before else 0

    async def _write_batch(self, batch: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        began = time.monotonic()
        try:
            results = await self._write([item for item, _ in batch])
        except DatabaseUnavailable as error:
            _fail(batch, error)
            if time.monotonic() - began > _IN_VAIN_SECONDS:
                # It was waited for, and did not come: those behind would wait as long, each batch in turn.
                _fail(self._waiting, error)
                self._waiting.clear()
        except Exception as error:
            if len(batch) == 1:
                _fail(batch, error)
                return
            for member in batch:
                await self._write_batch([member])
        else:
            for (_, done), result in zip(batch, results, strict=True):
                if not done.done():
                    done.set_result(result)
            self._after_commit()


def in_transactions(
    database: Database, write: Callable[[AsyncConnection, Sequence[Item]], Awaitable[Sequence[Result]]]
) -> Callable[[Sequence[Item]], Awaitable[Sequence[Result]]]:
    """The way of writing that has each group's transaction opened and committed around it."""

    async def write_group(items: Sequence[Item]) -> Sequence[Result]:
        async with database.transaction() as conn:
            return await write(conn, items)

    return write_group


def _fail(batch: Iterable[tuple[object, asyncio.Future[Result]]], error: Exception) -> None:
    for _, done in batch:
        if not done.done():
            done.set_exception(error)


def _mark_as_seen(done: asyncio.Future[Result]) -> None:
    """A caller that has gone away does not come to read the exception."""
    if not done.cancelled():
        done.exception()
