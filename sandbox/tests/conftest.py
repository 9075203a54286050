"""A sandbox and a callback that tests can look into, both real servers in the test's own loop."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp import web

from notify_sandbox.testing import SandboxUnderTest, running_sandbox


class CallbackServer:
    """A service's callback: keeps what it is given, and answers what it is told to."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, object]] = []
        self.tokens: list[str | None] = []
        self.answers: list[int] = []
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.json())
        self.tokens.append(request.headers.get("Authorization"))
        return web.Response(status=self.answers.pop(0) if self.answers else 204)

    async def wait_for(self, count: int, *, seconds: float = 5.0) -> list[dict[str, object]]:
        await until(lambda: len(self.bodies) >= count, seconds=seconds)
        return self.bodies


async def until(true: Callable[[], bool], *, seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to pass"
        await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def callback_server() -> AsyncIterator[CallbackServer]:
    callback = CallbackServer()
    app = web.Application()
    app.router.add_post("/receipts", callback.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    callback.url = f"{site.name.rstrip('/')}/receipts"
    host, port = runner.addresses[0][:2]
    callback.url = f"http://{host}:{port}/receipts"
    try:
        yield callback
    finally:
        await runner.cleanup()


@pytest.fixture
async def callback() -> AsyncIterator[CallbackServer]:
    async with callback_server() as server:
        yield server


@pytest.fixture
async def sandbox(callback: CallbackServer) -> AsyncIterator[SandboxUnderTest]:
    async with running_sandbox(callback_url=callback.url, callback_token="a-token") as running:
        yield running
