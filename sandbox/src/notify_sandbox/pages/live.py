"""Tells open pages that there is something new to see."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream

from notify_sandbox.model import Notification
from notify_sandbox.world import World

AT_MOST_EVERY = 0.3
SIGN_OF_LIFE = 15.0


class Live:
    """Says only that something changed: what it is, the page asks for itself."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._watchers: set[asyncio.Event] = set()
        self._moving_until = 0.0
        self._closing = False
        world.listeners.add(self._changed)

    def close(self) -> None:
        self._closing = True
        for watcher in self._watchers:
            watcher.set()

    def handlers(self) -> list[HTTPRouteHandler]:
        @get("/sandbox/events")
        async def events(request: Request[Any, Any, Any]) -> Stream:
            headers = {"Cache-Control": "no-store"}
            return Stream(self._stream(), media_type="text/event-stream", headers=headers)

        return [events]

    def _changed(self, sent: Notification) -> None:
        self._moving_until = max(self._moving_until, sent.steps[-1][0])
        for watcher in self._watchers:
            watcher.set()

    async def _stream(self) -> AsyncIterator[bytes]:
        watcher = asyncio.Event()
        self._watchers.add(watcher)
        try:
            yield b": open\n\n"
            while not self._closing:
                yield b"event: changed\ndata: 1\n\n" if await self._is_new(watcher) else b": still here\n\n"
                await asyncio.sleep(AT_MOST_EVERY)
        finally:
            self._watchers.discard(watcher)

    async def _is_new(self, watcher: asyncio.Event) -> bool:
        """Waits for a message, or for the next moment while courses are under way."""
        moving = self._world.now() <= self._moving_until + AT_MOST_EVERY
        try:
            await asyncio.wait_for(watcher.wait(), AT_MOST_EVERY if moving else SIGN_OF_LIFE)
        except TimeoutError:
            return moving
        watcher.clear()
        return True
