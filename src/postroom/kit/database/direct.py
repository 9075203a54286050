"""PostgreSQL's driver by itself, for statements that are transactions by themselves.

Through SQLAlchemy such a statement costs this process five times as much. What is run most often goes this
way: what a request writes, a claim, and what came of it (docs/decisions/0029).
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
from sqlalchemy import URL

from postroom.kit.database.failures import DatabaseUnavailable, unavailable_named

_CONNECT_SECONDS = 5
_WAIT_SECONDS = 5
_CLOSE_SECONDS = 0.3


class Direct:
    """Connections of its own, `most` at once, opened as they are needed and kept."""

    def __init__(self, url: URL, *, most: int, answer_seconds: int, settings: Mapping[str, str]) -> None:
        self._dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._answer_seconds = answer_seconds
        self._settings = dict(settings)
        self._free = asyncio.Semaphore(most)
        self._idle: list[asyncpg.Connection[asyncpg.Record]] = []

    async def run(self, statement: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """The statement's rows, once it is committed.

        Ids in them are text, and moments in UTC, as everywhere here.
        """
        async with unavailable_named():
            await self._wait_for_a_place()
            try:
                return await self._run(statement, values)
            finally:
                self._free.release()

    async def close(self) -> None:
        """Close those that are not in use, or leave them where the server does not answer."""
        idle, self._idle = self._idle, []
        await asyncio.gather(*(connection.close(timeout=_CLOSE_SECONDS) for connection in idle))

    async def _wait_for_a_place(self) -> None:
        if not self._free.locked():
            await self._free.acquire()
            return
        async with asyncio.timeout(_WAIT_SECONDS):
            await self._free.acquire()

    async def _run(self, statement: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        connection = self._kept() or await self._open()
        try:
            rows: Sequence[Sequence[Any]] = await connection.fetch(statement, *values)
        except asyncpg.PostgresError:
            self._idle.append(connection)
            raise
        except (asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
            if connection.is_closed():
                raise DatabaseUnavailable(type(error).__name__) from None
            connection.terminate()
            raise
        except BaseException:
            # Cut off in the middle of an answer: who comes next waits for no rest of it.
            connection.terminate()
            raise
        self._idle.append(connection)
        return rows

    def _kept(self) -> "asyncpg.Connection[asyncpg.Record] | None":
        """The one that was used last; those that the server has closed meanwhile are passed over."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        return None

    async def _open(self) -> "asyncpg.Connection[asyncpg.Record]":
        connection = await asyncpg.connect(
            self._dsn,
            timeout=_CONNECT_SECONDS,
            command_timeout=self._answer_seconds,
            server_settings=self._settings,
        )
        try:
            await connection.set_type_codec(
                "uuid", schema="pg_catalog", encoder=str, decoder=str, format="text"
            )
        except BaseException:
            connection.terminate()
            raise
        return connection
