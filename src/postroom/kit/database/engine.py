"""Opening a database, and the transactions on it."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import AsyncAdaptedQueuePool

from postroom.kit.database.asynchronous import AsyncConnection, AsyncEngine, create_async_engine
from postroom.kit.database.batch import Batch, Outdated, is_outdated

_SQLITE_READERS = 4
_LOCK_TIMEOUT = "5s"
_CLOSE_SECONDS = 0.3
_LOCK_NOT_AVAILABLE = "55P03"
_READ_ONLY = "25006"
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    # FULL: a commit is on the disk before its 201 leaves; NORMAL may lose the last ones in a power cut.
    "PRAGMA synchronous = FULL",
    "PRAGMA busy_timeout = 5000",
    "PRAGMA cache_size = -16000",
)


class DatabaseUnavailable(Exception):
    """The database did not answer, is full, or cut the connection; what was being written is not there."""


class LockTimeout(Exception):
    """Another transaction held what was wanted for longer than is waited; nothing was written."""


@dataclass(frozen=True, slots=True)
class Database:
    """Transactions for writing and for reading. On SQLite one writer at a time, readers beside it."""

    url: URL
    writer: AsyncEngine
    reader: AsyncEngine
    check_file: Callable[[Any], None] = lambda _: None
    """Of an SQLite database: DatabaseUnavailable where its file is not the one that was opened."""

    @property
    def is_postgres(self) -> bool:
        return self.url.get_backend_name() == "postgresql"

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that is committed at the end, or rolled back on any exception."""
        async with _unavailable_named(), self.writer.begin() as conn:
            yield conn

    def batch(self) -> Batch:
        return Batch(self.writer.dialect.name)

    async def write(self, batch: Batch) -> None:
        """Write all of the batch in a transaction of its own, or nothing of it, in one round trip.

        Outdated where it must change rows that are not as they were known.
        """
        if self.is_postgres:
            async with self.single() as conn:
                await _write_at_once(conn, batch)
        else:
            async with _unavailable_named(), self.writer.connect() as conn:
                self.check_file(None)
                driver: Any = (await conn.get_raw_connection()).driver_connection
                await driver._execute(batch.write_at_once, driver._conn)
        batch.say_that_it_is_written()

    @asynccontextmanager
    async def single(self) -> AsyncIterator[AsyncConnection]:
        """For one statement that is a transaction by itself, in one round trip. PostgreSQL alone has it."""
        async with _unavailable_named(), self.writer.connect() as conn:
            yield await conn.execution_options(isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[AsyncConnection]:
        """For one question alone: on PostgreSQL it costs one round trip, where `reading` costs three."""
        async with self.single() if self.is_postgres else self.reading() as conn:
            yield conn

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that only reads, waits for no writer, and sees one state from its first look on."""
        async with _unavailable_named(), self.reader.connect() as conn:
            yield conn

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that only reads, and all of which sees one state."""
        async with self.reading() as conn:
            if self.is_postgres:
                await conn.execution_options(isolation_level="REPEATABLE READ")
            yield conn

    async def close(self) -> None:
        """Close the connections, or leave them where the database does not answer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self.writer.dispose()
                if self.reader is not self.writer:
                    await self.reader.dispose()


def open_database(url: str, *, pool_size: int = 10) -> Database:
    """Open by `sqlite:///path`, or `postgresql://…`. Connects at the first use.

    `hide_parameters` keeps what was being written out of every error's text.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(parsed.set(drivername="sqlite+aiosqlite"))
    if parsed.get_backend_name() == "postgresql":
        engine = create_async_engine(
            parsed.set(drivername="postgresql+asyncpg"),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=5,
            pool_pre_ping=False,
            hide_parameters=True,
            connect_args={
                "timeout": 5,
                "command_timeout": 30,
                "server_settings": {"application_name": "postroom", "lock_timeout": _LOCK_TIMEOUT},
            },
        )
        # The same connections: who reads sees one state of the database, however many statements they need.
        reader = engine.execution_options(isolation_level="REPEATABLE READ")
        return Database(url=engine.url, writer=engine, reader=reader)
    raise ValueError("DATABASE_URL must begin with sqlite:/// or postgresql://")


def _open_sqlite(url: URL) -> Database:
    writer = _sqlite_engine(url, connections=1)
    reader = _sqlite_engine(url, connections=_SQLITE_READERS)
    file = _File(url.database or "")
    for engine in (writer, reader):
        event.listen(engine.sync_engine, "do_connect", file.check_before_connecting)
        event.listen(engine.sync_engine, "begin", file.check)
    event.listen(writer.sync_engine, "begin", _begin_immediate)
    event.listen(reader.sync_engine, "begin", _begin)
    return Database(url=writer.url, writer=writer, reader=reader, check_file=file.check)


def _sqlite_engine(url: URL, *, connections: int) -> AsyncEngine:
    engine = create_async_engine(
        url,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=5,
        hide_parameters=True,
    )
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _: Any) -> None:
    # The driver's own transaction handling would begin them late; ours begin where they are opened.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


