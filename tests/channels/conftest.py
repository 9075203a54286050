"""The sandbox, a provider that answers whatever a test wants, and the client that talks to both."""

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from notify_sandbox.testing import SandboxUnderTest, running_sandbox
from postroom.channels.govuk_notify import NotifyClient, NotifyClients


class Clock:
    """The time, moved by a test."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class Impostor:
    """A server that answers what it is told, and keeps what it was asked with."""

    def __init__(self) -> None:
        self.status = 200
        self.body = b""
        self.headers: dict[str, str] = {}
        self.tokens: list[str] = []
        self.paths: list[str] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.tokens.append(request.headers["Authorization"])
        self.paths.append(request.path_qs)
        return web.Response(status=self.status, body=self.body, headers=self.headers)


@pytest.fixture
async def impostor() -> AsyncIterator[Impostor]:
    server = Impostor()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", server.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield server
    await runner.cleanup()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def clients(clock: Clock) -> AsyncIterator[NotifyClients]:
    opened = NotifyClients(clock=clock, call_seconds=0.4)
    yield opened
    with contextlib.suppress(Exception):
        await opened.close()


@pytest.fixture
async def sandbox() -> AsyncIterator[SandboxUnderTest]:
    async with running_sandbox() as running:
        yield running


@pytest.fixture
async def client(clients: NotifyClients, sandbox: SandboxUnderTest) -> NotifyClient:
    return clients.of(base_url=sandbox.url, key=sandbox.api_key)
