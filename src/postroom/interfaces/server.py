"""The API and the pages as a server: one port, and which of the two answers a request."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from postroom.app import App
from postroom.interfaces.api.application import build_api
from postroom.interfaces.api.connection import CONNECTION
from postroom.interfaces.web.application import build_pages
from postroom.interfaces.web.paths import is_of_pages

_GRACE_SECONDS = 3


@asynccontextmanager
async def answering(app: App, listener: socket.socket, *, stop: asyncio.Event) -> AsyncIterator[None]:
    """Answers on the listener inside; `stop` is set where the server ends by itself."""
    config = uvicorn.Config(
        _doors(app),
        interface="asgi3",
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    serving.add_done_callback(lambda _: stop.set())
    while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.005)
    try:
        yield
    finally:
        server.should_exit = True
        await serving


def _doors(app: App) -> Any:
    """The API, and beside it the pages: they answer below the first parts of paths that are theirs."""
    api = build_api(app)
    if not app.settings.pages.on:
        return api
    pages, prefix = build_pages(app), app.settings.api_prefix

    def door(scope: Any, receive: Any, send: Any) -> Any:
        path = scope["path"] if scope["type"] == "http" else ""
        if prefix and path.startswith(f"{prefix}/"):
            path = path[len(prefix) :]
        return (pages if is_of_pages(path) else api)(scope, receive, send)

    return door


class _Protocol(HttpToolsProtocol):
    """Lets an endpoint have the connection, as Connection says."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {CONNECTION: self}  # type: ignore[dict-item]

    def break_off(self) -> None:
        self.transport.abort()

    def take_over(self, protocol: asyncio.Protocol) -> None:
        if self.transport.is_closing():
            protocol.connection_lost(None)
            return
        self.flow.resume_reading()
        # To this server it is lost; with an error, for without one the transport would be closed.
        self.connection_lost(ConnectionAbortedError())
        del self.scope["extensions"]  # or it would hold itself
        self.transport.set_protocol(protocol)
        protocol.connection_made(self.transport)


class _Server(uvicorn.Server):
    """Leaves signals to whoever runs it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
