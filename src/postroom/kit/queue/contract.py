"""What a job queue does here, whichever engine is behind it."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

from postroom.kit.database import AsyncConnection, Batch

Handle = Callable[[str], Coroutine[Any, Any, None]]
"""Does the step that is due for one id. It may be called twice for one job, and by two workers at once.

Where it raises, the job is handed out again after a while: soon, where it says that the database is not
available or too busy, for then it was most likely not begun.
"""

Slots = Mapping[int, int]
"""How many jobs of each lane may be in hand at once: a lane has its own, and never waits for another's."""


PATIENCE = timedelta(seconds=3.5)
"""How long a stop waits for what is in hand, from the signal on: the whole process is to end within 5 s."""


class Job(NamedTuple):
    id: str
    due_at: datetime
    lane: int = 0


class JobQueue(Protocol):
    async def put(self, conn: AsyncConnection, jobs: Sequence[Job]) -> None:
        """Queue the jobs with the caller's transaction; the same job twice is one."""

    def add(self, batch: Batch, jobs: Sequence[Job]) -> None:
        """Queue the jobs with the batch."""

    def ring(self) -> None:
        """Say, after the commit, that something may be due in this process."""

    async def run(self, *, handle: Handle, stop: asyncio.Event) -> None:
        """Hand out what is due until `stop`; then wait for what is in hand as long as the queue allows."""
