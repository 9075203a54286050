"""PostgreSQL's driver by itself, for statements that are transactions by themselves.

Through SQLAlchemy such a statement costs this process five times as much. What is run most often goes this
way: what a request writes, a claim, and what came of it (docs/decisions/0029).
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import asyncpg
from sqlalchemy import URL

from postroom.kit.database.failures import DatabaseUnavailable, unavailable_named

_CONNECT_SECONDS = 5
_WAIT_SECONDS = 5
_CLOSE_SECONDS = 0.3
_LEAVE_SECONDS = 2


def connect_options(url: URL) -> dict[str, Any]:
    """What `asyncpg.connect` is given for that URL, as SQLAlchemy has it."""
    dialect = url.set(drivername="postgresql+asyncpg").get_dialect()()
    _, options = dialect.create_connect_args(url)
    return dict(options)


class Direct:
    """Connections of its own, `most` at once, opened as they are needed and kept."""

    def __init__(self, url: URL, *, most: int, answer_seconds: int, settings: Mapping[str, str]) -> None:
        self._options = {
            **connect_options(url),
            "timeout": _CONNECT_SECONDS,
            "command_timeout": answer_seconds,
            "server_settings": dict(settings),
        }
        self._free = asyncio.Semaphore(most)
        self._idle: list[asyncpg.Connection[asyncpg.Record]] = []
        self._leaving: set[asyncio.Task[None]] = set()
        self._is_closed = False

    async def run(self, statement: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """The statement's rows, once it is committed.

        Ids in them are text, and moments in UTC, as everywhere here.
        """
        async with unavailable_named():
            connection = await self._take()
            try:
                rows: Sequence[Sequence[Any]] = await connection.fetch(statement, *values)
            except asyncpg.PostgresError:
                self._keep(connection)
                raise
            except BaseException as error:
                was_closed = connection.is_closed()
                self._leave(connection)
                if was_closed and isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError):
                    raise DatabaseUnavailable(type(error).__name__) from None
                raise
            self._keep(connection)
            return rows

    async def close(self) -> None:
        """Close those that are not in use, or leave them where the server does not answer."""
        self._is_closed = True
        idle, self._idle = self._idle, []
        try:
            closing = (_close(connection, within=_CLOSE_SECONDS) for connection in idle)
            await asyncio.gather(*closing, *self._leaving, return_exceptions=True)
        finally:
            for connection in idle:
                if not connection.is_closed():
                    connection.terminate()

    async def _take(self) -> "asyncpg.Connection[asyncpg.Record]":
        if self._free.locked():
            async with asyncio.timeout(_WAIT_SECONDS):
                await self._free.acquire()
        else:
            await self._free.acquire()
        try:
            return self._used_last() or await self._open()
        except BaseException:
            self._free.release()
            raise

    def _used_last(self) -> "asyncpg.Connection[asyncpg.Record] | None":
        """Those of which it is known that the server has closed them meanwhile are passed over."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        return None

    async def _open(self) -> "asyncpg.Connection[asyncpg.Record]":
        connection = await asyncpg.connect(**self._options)
        try:
            await connection.set_type_codec(
                "uuid", schema="pg_catalog", encoder=str, decoder=str, format="text"
            )
        except BaseException:
            connection.terminate()
            raise
        return connection

    def _keep(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        if self._is_closed:
            connection.terminate()
        else:
            self._idle.append(connection)
        self._free.release()

    def _leave(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        """Close it beside what goes on: first the server is told to give up what it still does.

        Merely cut off, it would go on, and commit what the caller was told is not there. Until then its place
        is taken.
        """
        task = asyncio.create_task(_close(connection, within=_LEAVE_SECONDS))
        self._leaving.add(task)
        task.add_done_callback(self._left)

    def _left(self, task: "asyncio.Task[None]") -> None:
        self._leaving.discard(task)
        self._free.release()


async def _close(connection: "asyncpg.Connection[asyncpg.Record]", *, within: float) -> None:
    # Where it raises, the driver has cut it off.
    with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
        await connection.close(timeout=within)
