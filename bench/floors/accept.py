"""The floor of accepting: the same rows, by the same driver, with group commit, behind a bare endpoint.

    accept.py READY_FILE DATABASE_URL

The rows are the notification, its delivery, and on PostgreSQL the job that tells a worker of it: without
one an email would lie there. On SQLite the delivery is the job. PgQueuer's own way to put one in writes a
row more and costs more than the statement here.

Nobody is authenticated, nothing is read, checked or sealed: the body goes into the row as it came. The
tables and their indexes are Postroom's, and so are Litestar, uvicorn, uvloop and httptools.
"""

import asyncio
import socket
import sys
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiosqlite
import asyncpg
import uuid_utils
import uvicorn
import uvloop
from litestar import Litestar, Request, Response, post
from sqlalchemy.dialects import postgresql

from bench.ready import say_ready
from postroom.app import migrate_database
from postroom.features.notifications.tables import deliveries, notifications
from postroom.kit.database import open_database

Pair = tuple[tuple[Any, ...], tuple[Any, ...]]
Write = Callable[[Sequence[Pair]], Awaitable[None]]

MOST = 64
SOMEBODY = uuid.UUID(int=1)
INDEX = b"0123456789abcdef"
ENQUEUE = (
    "INSERT INTO pgqueuer (priority, entrypoint, payload, execute_after, dedupe_key, status)"
    " SELECT 0, 'delivery', payload, now(), encode(payload, 'escape'), 'queued'"
    " FROM unnest($1::bytea[]) AS job (payload)"
)


class Batches:
    """Group commit at its plainest: whoever arrives while a transaction runs shares the next one."""

    def __init__(self, writers: Sequence[Write]) -> None:
        self._idle = list(writers)
        self._waiting: list[tuple[Pair, asyncio.Future[None]]] = []
        self._running: set[asyncio.Task[None]] = set()

    async def submit(self, pair: Pair) -> None:
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((pair, done))
        if self._idle:
            task = asyncio.create_task(self._drain(self._idle.pop()))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        await done

    async def _drain(self, write: Write) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            try:
                await write([pair for pair, _ in batch])
            except Exception as error:
                for _, done in batch:
                    done.set_exception(error)
                raise
            for _, done in batch:
                done.set_result(None)
        self._idle.append(write)


async def sqlite_writer(path: str) -> Write:
    connection = await open_sqlite(path)
    into_notifications = insert_into(notifications)
    into_deliveries = insert_into(deliveries)

    async def write(pairs: Sequence[Pair]) -> None:
        await connection.execute("BEGIN IMMEDIATE")
        await connection.executemany(into_notifications, [pair[0] for pair in pairs])
        await connection.executemany(into_deliveries, [pair[1] for pair in pairs])
        await connection.commit()

    return write


async def open_sqlite(path: str) -> aiosqlite.Connection:
    connection = await aiosqlite.connect(path, isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -16000"):
        await connection.execute(f"PRAGMA {pragma}")
    return connection


async def postgres_writer(url: str) -> Write:
    connection = await asyncpg.connect(url)
    into_notifications = await connection.prepare(insert_arrays_into(notifications))
    into_deliveries = await connection.prepare(insert_arrays_into(deliveries))
    into_queue = await connection.prepare(ENQUEUE)

    async def write(pairs: Sequence[Pair]) -> None:
        async with connection.transaction():
            await into_notifications.fetch(*zip(*(pair[0] for pair in pairs), strict=True))
            await into_deliveries.fetch(*zip(*(pair[1] for pair in pairs), strict=True))
            await into_queue.fetch([str(pair[1][0]).encode() for pair in pairs])

    return write


def insert_arrays_into(table: Any) -> str:
    """The fastest way that the driver has: all rows in one statement, each column an array."""
    names = ", ".join(column.name for column in table.columns)
    arrays = ", ".join(
        f"${place}::{column.type.compile(dialect=postgresql.dialect())}[]"
        for place, column in enumerate(table.columns, start=1)
    )
    return f"INSERT INTO {table.name} ({names}) SELECT * FROM unnest({arrays})"


def insert_into(table: Any) -> str:
    names = ", ".join(column.name for column in table.columns)
    places = ", ".join("?" for _ in table.columns)
    return f"INSERT INTO {table.name} ({names}) VALUES ({places})"


def rows(body: bytes, *, is_postgres: bool) -> Pair:
    """Every column that an accepted email has, as the driver wants it."""
    now: Any = datetime.now(UTC)
    ids: list[Any] = [uuid_utils.uuid7(), uuid_utils.uuid7(), SOMEBODY]
    if not is_postgres:
        now, ids = int(now.timestamp() * 1e6), [each.hex for each in ids]
    notification_id, delivery_id, somebody = ids
    notification = {
        "id": notification_id,
        "service_id": somebody,
        "channels": 2,
        "extra_channels": 0,
        "template_id": str(SOMEBODY),
        "template_ids": f'{{"Email":"{SOMEBODY}"}}',
        "template_unchecked": False,
        "require_action": False,
        "personal": body,
        "email_index": INDEX,
        "created_at": now,
        "version": 1,
    }
    delivery = {
        "id": delivery_id,
        "notification_id": notification_id,
        "service_id": somebody,
        "credential_id": somebody,
        "channel": "Email",
        "template_id": somebody,
        "status": "pending",
        "created_at": now,
        "due_at": now,
        "attempts": 0,
        "looks": 0,
        "polls": 0,
        "lane": 0,
        "recipient_index": INDEX,
        "international": False,
    }
    return in_order(notifications, notification), in_order(deliveries, delivery)


def in_order(table: Any, row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row.get(column.name) for column in table.columns)


async def serve(ready: Path, url: str) -> None:
    database = open_database(url)
    await migrate_database(database)
    await database.close()
    is_postgres = url.startswith("postgresql:")
    if is_postgres:
        batches = Batches([await postgres_writer(url) for _ in range(2)])
    else:
        batches = Batches([await sqlite_writer(url.removeprefix("sqlite:///"))])

    @post("/notifications")
    async def accept(request: Request[Any, Any, Any]) -> Response[bytes]:
        pair = rows(await request.body(), is_postgres=is_postgres)
        await batches.submit(pair)
        return Response(content=b'{"id":"%s"}' % str(pair[0][0]).encode(), media_type="application/json")

    await answer_for_ever(Litestar([accept], openapi_config=None, logging_config=None), ready)


async def answer_for_ever(app: Litestar, ready: Path) -> None:
    """As Postroom answers: by uvicorn with httptools, and no line a request."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    config = uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
    )
    serving = asyncio.create_task(uvicorn.Server(config).serve(sockets=[listener]))
    say_ready(ready, port=listener.getsockname()[1])
    await serving


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1]), sys.argv[2]))
