"""What a queue does, whichever engine is behind it: one suite for both."""

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from postroom.kit.clock import utc_now
from postroom.kit.database import DatabaseUnavailable, LockTimeout, WriterBusy
from postroom.kit.queue import Job
from postroom.kit.queue.rows import RowQueue

if TYPE_CHECKING:
    from tests.kit.conftest import Place

SINGLE, BULK = 0, 1


async def test_a_job_is_handed_out_once_its_transaction_is_committed(place: "Place") -> None:
    one, another = place.job(), place.job()
    async with place.running():
        async with place.database.transaction() as conn:
            await place.put(conn, [one, another])
            place.queue.ring()
            await asyncio.sleep(0.1)
            assert place.handed == {}
        place.queue.ring()
        await place.until(lambda: len(place.done) == 2)

    assert sorted(place.done) == sorted([one.id, another.id])


async def test_a_job_that_was_put_before_the_start_is_handed_out(place: "Place") -> None:
    one = place.job()
    await place.queue_jobs(one)

    async with place.running():
        await place.until(lambda: place.done == [one.id])


async def test_a_job_whose_transaction_is_rolled_back_is_not_handed_out(place: "Place") -> None:
    lost, kept = place.job(), place.job()

    async def write_and_fail() -> None:
        async with place.database.transaction() as conn:
            await place.put(conn, [lost])
            raise LookupError

    async with place.running():
        with pytest.raises(LookupError):
            await write_and_fail()
        await place.queue_jobs(kept)
        await place.until(lambda: place.done == [kept.id])

    assert place.handed == {kept.id: 1}


async def test_the_same_job_twice_is_done_once(place: "Place") -> None:
    twice, other = place.job(), place.job()
    async with place.database.transaction() as conn:
        await place.put(conn, [twice])
        await place.queue.put(conn, [twice, twice])
    async with place.database.transaction() as conn:
        await conn.execute(text("SELECT 1"))
        await place.queue.put(conn, [twice])

    async with place.running():
        await place.until(lambda: place.done == [twice.id])
        async with place.database.transaction() as conn:
            await conn.execute(text("SELECT 1"))
            await place.queue.put(conn, [twice])
        await place.queue_jobs(other)
        await place.until(lambda: other.id in place.done)

    assert place.done == [twice.id, other.id]


async def test_a_deferred_job_waits_for_its_time(place: "Place") -> None:
    later = place.job(after=timedelta(milliseconds=400))
    now = place.job()
    await place.queue_jobs(later, now)

    async with place.running():
        await place.until(lambda: place.done == [now.id])
        assert utc_now() < later.due_at
        await place.until(lambda: place.done == [now.id, later.id])

    # An engine may reckon by the database's clock, from the transaction's beginning: some milliseconds early.
    assert utc_now() >= later.due_at - timedelta(milliseconds=50)


@pytest.mark.parametrize("lane", [pytest.param(SINGLE, id="single"), pytest.param(BULK, id="bulk")])
async def test_many_jobs_are_all_done_and_not_too_many_at_once(place: "Place", lane: int) -> None:
    jobs = [place.job(lane=lane) for _ in range(300)]
    place.queue = place.make_queue({SINGLE: 16, BULK: 16})
    for each in jobs:
        place.seconds[each.id] = 0.001
    await place.queue_jobs(*jobs)

    async with place.running():
        await place.until(lambda: len(place.done) == 300, seconds=20)

    assert sorted(place.done) == sorted(each.id for each in jobs)
    assert place.most_in_hand <= 16


async def test_bulk_that_holds_all_its_slots_keeps_no_single_job_waiting(place: "Place") -> None:
    bulk = [place.job(lane=BULK) for _ in range(300)]
    for each in bulk:
        place.seconds[each.id] = 60
    await place.queue_jobs(*bulk)

    async with place.running():
        await place.until(lambda: place.in_hand == place.slots[BULK])
        singles = [place.job() for _ in range(100)]
        await place.queue_jobs(*singles)
        await place.until(lambda: len(place.done) == 100)

    assert sorted(place.done) == sorted(each.id for each in singles)
    assert len(place.cancelled) == place.slots[BULK] == len(place.handed) - 100


async def test_singles_that_hold_all_their_slots_keep_no_bulk_waiting_for_ever(place: "Place") -> None:
    singles = [place.job() for _ in range(100)]
    for each in singles:
        place.seconds[each.id] = 60
    await place.queue_jobs(*singles)

    async with place.running():
        await place.until(lambda: place.in_hand == place.slots[SINGLE])
        bulk = place.job(lane=BULK)
        await place.queue_jobs(bulk)
        await place.until(lambda: place.done == [bulk.id])


async def test_both_lanes_of_one_transaction_are_emptied(place: "Place") -> None:
    jobs = [place.job(lane=number % 2) for number in range(200)]

    async with place.running():
        await place.queue_jobs(*jobs)
        await place.until(lambda: len(place.done) == 200)

    assert sorted(place.done) == sorted(each.id for each in jobs)


