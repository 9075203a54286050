"""A wake-up within one process: "something may be due", without saying what."""

import asyncio
from datetime import timedelta


class Wakeup:
    """Many may ring; one waits. Rings that come together wake once."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        self._event.set()

    async def wait(self, *, at_most: timedelta) -> None:
        """Return at the next ring (or at one that came since the last wait), else after that time."""
        try:
            async with asyncio.timeout(at_most.total_seconds()):
                await self._event.wait()
        except TimeoutError:
            return
        finally:
            self._event.clear()
