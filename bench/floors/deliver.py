"""The floor of sending: an engine that hands out jobs, a call for each, and nothing else recorded.

    deliver.py READY_FILE DATABASE_URL NOTIFY_URL JOBS

On PostgreSQL it is PgQueuer as it comes, with the slots and the batches of Postroom's worker. On SQLite it
is a loop over a table: whatever is due and fits is called, and what was answered is marked, many together.
"""

import asyncio
import sys
import uuid
from pathlib import Path

import aiohttp
import aiosqlite
import asyncpg
import uvloop
from pgqueuer import AsyncpgDriver, Job, Queries, QueueManager

from bench.office import NOTIFY_KEY, PERSONALISATION
from bench.ready import say_ready
from bench.stub import TEMPLATES

SLOTS = 64
BATCH = 32
TABLE = (
    "CREATE TABLE jobs (id TEXT PRIMARY KEY, due_at INTEGER);"
    "CREATE INDEX ix_jobs_due ON jobs (due_at) WHERE due_at IS NOT NULL;"
)


class Caller:
    """The call that Postroom makes for an email."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/v2/notifications/email"
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=2 * SLOTS),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {NOTIFY_KEY}"},
        )

    async def call(self, reference: str) -> None:
        body = {
            "email_address": "amala@example.com",
            "template_id": TEMPLATES["email"],
            "personalisation": PERSONALISATION,
            "reference": reference,
        }
        async with self._session.post(self._url, json=body) as answer:
            await answer.read()


async def on_postgres(ready: Path, url: str, caller: Caller, jobs: int) -> None:
    connection = await asyncpg.connect(url)
    queries = Queries(AsyncpgDriver(connection))
    await queries.install()
    payloads: list[bytes | None] = [str(uuid.uuid4()).encode() for _ in range(jobs)]
    await queries.enqueue(["send"] * jobs, payloads, [0] * jobs)
    manager = QueueManager(queries)

    @manager.entrypoint("send")
    async def send(job: Job) -> None:
        await caller.call((job.payload or b"").decode())

    say_ready(ready)
    await manager.run(batch_size=BATCH, max_concurrent_tasks=SLOTS)


async def on_sqlite(ready: Path, path: str, caller: Caller, jobs: int) -> None:
    connection = await aiosqlite.connect(path, isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL"):
        await connection.execute(f"PRAGMA {pragma}")
    await connection.executescript(TABLE)
    await connection.execute("BEGIN")
    await connection.executemany("INSERT INTO jobs VALUES (?, 0)", [(uuid.uuid4().hex,) for _ in range(jobs)])
    await connection.commit()
    say_ready(ready)
    await _drain(connection, caller)
    await asyncio.Event().wait()


async def _drain(connection: aiosqlite.Connection, caller: Caller) -> None:
    in_hand: dict[asyncio.Task[None], str] = {}
    while True:
        rows = await connection.execute_fetchall(
            "SELECT id FROM jobs WHERE due_at IS NOT NULL ORDER BY due_at LIMIT ?", (2 * SLOTS,)
        )
        known = set(in_hand.values())
        for reference in [row[0] for row in rows if row[0] not in known][: SLOTS - len(in_hand)]:
            in_hand[asyncio.create_task(caller.call(reference))] = reference
        if not in_hand:
            return
        done, _ = await asyncio.wait(in_hand, return_when=asyncio.FIRST_COMPLETED)
        marked = [(in_hand.pop(task),) for task in done]
        await connection.execute("BEGIN IMMEDIATE")
        await connection.executemany("UPDATE jobs SET due_at = NULL WHERE id = ?", marked)
        await connection.commit()


async def main(ready: Path, url: str, notify_url: str, jobs: int) -> None:
    caller = Caller(notify_url)
    if url.startswith("postgresql:"):
        await on_postgres(ready, url, caller, jobs)
    else:
        await on_sqlite(ready, url.removeprefix("sqlite:///"), caller, jobs)


if __name__ == "__main__":
    uvloop.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])))
