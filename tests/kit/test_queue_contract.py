"""What a queue does, whichever engine is behind it: one suite for both.

The jobs are rows of a tiny table. Whoever does one takes its row away, as a claim does: the table decides
what is still to be done, never the queue.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Column, MetaData, Table, text
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.kit.clock import utc_now
from postroom.kit.database import Database, Id, Instant, open_database
from postroom.kit.ids import new_id
from postroom.kit.queue import Job, JobQueue
from postroom.kit.queue.postgres import HORIZON, PostgresQueue, install, purge_log
from postroom.kit.queue.rows import RowQueue

JOBS = Table(
    "jobs", MetaData(), Column("id", Id, primary_key=True), Column("due_at", Instant, nullable=False)
)
PATIENCE = timedelta(milliseconds=150)


class Place:
    """A database with jobs, a queue over it, and a handler that keeps what it was given."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.at_once = 64
        self.queue: JobQueue = self.make_queue()
        self.handed: Counter[str] = Counter()
        self.done: list[str] = []
        self.cancelled: list[str] = []
        self.in_hand = 0
        self.most_in_hand = 0
        self.failing: set[str] = set()
        self.seconds: dict[str, float] = {}

    def make_queue(self, at_once: int = 64) -> JobQueue:
        if self.database.is_postgres:
            return PostgresQueue(url=self.database.url, clock=utc_now, at_once=at_once, patience=PATIENCE)
        return RowQueue(
            find_due=self.find_due,
            clock=utc_now,
            at_once=at_once,
            look_every=timedelta(milliseconds=50),
            patience=PATIENCE,
        )

    async def find_due(self, now: datetime, limit: int) -> list[str]:
        async with self.database.reading() as conn:
            due = JOBS.select().where(JOBS.c.due_at <= now).order_by(JOBS.c.due_at).limit(limit)
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


@pytest.fixture
async def place(database_url: str) -> AsyncIterator[Place]:
    database = open_database(database_url)
    async with database.transaction() as conn:
        await conn.run_sync(JOBS.metadata.create_all)
        if database.is_postgres:
            await install(conn)
    yield Place(database)
    await database.close()


def job(after: timedelta = timedelta(0)) -> Job:
    return Job(new_id(), utc_now() + after)


async def until(true: Callable[[], bool], *, seconds: float = 5) -> None:
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - anything may be waited for
            await asyncio.sleep(0.005)


async def test_a_job_is_handed_out_once_its_transaction_is_committed(place: Place) -> None:
    one, another = job(), job()
    async with place.running():
        async with place.database.transaction() as conn:
            await place.put(conn, [one, another])
            place.queue.ring()
            await asyncio.sleep(0.1)
            assert place.handed == {}
        place.queue.ring()
        await until(lambda: len(place.done) == 2)

    assert sorted(place.done) == sorted([one.id, another.id])


async def test_a_job_that_was_put_before_the_start_is_handed_out(place: Place) -> None:
    one = job()
    await place.queue_jobs(one)

    async with place.running():
        await until(lambda: place.done == [one.id])


async def test_a_job_whose_transaction_is_rolled_back_is_not_handed_out(place: Place) -> None:
    lost, kept = job(), job()

    async def write_and_fail() -> None:
        async with place.database.transaction() as conn:
            await place.put(conn, [lost])
            raise LookupError

    async with place.running():
        with pytest.raises(LookupError):
            await write_and_fail()
        await place.queue_jobs(kept)
        await until(lambda: place.done == [kept.id])

    assert place.handed == {kept.id: 1}


async def test_the_same_job_twice_is_done_once(place: Place) -> None:
    twice, other = job(), job()
    async with place.database.transaction() as conn:
        await place.put(conn, [twice])
        await place.queue.put(conn, [twice, twice])
    async with place.database.transaction() as conn:
        await conn.execute(text("SELECT 1"))
        await place.queue.put(conn, [twice])

    async with place.running():
        await until(lambda: place.done == [twice.id])
        async with place.database.transaction() as conn:
            await conn.execute(text("SELECT 1"))
            await place.queue.put(conn, [twice])
        await place.queue_jobs(other)
        await until(lambda: other.id in place.done)

    assert place.done == [twice.id, other.id]


async def test_a_deferred_job_waits_for_its_time(place: Place) -> None:
    later = job(after=timedelta(milliseconds=400))
    now = job()
    await place.queue_jobs(later, now)

    async with place.running():
        await until(lambda: place.done == [now.id])
        assert utc_now() < later.due_at
        await until(lambda: place.done == [now.id, later.id])

    # An engine may reckon by the database's clock, from the transaction's beginning: some milliseconds early.
    assert utc_now() >= later.due_at - timedelta(milliseconds=50)


async def test_many_jobs_are_all_done_and_not_too_many_at_once(place: Place) -> None:
    jobs = [job() for _ in range(300)]
    place.queue = place.make_queue(at_once=64)
    for each in jobs:
        place.seconds[each.id] = 0.001
    await place.queue_jobs(*jobs)

    async with place.running():
        await until(lambda: len(place.done) == 300, seconds=20)

    assert sorted(place.done) == sorted(each.id for each in jobs)
    assert place.most_in_hand <= 64


