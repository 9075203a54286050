"""What a shell offers for the next word: names of services, read from the database and nothing else."""

import asyncio
from contextlib import suppress


def complete_service(incomplete: str) -> list[str]:
    """The names that begin so. None where the database cannot be read: a shell is told no errors."""
    with suppress(Exception):
        return [name for name in asyncio.run(_names()) if name.startswith(incomplete)]
    return []


async def _names() -> list[str]:
    from postroom.features.services import names_of_services
    from postroom.kit.database import open_database
    from postroom.settings import database_url

    database = open_database(database_url())
    try:
        async with database.reading() as conn:
            return await names_of_services(conn)
    finally:
        await database.close()