async def test_bulk_that_was_left_by_a_stop_is_handed_out_after_the_next_start(place: "Place") -> None:
    bulk = [place.job(lane=BULK) for _ in range(2 * place.slots[BULK])]
    place.seconds = {each.id: place.patience.total_seconds() / 2 for each in bulk}
    await place.queue_jobs(*bulk)
    async with place.running():
        await place.until(lambda: place.in_hand == place.slots[BULK])
    assert len(place.done) == place.slots[BULK]

    place.queue = place.make_queue()
    async with place.running():
        await place.until(lambda: len(place.done) == 2 * place.slots[BULK])

    assert (sorted(place.done), place.cancelled) == (sorted(each.id for each in bulk), [])


async def test_deferred_bulk_waits_for_its_time(place: "Place") -> None:
    later = place.job(after=timedelta(milliseconds=400), lane=BULK)

    async with place.running():
        await place.queue_jobs(later)
        await asyncio.sleep(0.1)
        assert place.handed == {}
        await place.until(lambda: place.done == [later.id])

    assert utc_now() >= later.due_at - timedelta(milliseconds=50)


async def test_a_stop_waits_for_what_is_in_hand(place: "Place") -> None:
    slow = place.job()
    place.seconds[slow.id] = place.patience.total_seconds() / 2
    await place.queue_jobs(slow)

    async with place.running() as stop:
        await place.until(lambda: slow.id in place.handed)
        stop.set()

    assert (place.done, place.cancelled) == ([slow.id], [])


async def test_a_stop_does_not_wait_longer_than_its_patience(place: "Place") -> None:
    endless = place.job()
    place.seconds[endless.id] = 60
    await place.queue_jobs(endless)

    async with place.running() as stop:
        await place.until(lambda: place.in_hand == 1)
        begun = asyncio.get_running_loop().time()
        stop.set()
    took = asyncio.get_running_loop().time() - begun

    assert (place.done, place.cancelled) == ([], [endless.id])
    assert place.patience.total_seconds() * 0.9 <= took < 2


async def test_nothing_is_begun_after_the_stop(place: "Place") -> None:
    async with place.running() as stop:
        await asyncio.sleep(0.05)
        stop.set()
    await place.queue_jobs(place.job())
    await asyncio.sleep(0.1)

    assert place.handed == {}


async def test_a_handler_that_raises_does_not_stop_the_queue_nor_keep_it_busy(place: "Place") -> None:
    bad = place.job()
    place.failing = {bad.id}
    await place.queue_jobs(bad)

    async with place.running():
        await place.until(lambda: bad.id in place.handed)
        await asyncio.sleep(0.12)
        assert place.handed[bad.id] <= 4
        good = place.job()
        await place.queue_jobs(good)
        await place.until(lambda: place.done == [good.id])


async def test_what_failed_is_done_when_it_is_queued_again(place: "Place") -> None:
    again = place.job()
    place.failing = {again.id}
    await place.queue_jobs(again)

    async with place.running():
        await place.until(lambda: again.id in place.handed)
        place.failing = set()
        await asyncio.sleep(0.02)
        async with place.database.transaction() as conn:
            await conn.execute(text("SELECT 1"))
            await place.queue.put(conn, [Job(again.id, utc_now())])
        place.queue.ring()
        await place.until(lambda: place.done == [again.id])


@pytest.mark.sqlite
async def test_rows_are_looked_for_again_when_the_database_is_back(sqlite_url: str) -> None:
    from postroom.kit.database import DatabaseUnavailable

    answers: list[list[str]] = [[], ["one"]]
    handed: list[str] = []

    async def find_due(now: datetime, limit: int, lane: int) -> list[str]:
        if len(answers) == 2:
            answers.pop(0)
            raise DatabaseUnavailable("OperationalError")
        return answers.pop() if answers else []

    async def handle(job_id: str) -> None:
        handed.append(job_id)

    queue = RowQueue(
        find_due=find_due, clock=utc_now, slots={SINGLE: 64}, look_every=timedelta(milliseconds=10)
    )
    stop = asyncio.Event()
    running = asyncio.create_task(queue.run(handle=handle, stop=stop))
    async with asyncio.timeout(5):
        while not handed:  # noqa: ASYNC110 - a queue rings no bell
            await asyncio.sleep(0.005)
    stop.set()
    await running


@pytest.mark.parametrize("refused", [DatabaseUnavailable("OperationalError"), LockTimeout(), WriterBusy()])
async def test_jobs_that_the_database_holds_up_are_handed_out_again_in_peace(
    place: "Place", refused: Exception, capfd: pytest.CaptureFixture[str]
) -> None:
    """Tried again at once, they would keep the process busy, and fill its log."""
    jobs = [place.job() for _ in range(20)]
    place.refused = refused
    await place.queue_jobs(*jobs)

    async with place.running():
        await place.until(lambda: len(place.handed) == 20)
        await asyncio.sleep(0.5)
        assert max(place.handed.values()) <= 20
        place.refused = None
        await place.until(lambda: len(place.done) == 20)

    said = [line for line in capfd.readouterr().out.splitlines() if "jobs wait for the database" in line]
    assert 1 <= len(said) <= 20
