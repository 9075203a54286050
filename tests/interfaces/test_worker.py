"""The worker's own work: every job of its schedule does what it is there for, on the databases it is for."""

import asyncio
import time

import pytest
from sqlalchemy import text

from postroom.app import running_app
from postroom.interfaces.worker import JOBS, SCHEDULE, run_worker
from postroom.kit.database import open_database
from postroom.settings import read_settings

SECRETS = {"POSTROOM_SECRET": "s" * 40, "OFFICER_TOKEN_SECRET": "t" * 40}


def test_every_job_has_its_time() -> None:
    assert SCHEDULE.keys() == JOBS.keys()


async def test_every_job_that_is_for_this_database_runs(database_url: str) -> None:
    async with running_app(read_settings({"DATABASE_URL": database_url} | SECRETS)) as app:
        done = []
        for name, scheduled in SCHEDULE.items():
            if app.database.is_postgres or not scheduled.on_postgres:
                await JOBS[name](app)
                done.append(name)

    everywhere = [name for name, scheduled in SCHEDULE.items() if not scheduled.on_postgres]
    assert done == (list(SCHEDULE) if database_url.startswith("postgresql") else everywhere)


@pytest.mark.postgres
async def test_a_stop_does_not_wait_for_scheduled_work_that_the_database_holds_up(postgres_url: str) -> None:
    stop = asyncio.Event()
    async with running_app(read_settings({"DATABASE_URL": postgres_url} | SECRETS)) as app:
        other = open_database(postgres_url)
        async with other.transaction() as conn:
            await conn.execute(text("LOCK TABLE deliveries IN ACCESS EXCLUSIVE MODE"))
            working = asyncio.create_task(run_worker(app, stop=stop))
            waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
            while not await conn.scalar(waits):  # noqa: ASYNC110 - a lock rings no bell
                await asyncio.sleep(0.01)

            began = time.monotonic()
            stop.set()
            await working
            took = time.monotonic() - began
        await other.close()

    # The lock itself is waited for 5 s.
    assert took < 4
