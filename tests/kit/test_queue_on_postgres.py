"""The queue on PostgreSQL: several workers, lost connections, dead workers, and its own tables."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import asyncpg  # type: ignore[import-untyped]
import pytest
from sqlalchemy import text

from postroom.kit.clock import utc_now
from postroom.kit.database import Database
from postroom.kit.queue.postgres import HORIZON, PostgresQueue, purge_log

if TYPE_CHECKING:
    from tests.kit.conftest import Place

pytestmark = pytest.mark.postgres

SINGLE, BULK = 0, 1


async def kill_connections(place: "Place") -> int:
    async with place.database.transaction() as conn:
        killed = await conn.scalars(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name LIKE 'postroom queue %'"
            )
        )
        return list(killed).count(True)


@pytest.mark.parametrize("lane", [pytest.param(SINGLE, id="single"), pytest.param(BULK, id="bulk")])
async def test_it_goes_on_within_seconds_when_its_connections_were_killed(
    postgres: "Place", lane: int
) -> None:
    before, in_hand, after = postgres.job(lane=lane), postgres.job(lane=lane), postgres.job(lane=lane)
    postgres.seconds[in_hand.id] = 4
    async with postgres.running():
        await postgres.queue_jobs(before, in_hand)
        await postgres.until(lambda: postgres.done == [before.id] and postgres.in_hand == 1)
        assert await kill_connections(postgres) == len(postgres.slots)
        await postgres.queue_jobs(after)
        await postgres.until(lambda: postgres.done == [before.id, after.id], seconds=3.5)
        await postgres.until(lambda: postgres.done == [before.id, after.id, in_hand.id])

    assert (postgres.handed[in_hand.id], postgres.cancelled) == (1, [])


async def test_what_an_engine_took_and_never_got_is_handed_out_when_its_connection_is_back(
    postgres: "Place",
) -> None:
    """As where the connection is lost between the engine's taking some jobs and its hearing of it."""
    slow, lost = postgres.job(), postgres.job(after=timedelta(seconds=60))
    postgres.seconds[slow.id] = 2
    async with postgres.running():
        await postgres.queue_jobs(slow, lost)
        await postgres.until(lambda: postgres.in_hand == 1)
        async with postgres.database.transaction() as conn:
            await conn.execute(
                text(
                    "UPDATE pgqueuer SET status = 'picked', execute_after = now(), heartbeat = now(),"
                    " queue_manager_id = (SELECT queue_manager_id FROM pgqueuer WHERE status = 'picked')"
                    " WHERE status = 'queued'"
                )
            )
        await kill_connections(postgres)
        await postgres.until(lambda: postgres.done == [lost.id], seconds=2)
        await postgres.until(lambda: postgres.done == [lost.id, slow.id])

    assert postgres.handed[slow.id] == 1


async def test_what_a_stop_cut_off_is_handed_out_once_its_lease_has_lapsed(postgres: "Place") -> None:
    endless = postgres.job()
    postgres.seconds[endless.id] = 60
    postgres.queue = postgres.make_queue(lease=timedelta(seconds=1))
    await postgres.queue_jobs(endless)
    async with postgres.running():
        await postgres.until(lambda: postgres.in_hand == 1)
    assert postgres.cancelled == [endless.id]

    postgres.seconds.clear()
    async with postgres.running():
        await postgres.until(lambda: postgres.handed[endless.id] == 2)


async def test_what_waits_for_a_slot_is_given_back_at_once_by_a_stop(postgres: "Place") -> None:
    """Fetched, and not begun: no lease of a worker that ends keeps it from another."""
    endless, waiting = [postgres.job() for _ in range(4)], [postgres.job() for _ in range(2)]
    postgres.seconds = {job.id: 60 for job in endless}
    postgres.queue = postgres.make_queue({SINGLE: len(endless)})
    await postgres.queue_jobs(*endless)
    async with postgres.running():
        await postgres.until(lambda: postgres.in_hand == len(endless))
        await postgres.queue_jobs(*waiting)
        await until_picked(postgres, len(endless) + len(waiting))
        assert postgres.in_hand == len(endless)
    assert sorted(postgres.cancelled) == sorted(job.id for job in endless)

    async with postgres.running():
        await postgres.until(lambda: sorted(postgres.done) == sorted(job.id for job in waiting))


