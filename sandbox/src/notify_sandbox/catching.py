"""A callback for tests: a real server that keeps the receipts that it is given, and answers as it is told."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from aiohttp import web


class CallbackServer:
    """`answers` are given one after the other, then 204."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.tokens: list[str | None] = []
        self.answers: list[int] = []
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.json())
        self.tokens.append(request.headers.get("Authorization"))
        return web.Response(status=self.answers.pop(0) if self.answers else 204)

    async def wait_for(self, count: int, *, seconds: float = 5.0) -> list[dict[str, Any]]:
        """The receipts, once there are so many."""
        await until(lambda: len(self.bodies) >= count, seconds=seconds)
        return self.bodies


async def until(true: Callable[[], bool], *, seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(f"it did not come to pass in {seconds} s")
        await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def callback_server() -> AsyncIterator[CallbackServer]:
    callback = CallbackServer()
    app = web.Application()
    app.router.add_post("/receipts", callback.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    callback.url = f"http://{host}:{port}/receipts"
    try:
        yield callback
    finally:
        await runner.cleanup()