class _File:
    """The file of an SQLite database: the one that is there when the first transaction begins.

    What is written to a file that was deleted or replaced goes with the process: that is refused, until the
    file is back or the process starts again.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._known: tuple[int, int] | None = None

    def check(self, _: Any) -> None:
        try:
            found = os.stat(self._path)
        except FileNotFoundError:
            raise DatabaseUnavailable("the database's file is gone") from None
        if self._known is None:
            self._known = found.st_dev, found.st_ino
        elif self._known != (found.st_dev, found.st_ino):
            raise DatabaseUnavailable("the database's file is another")

    def check_before_connecting(self, *_: Any) -> None:
        """Connecting would make a new file where the known one is gone."""
        if self._known is not None:
            self.check(None)


def _begin_immediate(conn: Any) -> None:
    conn.exec_driver_sql("BEGIN IMMEDIATE")


def _begin(conn: Any) -> None:
    conn.exec_driver_sql("BEGIN")


async def _write_at_once(conn: AsyncConnection, batch: Batch) -> None:
    try:
        await conn.exec_driver_sql(*batch.as_one())
    except DBAPIError as error:
        if is_outdated(_state(error)):
            raise Outdated from None
        raise


@asynccontextmanager
async def _unavailable_named() -> AsyncIterator[None]:
    """Turns every driver's way of saying "not now" into one exception without parameters."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeoutError, sqlite3.OperationalError) as error:
        raise DatabaseUnavailable(type(error).__name__) from None
    except DBAPIError as error:
        if _state(error) == _LOCK_NOT_AVAILABLE:
            raise LockTimeout from None
        if error.connection_invalidated or _is_resource_error(error):
            raise DatabaseUnavailable(type(error).__name__) from None
        _silence(error)
        raise
    except (TimeoutError, ConnectionError, OSError) as error:
        raise DatabaseUnavailable(type(error).__name__) from None
    except Exception as error:
        # What the driver says while it connects comes as it is: that the server starts, or is full.
        if _is_resource_error(error):
            raise DatabaseUnavailable(type(error).__name__) from None
        raise


def _is_resource_error(error: Exception) -> bool:
    """PostgreSQL's classes 08 (connection), 53 (disk full, too many), 57 (shutting down), 58 (I/O).

    And a server that only reads: the one that wrote has gone, and this one does not know it yet.
    """
    state = _state(error)
    return state[:2] in {"08", "53", "57", "58"} or state == _READ_ONLY


def _silence(error: DBAPIError) -> None:
    """Leave an error its class and its statement: PostgreSQL's and its driver's words quote values."""
    told = f"{type(error.orig).__name__} {_state(error)}".strip()
    each: BaseException | None = error
    while each is not None:
        each.args = (told,)
        if hasattr(each, "detail"):
            each.detail = [] if each is error else None
        each = each.orig if isinstance(each, DBAPIError) else each.__cause__


def _state(error: Exception) -> str:
    said = error.orig if isinstance(error, DBAPIError) else error
    return getattr(said, "sqlstate", None) or getattr(said, "pgcode", None) or ""
