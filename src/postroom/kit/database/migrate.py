"""Bringing a database's tables to the version that this code works with."""

from collections.abc import Awaitable, Callable

from sqlalchemy import Connection, text

from postroom.kit.database.asynchronous import AsyncConnection
from postroom.kit.database.engine import Database

_ONE_AT_A_TIME = 7_205_759_403_792  # any fixed number: the key of PostgreSQL's advisory lock


async def current_version(database: Database) -> str | None:
    """The version of the tables, None for a database without any."""
    async with database.reading() as conn:
        if not await conn.run_sync(lambda sync: sync.dialect.has_table(sync, "alembic_version")):
            return None
        version: str | None = await conn.scalar(text("SELECT version_num FROM alembic_version"))
        return version


async def migrate(
    database: Database,
    *,
    scripts: str,
    head: str,
    then: Callable[[AsyncConnection], Awaitable[None]] | None = None,
) -> bool:
    """Run the migration scripts that are missing, in one transaction; whether there were any.

    Processes that start together wait for each other. `then` runs in the same transaction, for what is
    installed by other means.
    """
    if await current_version(database) == head:
        return False
    async with database.transaction() as conn:
        if database.is_postgres:
            # Whoever migrates may take its time: the others wait for it, however long.
            await conn.execute(text("SET LOCAL lock_timeout = 0"))
            await conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})
        await conn.run_sync(_upgrade, scripts)
        if then is not None:
            await then(conn)
    return True


def _upgrade(connection: Connection, scripts: str) -> None:
    # Imported here: 15 MB that a process whose database is up to date never needs.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", scripts)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
