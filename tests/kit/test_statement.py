"""Statements that are run by themselves: what they give is what was kept, in whichever database."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import (
    bindparam,
    literal,
    select,
    text,
)

from postroom.kit.database import (
    BulkInsert,
    Database,
    DatabaseUnavailable,
    Instant,
    Statement,
    one_of,
    open_database,
)
from postroom.kit.ids import new_id
from tests.kit.rows import ROWS, opened_with_rows

BY_IDS = {
    dialect: Statement(select(ROWS).where(one_of(ROWS.c.id, dialect)).order_by(ROWS.c.id))
    for dialect in ("postgresql", "sqlite")
}
BY_MOMENT = Statement(
    select(ROWS.c.id, literal(7))
    .where(ROWS.c.at >= bindparam("since", type_=Instant), ROWS.c.count == 3)
    .order_by(ROWS.c.at, ROWS.c.id)
    .limit(bindparam("most"))
)
SOME_TIME = datetime(2026, 11, 24, 8, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with opened_with_rows(database_url) as opened:
        yield opened


def thing(**given: Any) -> dict[str, Any]:
    full = {
        "name": "thing",
        "at": SOME_TIME,
        "other_id": new_id(),
        "count": 3,
        "few": -3,
        "is_so": True,
        "sealed": b"\x00'",
        "words": "a,'b",
    }
    return {"id": new_id(), **full, **given}


async def keep(database: Database, things: list[dict[str, Any]]) -> None:
    async with database.transaction() as conn:
        await BulkInsert(ROWS).run(conn, things)


async def test_what_is_found_is_what_was_kept(database: Database) -> None:
    empty = {name: None for name in thing() if name != "id"}
    things = sorted([thing(), thing(**empty), thing(is_so=False)], key=lambda each: str(each["id"]))
    await keep(database, things)

    found = await database.run(BY_IDS[database.dialect], ids=[each["id"] for each in things])

    assert [dict(zip(ROWS.columns.keys(), row, strict=True)) for row in found] == things
    assert found[0][2].tzinfo is UTC
    assert type(found[0][0]) is str
    async with database.reading() as conn:
        by_sqlalchemy = await conn.execute(
            BY_IDS[database.dialect].clause, {"ids": [each["id"] for each in things]}
        )
        assert list(map(tuple, by_sqlalchemy)) == list(map(tuple, found))


@pytest.mark.parametrize("number", [0, 1, 300])
async def test_any_number_of_ids_may_be_asked_for(database: Database, number: int) -> None:
    things = [thing() for _ in range(number)]
    await keep(database, [*things, thing()])

    found = await database.run(BY_IDS[database.dialect], ids=[each["id"] for each in things])

    assert {row[0] for row in found} == {each["id"] for each in things}


async def test_a_value_that_is_forgotten_is_not_taken_for_none(database: Database) -> None:
    with pytest.raises(KeyError, match="since"):
        await database.run(BY_MOMENT, most=5)


@pytest.mark.sqlite
async def test_on_sqlite_nothing_is_written_beside_the_one_writer(sqlite_url: str) -> None:
    database = open_database(sqlite_url)
    async with database.transaction() as conn:
        await conn.execute(text("CREATE TABLE words (word TEXT)"))
    with pytest.raises(DatabaseUnavailable):
        await database.run(Statement(text("INSERT INTO words VALUES ('one') RETURNING word")))

    assert await database.run(Statement(text("SELECT word FROM words"))) == []
    await database.close()


async def test_what_is_not_named_is_as_the_statement_says(database: Database) -> None:
    earlier, later = SOME_TIME, SOME_TIME.replace(microsecond=123457)
    things = [thing(at=earlier), thing(at=later), thing(at=later.replace(hour=9)), thing(at=later, count=4)]
    await keep(database, things)

    assert [tuple(row) for row in await database.run(BY_MOMENT, since=later, most=5)] == [
        (things[1]["id"], 7),
        (things[2]["id"], 7),
    ]
    assert len(await database.run(BY_MOMENT, since=later, most=1)) == 1
