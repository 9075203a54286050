"""Open databases, each with a small table of its own."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from postroom.kit.database import Database, open_database


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open database of each kind with a table `things`."""
    opened = open_database(database_url)
    async with opened.transaction() as conn:
        await conn.execute(text("CREATE TABLE things (name VARCHAR(40) NOT NULL UNIQUE)"))
    yield opened
    await opened.close()
