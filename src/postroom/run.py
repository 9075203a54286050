"""Runs the doors: which of them together, from which settings, until when."""

import asyncio
import contextlib
import gc
import resource
import signal
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import uvloop

from postroom.app import App, migrate_database, running_app
from postroom.interfaces.worker import run_worker
from postroom.kit import log as logs
from postroom.kit.database import open_database
from postroom.settings import BadSettings, Settings

_BACKLOG = 2048
_NEW_BEFORE_COLLECTING = 20_000


def run_serve(settings: Settings) -> None:
    """API and worker in one process."""
    _run(settings, lambda stop: serve(settings, api=True, worker=True, stop=stop))


def run_api(settings: Settings) -> None:
    _need_postgres(settings, "postroom api")
    _run(settings, lambda stop: serve(settings, api=True, worker=False, stop=stop))


def run_worker_alone(settings: Settings) -> None:
    _need_postgres(settings, "postroom worker")
    _run(settings, lambda stop: serve(settings, api=False, worker=True, stop=stop))


def run_migrate(settings: Settings) -> bool:
    """Bring the tables to the current version; whether anything was to be done."""

    async def work() -> bool:
        database = open_database(settings.database_url)
        try:
            return await migrate_database(database)
        finally:
            await database.close()

    changed: bool = run_async(work())
    return changed


def run_async(work: Coroutine[Any, Any, Any]) -> Any:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


async def serve(settings: Settings, *, api: bool, worker: bool, stop: asyncio.Event) -> None:
    """The doors that are asked for, over one app, until `stop`."""
    listener = listen(settings.host, settings.port) if api else None
    async with running_app(settings) as app:
        await run_doors(app, listener=listener, worker=worker, stop=stop)


async def run_doors(
    app: App,
    *,
    listener: socket.socket | None,
    worker: bool,
    stop: asyncio.Event,
    started: Callable[[], None] = lambda: None,
) -> None:
    """Run API and worker until `stop`, or until one of them fails; `started` is called once they answer."""
    answered = contextlib.nullcontext() if listener is None else _answering(app, listener, stop)
    _spare_the_collector()
    async with asyncio.TaskGroup() as group:
        group.create_task(app.live.run(stop=stop))
        if worker:
            group.create_task(run_worker(app, stop=stop))
        async with answered:
            started()
            await stop.wait()


def _answering(
    app: App, listener: socket.socket, stop: asyncio.Event
) -> contextlib.AbstractAsyncContextManager[None]:
    # Imported only here: a worker carries no API and no pages in its memory.
    from postroom.interfaces.server import answering

    return answering(app, listener, stop=stop)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. BadSettings where it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Unless it is said that this is TCP, asyncio lets an answer's body wait for its headers' acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise BadSettings(f"cannot listen on {host}, port {port}: {error.strerror}; choose another") from None
    listener.listen(_BACKLOG)
    return listener


def _spare_the_collector() -> None:
    """What is loaded stays: it is not looked through again for garbage with every few hundred requests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_BEFORE_COLLECTING, 20, 50)


@asynccontextmanager
async def told_to_stop() -> AsyncIterator[asyncio.Event]:
    """An event that SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def _run(settings: Settings, work: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    logs.configure(level=settings.log_level)
    _allow_many_connections()

    async def until_told() -> None:
        async with told_to_stop() as stop:
            await work(stop)

    run_async(until_told())


def _allow_many_connections() -> None:
    """Thousands of streams need as many files; what a process is given at first is often 1,024 of them."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    # macOS says that there is no limit, and refuses to have none.
    with contextlib.suppress(ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _need_postgres(settings: Settings, command: str) -> None:
    if not settings.database_url.startswith("postgresql://"):
        raise BadSettings(
            f"{command} runs beside other processes and needs PostgreSQL: set DATABASE_URL=postgresql://…, "
            "or use postroom serve, which does all in one process on SQLite"
        )
