"""Tables come to the version of the code, once, whoever starts first."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from importlib.resources import files

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from postroom.app import SCHEMA_VERSION, migrate_database
from postroom.kit.database import Database, DatabaseUnavailable, metadata, open_database
from postroom.kit.database.migrate import current_version


@pytest.fixture
async def empty(database_url: str) -> AsyncIterator[Database]:
    opened = open_database(database_url)
    yield opened
    await opened.close()


async def tables(database: Database) -> set[str]:
    async with database.reading() as conn:
        return set(await conn.run_sync(lambda sync: inspect(sync).get_table_names()))


def differences(connection: Connection) -> list[object]:
    def ours(name: str | None, kind: str, _: object) -> bool:
        return kind != "table" or not str(name).startswith("pgqueuer")

    context = MigrationContext.configure(connection, opts={"include_name": ours, "compare_type": True})
    return list(compare_metadata(context, metadata))


async def test_an_empty_database_comes_to_the_last_version(empty: Database) -> None:
    assert await current_version(empty) is None

    assert await migrate_database(empty) is True

    assert await current_version(empty) == SCHEMA_VERSION
    assert await tables(empty) >= set(metadata.tables)


async def test_a_second_start_finds_nothing_to_do(empty: Database) -> None:
    await migrate_database(empty)

    assert await migrate_database(empty) is False


async def test_the_migrations_make_the_tables_that_the_code_works_with(empty: Database) -> None:
    await migrate_database(empty)

    async with empty.reading() as conn:
        assert await conn.run_sync(differences) == []


async def test_a_column_more_would_be_seen(empty: Database) -> None:
    """The test above can fail."""
    await migrate_database(empty)
    async with empty.transaction() as conn:
        await conn.execute(text("ALTER TABLE deliveries ADD COLUMN surplus INTEGER"))

    async with empty.reading() as conn:
        assert len(await conn.run_sync(differences)) == 1


def test_the_code_names_the_last_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(files("postroom") / "migrations"))

    assert ScriptDirectory.from_config(config).get_current_head() == SCHEMA_VERSION


async def test_a_migration_that_fails_leaves_nothing_behind(empty: Database) -> None:
    async with empty.transaction() as conn:
        await conn.execute(text("CREATE TABLE receipts (stands INTEGER)"))

    with pytest.raises((DBAPIError, DatabaseUnavailable)):
        await migrate_database(empty)

    assert await tables(empty) == {"receipts"}


async def test_those_that_start_together_migrate_once(database_url: str) -> None:
    opened = [open_database(database_url) for _ in range(4)]
    try:
        await asyncio.gather(*(migrate_database(database) for database in opened))

        async with opened[0].reading() as conn:
            assert await conn.run_sync(differences) == []
            assert await conn.scalar(text("SELECT count(*) FROM alembic_version")) == 1
    finally:
        for database in opened:
            await database.close()


@pytest.mark.postgres
async def test_processes_that_start_together_migrate_once(postgres_url: str) -> None:
    environment = os.environ | {
        "DATABASE_URL": postgres_url,
        "POSTROOM_SECRET": "a secret of at least 32 characters, for tests",
        "OFFICER_TOKEN_SECRET": "another secret of at least 32 characters",
    }
    command = [sys.executable, "-m", "postroom", "migrate"]
    processes = [await asyncio.create_subprocess_exec(*command, env=environment, stdout=-3) for _ in range(2)]

    assert [await process.wait() for process in processes] == [0, 0]
    database = open_database(postgres_url)
    assert await current_version(database) == SCHEMA_VERSION
    await database.close()
