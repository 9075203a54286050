"""Where letters are made and looked at, away from the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from notify_sandbox.content import Content
from notify_sandbox.model import Notification, Service
from notify_sandbox.record import Row
from notify_sandbox.world import World

T = TypeVar("T")


class Letters:
    """One thread of its own: PDFium bears no more than one, and a letter must not hold up other answers."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sandbox-letters")

    async def prepare(self, sent: Notification, filled: Content, service: Service) -> None:
        """Notes what is known of a letter before it is printed."""

    async def inspect(self, sent: Notification, pdf: bytes) -> str | None:
        """Keeps a PDF that was handed over; the status that it ends with if it cannot be sent."""
        self._world.record.save([Row("letter", sent.id, pdf)])
        return None

    async def pdf(self, sent: Notification) -> bytes | None:
        """The letter as it would be printed."""
        return self._world.record.fetch("letter", sent.id)

    async def _away(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)
