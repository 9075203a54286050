"""The floor of settling: a row kept and a row changed by the driver, with group commit, behind a bare
endpoint.

    receipts.py READY_FILE DATABASE_URL SERVICE_ID

Nobody is authenticated, nothing of the delivery's state is read, and nothing is decided.
"""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiosqlite
import asyncpg
import msgspec
import uuid_utils
import uvloop
from litestar import Litestar, Request, post

from bench.floors.accept import Batches, answer_for_ever, insert_arrays_into, insert_into, open_sqlite
from postroom.features.notifications.tables import receipts

Settled = tuple[tuple[Any, ...], tuple[Any, ...]]
UPDATE = "UPDATE deliveries SET status = 'delivered', completed_at = {}, due_at = NULL WHERE id = {}"


async def sqlite_writer(path: str) -> Any:
    connection: aiosqlite.Connection = await open_sqlite(path)
    keep, change = insert_into(receipts), UPDATE.format("?", "?")

    async def write(settled: Sequence[Settled]) -> None:
        await connection.execute("BEGIN IMMEDIATE")
        await connection.executemany(keep, [each[0] for each in settled])
        await connection.executemany(change, [each[1] for each in settled])
        await connection.commit()

    return write


async def postgres_writer(url: str) -> Any:
    connection = await asyncpg.connect(url)
    keep, change = await connection.prepare(insert_arrays_into(receipts)), UPDATE.format("$1", "$2")

    async def write(settled: Sequence[Settled]) -> None:
        async with connection.transaction():
            await keep.fetch(*zip(*(each[0] for each in settled), strict=True))
            await connection.executemany(change, [each[1] for each in settled])

    return write


def rows(body: bytes, *, service_id: str, is_postgres: bool) -> Settled:
    receipt = msgspec.json.decode(body)
    ids = [str(uuid_utils.uuid7()), service_id, receipt["reference"]]
    now: Any = datetime.now(UTC)
    if not is_postgres:
        now, ids = int(now.timestamp() * 1e6), [each.replace("-", "") for each in ids]
    made, service, delivery = ids
    return (made, service, receipt["id"], receipt["status"], delivery, now, True), (now, delivery)


async def serve(ready: Path, url: str, service_id: str) -> None:
    is_postgres = url.startswith("postgresql:")
    if is_postgres:
        batches = Batches([await postgres_writer(url) for _ in range(2)])
    else:
        batches = Batches([await sqlite_writer(url.removeprefix("sqlite:///"))])

    @post("/receipts/govuk-notify", status_code=204)
    async def take(request: Request[Any, Any, Any]) -> None:
        await batches.submit(rows(await request.body(), service_id=service_id, is_postgres=is_postgres))

    await answer_for_ever(Litestar([take], openapi_config=None, logging_config=None), ready)


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
