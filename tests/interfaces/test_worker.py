"""The worker's own work: every job of its schedule does what it is there for, on the databases it is for."""

from postroom.app import running_app
from postroom.interfaces.worker import JOBS, SCHEDULE
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
