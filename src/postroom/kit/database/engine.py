"""Opening a database, and the transactions on it."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import AsyncAdaptedQueuePool

from postroom.kit.database.asynchronous import AsyncConnection, AsyncEngine, create_async_engine
from postroom.kit.database.batch import Batch, Outdated, is_outdated
from postroom.kit.database.failures import DatabaseUnavailable, state_of, unavailable_named
from postroom.kit.database.statement import Statement

if TYPE_CHECKING:
    from postroom.kit.database.direct import Direct

_SQLITE_READERS = 4
_DIRECT_CONNECTIONS = 4
_ANSWER_SECONDS = 30
_SETTINGS = {"application_name": "postroom", "lock_timeout": "5s"}
_CLOSE_SECONDS = 0.3
Found = TypeVar("Found")

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    # FULL: a commit is on the disk before its 201 leaves; NORMAL may lose the last ones in a power cut.
    "PRAGMA synchronous = FULL",
    "PRAGMA busy_timeout = 5000",
    "PRAGMA cache_size = -16000",
)


@dataclass(frozen=True, slots=True)
class Database:
    """Transactions for writing and for reading. On SQLite one writer at a time, readers beside it."""

    url: URL
    writer: AsyncEngine
    reader: AsyncEngine
    check_file: Callable[[Any], None] = lambda _: None
    """Of an SQLite database: DatabaseUnavailable where its file is not the one that was opened."""
    direct: "Direct | None" = None
    """PostgreSQL's alone."""

    @property
    def is_postgres(self) -> bool:
        return self.direct is not None

    @property
    def dialect(self) -> str:
        return self.writer.dialect.name

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that is committed at the end, or rolled back on any exception."""
        async with unavailable_named(), self.writer.begin() as conn:
            yield conn

    def batch(self) -> Batch:
        return Batch(self.dialect)

    async def write(self, batch: Batch) -> None:
        """Write all of the batch in a transaction of its own, or nothing of it, in one round trip.

        Outdated where it must change rows that are not as they were known.
        """
        if self.direct is not None:
            await _write_at_once(self.direct, batch)
        else:
            await self._in_one_turn(self.writer, batch.write_at_once)
        batch.say_that_it_is_written()

    async def run(self, statement: Statement, **values: Any) -> Sequence[Sequence[Any]]:
        """Run a statement in a transaction of its own, in one round trip; its rows.

        On SQLite it can only read.
        """
        compiled = statement.compiled(self.writer.dialect)
        given = compiled.values(values)
        if self.direct is not None:
            return await self.direct.run(compiled.text, given)
        return compiled.rows(
            await self._in_one_turn(
                self.reader, lambda driver: driver.execute(compiled.text, given).fetchall()
            )
        )

    async def _in_one_turn(self, engine: AsyncEngine, work: Callable[[Any], Found]) -> Found:
        """Do something with a connection of Python's sqlite3, in one turn of its thread."""
        async with unavailable_named(), engine.connect() as conn:
            self.check_file(None)
            # The driver's own way to do something in its thread, as SQLAlchemy's adapter uses it too.
            driver: Any = (await conn.get_raw_connection()).driver_connection
            found: Found = await driver._execute(work, driver._conn)
            return found

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[AsyncConnection]:
        """For one question alone: on PostgreSQL it costs one round trip, where `reading` costs three."""
        async with self.reading() as conn:
            if self.is_postgres:
                await conn.execution_options(isolation_level="AUTOCOMMIT")
            yield conn

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that only reads, waits for no writer, and sees one state from its first look on."""
        async with unavailable_named(), self.reader.connect() as conn:
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
                await asyncio.gather(
                    self.writer.dispose(),
                    *([self.reader.dispose()] if self.direct is None else [self.direct.close()]),
                )


def open_database(url: str, *, pool_size: int = 10) -> Database:
    """Open by `sqlite:///path`, or `postgresql://…`. Connects at the first use.

    `hide_parameters` keeps what was being written out of every error's text.
    """
    parsed = _with_ssl(make_url(url))
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(parsed.set(drivername="sqlite+aiosqlite"))
    if parsed.get_backend_name() == "postgresql":
        return _open_postgres(parsed.set(drivername="postgresql+asyncpg"), pool_size)
    raise ValueError("DATABASE_URL must begin with sqlite:/// or postgresql://")


def _with_ssl(url: URL) -> URL:
    """The driver's name for what all others of PostgreSQL call `sslmode`."""
    mode = url.query.get("sslmode")
    return url if mode is None else url.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})


def _open_postgres(url: URL, pool_size: int) -> Database:
    from postroom.kit.database.direct import Direct

    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=5,
        pool_pre_ping=False,
        hide_parameters=True,
        connect_args={"timeout": 5, "command_timeout": _ANSWER_SECONDS, "server_settings": _SETTINGS},
    )
    event.listen(engine.sync_engine, "checkout", _pass_over_if_closed)
    return Database(
        url=engine.url,
        writer=engine,
        # The same connections: who reads sees one state of the database, however many statements they need.
        reader=engine.execution_options(isolation_level="REPEATABLE READ"),
        direct=Direct(url, most=_DIRECT_CONNECTIONS, answer_seconds=_ANSWER_SECONDS, settings=_SETTINGS),
    )


def _pass_over_if_closed(connection: Any, *_: Any) -> None:
    """Of what the server has closed, as a rule the driver knows: the pool opens another then."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError


def _open_sqlite(url: URL) -> Database:
    writer = _sqlite_engine(url, connections=1)
    reader = _sqlite_engine(url, connections=_SQLITE_READERS)
    file = _File(url.database or "")
    for engine in (writer, reader):
        event.listen(engine.sync_engine, "do_connect", file.check_before_connecting)
        event.listen(engine.sync_engine, "begin", file.check)
    event.listen(writer.sync_engine, "begin", _begin_immediate)
    event.listen(reader.sync_engine, "begin", _begin)
    event.listen(reader.sync_engine, "connect", _let_it_only_read)
    return Database(url=writer.url, writer=writer, reader=reader, check_file=file.check)


def _sqlite_engine(url: URL, *, connections: int) -> AsyncEngine:
    engine = create_async_engine(
        url,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=5,
        # Whoever opens a transaction ends it: to roll back what is none would cost a turn of the thread.
        pool_reset_on_return=None,
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


def _let_it_only_read(connection: Any, _: Any) -> None:
    """What writes has its place in the one writer's line."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA query_only = ON")
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


async def _write_at_once(direct: "Direct", batch: Batch) -> None:
    try:
        await direct.run(*batch.as_one())
    except Exception as error:
        if is_outdated(state_of(error)):
            raise Outdated from None
        raise
