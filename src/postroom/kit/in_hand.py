"""What one process is doing at this moment, for whom, and how it ends: calls to addresses of others."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

Key = TypeVar("Key")


class InHand(Generic[Key]):
    """Tasks, each for a key. `let_go` is called whenever one has ended."""

    def __init__(self, *, let_go: Callable[[], None]) -> None:
        self._let_go = let_go
        self._numbers: Counter[Key] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()

    def number_for(self, key: Key) -> int:
        return self._numbers[key]

    def total(self) -> int:
        return len(self._tasks)

    def begin(self, key: Key, work: Coroutine[Any, Any, None]) -> None:
        """Do it beside everything else."""
        self._numbers[key] += 1
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(lambda ended: self._end(key, ended))

    async def idle(self) -> None:
        """Wait until nothing is in hand."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def finish(self, *, within: float) -> None:
        """Wait for so many seconds; then leave what is in hand still."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=within)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _end(self, key: Key, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self._numbers[key] -= 1
        if not self._numbers[key]:
            # Others name the addresses: none is remembered for ever.
            del self._numbers[key]
        self._let_go()
