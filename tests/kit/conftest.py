"""Open databases, each with a small table of its own, and a place with a queue."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, text

from postroom.kit.clock import utc_now
from postroom.kit.database import AsyncConnection, Database, Id, Instant, open_database
from postroom.kit.ids import new_id
from postroom.kit.queue import Job, JobQueue, Slots
from postroom.kit.queue.postgres import PostgresQueue, install
from postroom.kit.queue.rows import RowQueue

JOBS = Table(
    "jobs",
    MetaData(),
    Column("id", Id, primary_key=True),
    Column("due_at", Instant, nullable=False),
    Column("lane", Integer, nullable=False),
)
PATIENCE = timedelta(milliseconds=150)
SLOTS = {0: 64, 1: 8}


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open database of each kind with a table `things`."""
    opened = open_database(database_url)
    async with opened.transaction() as conn:
        await conn.execute(text("CREATE TABLE things (name VARCHAR(40) NOT NULL UNIQUE)"))
    yield opened
    await opened.close()


class Place:
    """A database with jobs, a queue over it, and a handler that keeps what it was given.

    The jobs are rows of a tiny table. Whoever does one takes its row away, as a claim does: the table decides
    what is still to be done, never the queue.
    """

    slots = SLOTS
    patience = PATIENCE

    def __init__(self, database: Database) -> None:
        self.database = database
        self.queue: JobQueue = self.make_queue()
        self.handed: Counter[str] = Counter()
        self.done: list[str] = []
        self.cancelled: list[str] = []
        self.in_hand = 0
        self.most_in_hand = 0
        self.failing: set[str] = set()
        self.refused: Exception | None = None
        self.seconds: dict[str, float] = {}

    def make_queue(self, slots: Slots = SLOTS, *, lease: timedelta = timedelta(seconds=20)) -> JobQueue:
        if self.database.is_postgres:
            return PostgresQueue(
                url=self.database.url, clock=utc_now, slots=slots, lease=lease, patience=PATIENCE
            )
        return RowQueue(
            find_due=self.find_due,
            clock=utc_now,
            slots=slots,
            look_every=timedelta(milliseconds=50),
            patience=PATIENCE,
        )

    async def find_due(self, now: datetime, limit: int, lane: int) -> list[str]:
        async with self.database.reading() as conn:
            due = (
                JOBS.select()
                .where(JOBS.c.due_at <= now, JOBS.c.lane == lane)
                .order_by(JOBS.c.due_at)
                .limit(limit)
            )
            return [row.id for row in await conn.execute(due)]

    async def put(self, conn: AsyncConnection, jobs: list[Job]) -> None:
        await conn.execute(JOBS.insert(), [job._asdict() for job in jobs])
        await self.queue.put(conn, jobs)

    async def queue_jobs(self, *jobs: Job) -> None:
        async with self.database.transaction() as conn:
            await self.put(conn, list(jobs))
        self.queue.ring()

    async def handle(self, job_id: str) -> None:
        self.handed[job_id] += 1
        self.in_hand += 1
        self.most_in_hand = max(self.most_in_hand, self.in_hand)
        try:
            if self.refused is not None:
                raise self.refused
            if job_id in self.failing:
                raise RuntimeError("this one cannot be done")
            async with self.database.transaction() as conn:
                taken = await conn.execute(JOBS.delete().where(JOBS.c.id == job_id))
            await asyncio.sleep(self.seconds.get(job_id, 0))
            self.done += [job_id] * taken.rowcount
        except asyncio.CancelledError:
            self.cancelled.append(job_id)
            raise
        finally:
            self.in_hand -= 1

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Event]:
        stop = asyncio.Event()
        task = asyncio.create_task(self.queue.run(handle=self.handle, stop=stop))
        yield stop
        stop.set()
        async with asyncio.timeout(5):
            await task

    @staticmethod
    def job(after: timedelta = timedelta(0), *, lane: int = 0) -> Job:
        return Job(new_id(), utc_now() + after, lane)

    @staticmethod
    async def until(true: Callable[[], bool], *, seconds: float = 5) -> None:
        async with asyncio.timeout(seconds):
            while not true():  # noqa: ASYNC110 - anything may be waited for
                await asyncio.sleep(0.005)


@pytest.fixture
async def place(database_url: str) -> AsyncIterator[Place]:
    database = open_database(database_url)
    async with database.transaction() as conn:
        await conn.run_sync(JOBS.metadata.create_all)
        if database.is_postgres:
            await install(conn)
    yield Place(database)
    await database.close()


@pytest.fixture
async def postgres(postgres_url: str) -> AsyncIterator[Place]:
    database = open_database(postgres_url)
    async with database.transaction() as conn:
        await conn.run_sync(JOBS.metadata.create_all)
        await install(conn)
        await install(conn)  # once more changes nothing
    yield Place(database)
    await database.close()