async def test_a_stop_waits_for_what_is_in_hand(place: Place) -> None:
    slow = job()
    place.seconds[slow.id] = PATIENCE.total_seconds() / 2
    await place.queue_jobs(slow)

    async with place.running() as stop:
        await until(lambda: slow.id in place.handed)
        stop.set()

    assert (place.done, place.cancelled) == ([slow.id], [])


async def test_a_stop_does_not_wait_longer_than_its_patience(place: Place) -> None:
    endless = job()
    place.seconds[endless.id] = 60
    await place.queue_jobs(endless)

    async with place.running() as stop:
        await until(lambda: place.in_hand == 1)
        begun = asyncio.get_running_loop().time()
        stop.set()
    took = asyncio.get_running_loop().time() - begun

    assert (place.done, place.cancelled) == ([], [endless.id])
    assert PATIENCE.total_seconds() * 0.9 <= took < 2


async def test_nothing_is_begun_after_the_stop(place: Place) -> None:
    async with place.running() as stop:
        await asyncio.sleep(0.05)
        stop.set()
    await place.queue_jobs(job())
    await asyncio.sleep(0.1)

    assert place.handed == {}


async def test_a_handler_that_raises_does_not_stop_the_queue_nor_keep_it_busy(place: Place) -> None:
    bad = job()
    place.failing = {bad.id}
    await place.queue_jobs(bad)

    async with place.running():
        await until(lambda: bad.id in place.handed)
        await asyncio.sleep(0.12)
        assert place.handed[bad.id] <= 4
        good = job()
        await place.queue_jobs(good)
        await until(lambda: place.done == [good.id])


async def test_what_failed_is_done_when_it_is_queued_again(place: Place) -> None:
    again = job()
    place.failing = {again.id}
    await place.queue_jobs(again)

    async with place.running():
        await until(lambda: again.id in place.handed)
        place.failing = set()
        await asyncio.sleep(0.02)
        async with place.database.transaction() as conn:
            await conn.execute(text("SELECT 1"))
            await place.queue.put(conn, [Job(again.id, utc_now())])
        place.queue.ring()
        await until(lambda: place.done == [again.id])


@pytest.fixture
async def postgres(postgres_url: str) -> AsyncIterator[Place]:
    database = open_database(postgres_url)
    async with database.transaction() as conn:
        await conn.run_sync(JOBS.metadata.create_all)
        await install(conn)
        await install(conn)  # once more changes nothing
    yield Place(database)
    await database.close()


@pytest.mark.postgres
async def test_it_goes_on_when_its_connection_was_killed(postgres: Place) -> None:
    before, after = job(), job()
    async with postgres.running():
        await postgres.queue_jobs(before)
        await until(lambda: postgres.done == [before.id])
        async with postgres.database.transaction() as conn:
            killed = await conn.scalars(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    " AND application_name <> 'postroom'"
                )
            )
            assert list(killed) == [True]
        await postgres.queue_jobs(after)
        await until(lambda: postgres.done == [before.id, after.id], seconds=10)


@pytest.mark.postgres
async def test_workers_share_the_jobs(postgres: Place) -> None:
    jobs = [job() for _ in range(100)]
    await postgres.queue_jobs(*jobs)

    async with postgres.running():
        postgres.queue = postgres.make_queue()
        async with postgres.running():
            await until(lambda: len(postgres.done) == 100)

    assert set(postgres.handed.values()) == {1}


async def count(database: Database, table: str) -> int:
    async with database.reading() as conn:
        return int(await conn.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


@pytest.mark.postgres
async def test_what_is_far_off_waits_in_its_table(postgres: Place) -> None:
    await postgres.queue_jobs(
        job(after=HORIZON - timedelta(seconds=2)), job(after=HORIZON + timedelta(seconds=2))
    )

    assert await count(postgres.database, "pgqueuer") == 1


@pytest.mark.postgres
async def test_the_engines_log_is_given_up_after_an_hour(postgres: Place) -> None:
    await postgres.queue_jobs(job(), job())
    async with postgres.running():
        await until(lambda: len(postgres.done) == 2)
    async with postgres.database.transaction() as conn:
        first = "(SELECT min(id) FROM pgqueuer_log)"
        await conn.execute(
            text(f"UPDATE pgqueuer_log SET created = now() - interval '61 minutes' WHERE id = {first}")
        )
    kept = await count(postgres.database, "pgqueuer_log")

    async with postgres.database.transaction() as conn:
        await purge_log(conn)

    assert await count(postgres.database, "pgqueuer_log") == kept - 1


@pytest.mark.sqlite
async def test_rows_are_looked_for_again_when_the_database_is_back(sqlite_url: str) -> None:
    from postroom.kit.database import DatabaseUnavailable

    answers: list[list[str]] = [[], ["one"]]
    handed: list[str] = []

    async def find_due(now: datetime, limit: int) -> list[str]:
        if len(answers) == 2:
            answers.pop(0)
            raise DatabaseUnavailable("OperationalError")
        return answers.pop() if answers else []

    async def handle(job_id: str) -> None:
        handed.append(job_id)

    queue = RowQueue(find_due=find_due, clock=utc_now, look_every=timedelta(milliseconds=10))
    stop = asyncio.Event()
    running = asyncio.create_task(queue.run(handle=handle, stop=stop))
    await until(lambda: handed == ["one"])
    stop.set()
    await running
