"""A table with a column of each kind, and an open database that has it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import Boolean, Column, Integer, LargeBinary, MetaData, SmallInteger, String, Table, Text

from postroom.kit.database import Database, Id, Instant, open_database

ROWS = Table(
    "some_rows",
    MetaData(),
    Column("id", Id, primary_key=True),
    Column("name", String(40)),
    Column("at", Instant),
    Column("other_id", Id),
    Column("count", Integer),
    Column("few", SmallInteger),
    Column("is_so", Boolean),
    Column("sealed", LargeBinary),
    Column("words", Text),
)


@asynccontextmanager
async def opened_with_rows(url: str) -> AsyncIterator[Database]:
    opened = open_database(url)
    async with opened.transaction() as conn:
        await conn.run_sync(ROWS.metadata.create_all)
    yield opened
    await opened.close()