async def test_nothing_is_begun_by_a_lane_that_is_cancelled(postgres: "Place") -> None:
    """As where another part of the process fails; nor are there more slots afterwards."""
    jobs = [postgres.job() for _ in range(6)]
    postgres.seconds = {job.id: 60 for job in jobs}
    postgres.queue = postgres.make_queue({SINGLE: 4}, lease=timedelta(seconds=1))
    await postgres.queue_jobs(*jobs)
    running = asyncio.create_task(postgres.queue.run(handle=postgres.handle, stop=asyncio.Event()))
    await until_picked(postgres, len(jobs))

    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert sum(postgres.handed.values()) == 4

    postgres.seconds.clear()
    async with postgres.running():
        await postgres.until(lambda: sum(postgres.handed.values()) == 4 + len(jobs))
    assert postgres.most_in_hand == 4


async def until_picked(place: "Place", number: int) -> None:
    picked = text("SELECT count(*) FROM pgqueuer WHERE status = 'picked'")
    async with asyncio.timeout(5):
        while True:
            async with place.database.reading() as conn:
                if await conn.scalar(picked) == number:
                    return
            await asyncio.sleep(0.02)


async def test_what_a_dead_worker_had_in_hand_is_handed_out_once_its_lease_has_lapsed(
    postgres: "Place",
) -> None:
    orphan = postgres.job()
    await postgres.queue_jobs(orphan)
    async with postgres.database.transaction() as conn:
        await conn.execute(
            text("UPDATE pgqueuer SET status = 'picked', heartbeat = now(), queue_manager_id = :nobody"),
            {"nobody": uuid4()},
        )
    postgres.queue = postgres.make_queue(lease=timedelta(seconds=1))

    async with postgres.running():
        await asyncio.sleep(1)
        assert postgres.handed == {}
        await postgres.until(lambda: postgres.done == [orphan.id])


async def test_what_fails_is_handed_out_again_by_itself(postgres: "Place") -> None:
    again = postgres.job()
    postgres.failing = {again.id}
    postgres.queue = postgres.make_queue(lease=timedelta(milliseconds=300))
    await postgres.queue_jobs(again)

    async with postgres.running():
        await postgres.until(lambda: postgres.handed[again.id] == 2)
        postgres.failing = set()
        await postgres.until(lambda: postgres.done == [again.id])


async def test_a_single_job_wakes_no_other_lane(postgres: "Place") -> None:
    heard: list[str] = []
    listening = await asyncpg.connect(
        postgres.database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    )
    await listening.add_listener("ch_pgqueuer_1", lambda *event: heard.append(event[3]))

    await postgres.queue_jobs(postgres.job(), postgres.job())
    await postgres.queue_jobs(postgres.job(lane=BULK), postgres.job(lane=BULK))
    await postgres.until(lambda: heard != [])
    await listening.close()

    assert len(heard) == 1


async def test_workers_share_the_jobs(postgres: "Place") -> None:
    jobs = [postgres.job() for _ in range(100)]
    await postgres.queue_jobs(*jobs)

    async with postgres.running():
        postgres.queue = postgres.make_queue()
        async with postgres.running():
            await postgres.until(lambda: len(postgres.done) == 100)

    assert set(postgres.handed.values()) == {1}


async def count(database: Database, table: str) -> int:
    async with database.reading() as conn:
        return int(await conn.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


async def test_what_is_far_off_waits_in_its_table(postgres: "Place") -> None:
    await postgres.queue_jobs(
        postgres.job(after=HORIZON - timedelta(seconds=2)), postgres.job(after=HORIZON + timedelta(seconds=2))
    )

    assert await count(postgres.database, "pgqueuer") == 1


async def test_the_engines_log_is_given_up_after_an_hour(postgres: "Place") -> None:
    await postgres.queue_jobs(postgres.job(), postgres.job())
    async with postgres.running():
        await postgres.until(lambda: len(postgres.done) == 2)
    async with postgres.database.transaction() as conn:
        first = "(SELECT min(id) FROM pgqueuer_log)"
        await conn.execute(
            text(f"UPDATE pgqueuer_log SET created = now() - interval '61 minutes' WHERE id = {first}")
        )
    kept = await count(postgres.database, "pgqueuer_log")

    async with postgres.database.transaction() as conn:
        await purge_log(conn)

    assert await count(postgres.database, "pgqueuer_log") == kept - 1


async def test_a_stop_waits_for_no_server_that_does_not_answer(postgres: "Place") -> None:
    heard = asyncio.Event()

    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.set()
        try:
            await asyncio.sleep(60)
        finally:
            writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    postgres.queue = PostgresQueue(
        url=postgres.database.url.set(port=port), clock=utc_now, slots={SINGLE: 2}, patience=postgres.patience
    )
    async with postgres.running() as stop:
        await heard.wait()
        begun = asyncio.get_running_loop().time()
        stop.set()
    took = asyncio.get_running_loop().time() - begun
    server.close()

    assert took < 2
