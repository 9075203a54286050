"""Runs a sandbox as a server, until it is cancelled or told to stop."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import msgspec
import uvicorn

from notify_sandbox.loopback import is_loopback
from notify_sandbox.sandbox import Sandbox
from notify_sandbox.settings import SandboxSettings

STOP_WITHIN = 2


class RemoteHostError(ValueError):
    """A sandbox has no passwords: it listens to this machine alone, unless it is told otherwise."""


class RunningServer:
    """A sandbox that answers."""

    def __init__(self, sandbox: Sandbox, uvicorn_server: uvicorn.Server, listener: socket.socket) -> None:
        self.sandbox = sandbox
        self._server = uvicorn_server
        self._address = listener.getsockname()[:2]
        self._away: asyncio.Task[None] | None = None
        host, port = self._address
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{port}"

    @property
    def listening(self) -> bool:
        return all(one.is_serving() for one in self._server.servers)

    def refuse_connections(self, seconds: float) -> None:
        """Stops listening for so long, and cuts the connections there are."""
        if self._away is None or self._away.done():
            self._away = asyncio.create_task(self._go_away(seconds))

    async def come_back(self) -> None:
        """Ends a time without listening at once."""
        if self._away is not None:
            self._away.cancel()
            await asyncio.gather(self._away, return_exceptions=True)

    async def _go_away(self, seconds: float) -> None:
        for one in self._server.servers:
            one.close()
        for connection in list(self._server.server_state.connections):
            transport = getattr(connection, "transport", None)
            if transport is not None:
                transport.abort()
        try:
            await asyncio.sleep(seconds)
        finally:
            self._server.servers = [await self._listen_again()]

    async def _listen_again(self) -> asyncio.Server:
        config, state = self._server.config, self._server.server_state
        settings = SandboxSettings(host=self._address[0], port=self._address[1])
        return await asyncio.get_running_loop().create_server(
            lambda: config.http_protocol_class(  # type: ignore[call-arg]
                config=config, server_state=state, app_state=self._server.lifespan.state
            ),
            sock=_listen(settings),
            backlog=config.backlog,
        )


async def serve(settings: SandboxSettings, *, on_ready: Callable[[str], None] | None = None) -> None:
    """Runs until SIGTERM, SIGINT, cancellation, or with `exit_with_parent` until standard input ends."""
    stop = asyncio.Event()
    with _told_by_signals(stop):
        async with running(settings) as server:
            if settings.ready is not None:
                write_ready(settings.ready, server)
            if on_ready is not None:
                on_ready(server.url)
            if settings.exit_with_parent:
                _watch_parent(stop)
            await stop.wait()


@contextlib.asynccontextmanager
async def running(settings: SandboxSettings) -> AsyncIterator[RunningServer]:
    """A sandbox in this event loop."""
    check_host(settings)
    sandbox = Sandbox(settings)
    app = sandbox.app()
    listener = _listen(settings)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=STOP_WITHIN - 1,
        backlog=2048,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    try:
        await sandbox.start()
        # Without uvicorn's own loop around it, which looks only every 0.1 s whether it should end.
        await server.startup(sockets=[listener])
        running = RunningServer(sandbox, server, listener)
        sandbox.controls.stop_listening = running.refuse_connections
        try:
            yield running
        finally:
            await running.come_back()
            sandbox.live.close()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(server.shutdown(), STOP_WITHIN)
    finally:
        listener.close()
        await sandbox.stop()


def check_host(settings: SandboxSettings) -> None:
    if not settings.allow_remote and not is_loopback(settings.host):
        raise RemoteHostError(
            f"{settings.host} can be reached from other machines, and a sandbox lets in everyone. "
            "Say --allow-remote if that is meant."
        )


def write_ready(path: Path, server: RunningServer) -> None:
    """Says that it is ready, all at once, for the owner alone."""
    body = msgspec.json.encode(
        {"url": server.url, "pid": os.getpid(), "services": server.sandbox.described()}
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, written = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "wb") as file:
        file.write(body)
    Path(written).replace(path)


def _listen(settings: SandboxSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # Without the protocol's number asyncio leaves out TCP_NODELAY, and each answer waits 40 ms for an ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError:
        listener.close()
        raise
    return listener


@contextlib.contextmanager
def _told_by_signals(stop: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    known = (signal.SIGTERM, signal.SIGINT)
    try:
        for number in known:
            loop.add_signal_handler(number, stop.set)
    except (NotImplementedError, RuntimeError, ValueError):
        # In a thread that is not the main one, whoever runs us cancels us.
        yield
        return
    try:
        yield
    finally:
        for number in known:
            loop.remove_signal_handler(number)


def _watch_parent(stop: asyncio.Event) -> None:
    """Standard input ends when the process that holds its other end does, however it died."""
    loop = asyncio.get_running_loop()

    def read() -> None:
        if not os.read(sys.stdin.fileno(), 4096):
            loop.remove_reader(sys.stdin.fileno())
            stop.set()

    os.set_blocking(sys.stdin.fileno(), False)
    loop.add_reader(sys.stdin.fileno(), read)
