"""Many rows in one statement: what is written is what was given, row by row and column by column."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest
from sqlalchemy import (
    Column,
    Identity,
    Integer,
    String,
    Table,
)

from postroom.kit.database import (
    Batch,
    BulkInsert,
    BulkSwap,
    BulkUpdate,
    Database,
    Outdated,
    SpreadInsert,
)
from postroom.kit.ids import new_id
from tests.kit.rows import ROWS, opened_with_rows

NAMES = tuple(column.name for column in ROWS.columns)
SOME_TIME = datetime(2026, 11, 24, 8, 0, 0, 123456, tzinfo=UTC)

insert = BulkInsert(ROWS).run
insert_or_rename = BulkInsert(ROWS, on_conflict="(id) DO UPDATE SET name = excluded.name").run
update = BulkUpdate(ROWS, ("name", "at", "other_id", "count", "sealed")).run
spread = SpreadInsert(
    ROWS,
    ids=("id", "other_id"),
    same=("name", "at", "sealed", "is_so"),
    on_conflict="(id) DO UPDATE SET name = excluded.name || coalesce(some_rows.name, '')",
).run
swap = BulkSwap(ROWS, ("name", "at", "other_id", "count", "sealed"), known=("name", "at")).add
update_unsaid = BulkUpdate(ROWS, ("words",), only="words IS NULL").run


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with opened_with_rows(database_url) as opened:
        yield opened


def row(number: int) -> dict[str, Any]:
    return {
        "id": new_id(),
        "name": f"row {number}",
        "at": SOME_TIME + timedelta(microseconds=number),
        "other_id": None if number % 2 else new_id(),
        "count": 1 << (number % 30),
        "few": -number,
        "is_so": number % 3 == 0,
        "sealed": bytes([0, number % 256]),
        "words": None,
    }


def changed(old: dict[str, Any], number: int) -> dict[str, Any]:
    return old | {
        "name": None if number % 5 == 0 else f"changed {number}",
        "at": None if number % 7 == 0 else SOME_TIME - timedelta(days=number, microseconds=1),
        "other_id": new_id() if number % 2 else None,
        "count": -number,
        "sealed": None if number % 3 == 0 else b"\xff\x00",
    }


async def kept(database: Database) -> list[dict[str, Any]]:
    async with database.reading() as conn:
        return [dict(found._mapping) for found in await conn.execute(ROWS.select().order_by(ROWS.c.id))]


@pytest.mark.parametrize("number", [0, 1, 2, 7, 63, 64, 65, 128, 200])
async def test_so_many_rows_are_inserted_and_changed_as_they_are_given(
    database: Database, number: int
) -> None:
    rows = [row(each) for each in range(number)]
    bystander = row(999)
    async with database.transaction() as conn:
        await insert(conn, [*rows, bystander])
    assert await kept(database) == [*rows, bystander]

    new = [changed(old, each) for each, old in enumerate(rows)]
    async with database.transaction() as conn:
        await update(conn, list(reversed(new)))

    assert await kept(database) == [*new, bystander]


async def test_what_a_row_does_not_name_is_null(database: Database) -> None:
    only_id = {"id": new_id()}
    async with database.transaction() as conn:
        await insert(conn, [only_id])

    assert await kept(database) == [dict.fromkeys(NAMES) | only_id]


async def test_of_a_row_that_is_there_already_only_what_is_named_changes(database: Database) -> None:
    one, other = row(1), row(2)
    async with database.transaction() as conn:
        await insert(conn, [one])
        await insert_or_rename(conn, [row(3) | {"id": one["id"]}, other])

    assert await kept(database) == [one | {"name": "row 3"}, other]


async def test_a_row_that_is_not_there_is_passed_over(database: Database) -> None:
    one = row(1)
    async with database.transaction() as conn:
        await insert(conn, [one])
        await update(conn, [changed(row(2), 2)])

    assert await kept(database) == [one]


async def test_rows_that_do_not_meet_the_condition_stay(database: Database) -> None:
    said, unsaid = row(1) | {"words": "first"}, row(2)
    async with database.transaction() as conn:
        await insert(conn, [said, unsaid])
        await update_unsaid(conn, [{"id": each["id"], "words": "second"} for each in (said, unsaid)])

    assert [each["words"] for each in await kept(database)] == ["first", "second"]


async def test_of_several_changes_of_a_row_the_condition_is_asked_for_each(database: Database) -> None:
    one = row(1)
    async with database.transaction() as conn:
        await insert(conn, [one])
        await update_unsaid(conn, [{"id": one["id"], "words": words} for words in ("first", "second")])

    assert [each["words"] for each in await kept(database)] == ["first"]


NUMBERED = Table(
    "numbered_rows",
    ROWS.metadata,
    Column("drawn", Integer, Identity(), primary_key=True),
    Column("name", String(40)),
)


async def test_what_the_database_fills_is_left_to_it(database: Database) -> None:
    names = [f"row {number}" for number in range(70)]
    async with database.transaction() as conn:
        await BulkInsert(NUMBERED, without=("drawn",)).run(conn, [{"name": name} for name in names])
        found = (await conn.execute(NUMBERED.select().order_by(NUMBERED.c.drawn))).all()

    assert [row.name for row in found] == names


async def test_a_batch_writes_all_of_its_parts_or_nothing(database: Database) -> None:
    first, second = [row(number) for number in range(3)], [row(number) for number in range(3, 73)]
    good, bad = database.batch(), database.batch()
    for batch, rows in ((good, second), (bad, [row(80), first[0]])):
        BulkInsert(ROWS).add(batch, first)
        BulkInsert(ROWS).add(batch, rows)
    BulkInsert(ROWS).add(good, [])

    with pytest.raises((asyncpg.UniqueViolationError, sqlite3.IntegrityError)):
        await database.write(bad)
    assert await kept(database) == []
    await database.write(good)
    assert await kept(database) == sorted(first + second, key=lambda each: str(each["id"]))


def move(old: dict[str, Any], new: dict[str, Any]) -> tuple[SimpleNamespace, SimpleNamespace]:
    return SimpleNamespace(**old), SimpleNamespace(**new)


@pytest.mark.parametrize("number", [0, 1, 2, 64, 65])
async def test_rows_that_are_as_they_were_read_are_changed(database: Database, number: int) -> None:
    rows = [row(each) | ({"name": None} if each % 2 else {"at": None}) for each in range(number)]
    bystander = row(999)
    written: list[bool] = []
    batch = database.batch()
    BulkInsert(ROWS).add(batch, [added := row(998)])
    new = [changed(old, each) for each, old in enumerate(rows)]
    swap(batch, list(map(move, rows, new)))
    batch.once_written(lambda: written.append(True))
    async with database.transaction() as conn:
        await insert(conn, [*rows, bystander])

    await database.write(batch)

    assert await kept(database) == sorted([*new, bystander, added], key=lambda each: str(each["id"]))
    assert written == [True]


async def test_only_columns_that_differ_are_written(database: Database) -> None:
    """What another wrote meanwhile into a column that is no part of it stays."""
    one, other = row(1), row(2)
    batch = database.batch()
    swap(batch, [move(one, one | {"count": 7}), move(other, other | {"sealed": None})])
    now = [one | {"other_id": new_id()}, other | {"other_id": None}]
    async with database.transaction() as conn:
        await insert(conn, now)

    await database.write(batch)

    assert await kept(database) == [now[0] | {"count": 7}, now[1] | {"sealed": None}]


@pytest.mark.parametrize("moved", [{"name": "another"}, {"name": None}, {"at": SOME_TIME}, None])
async def test_where_one_row_was_changed_or_is_gone_nothing_is_written(
    database: Database, moved: dict[str, Any] | None
) -> None:
    """Neither the other rows nor what else the batch holds."""
    rows = [row(each) for each in range(1, 4)]
    there = [rows[0], rows[2]] if moved is None else [rows[0], rows[1] | moved, rows[2]]
    written: list[bool] = []
    batch = database.batch()
    swap(batch, [move(old, changed(old, each)) for each, old in enumerate(rows)])
    BulkInsert(ROWS).add(batch, [row(998)])
    batch.once_written(lambda: written.append(True))
    async with database.transaction() as conn:
        await insert(conn, there)

    with pytest.raises(Outdated):
        await database.write(batch)

    assert await kept(database) == there
    assert written == []


async def test_of_many_who_change_the_same_rows_one_does_and_none_waits_for_the_other(
    database: Database,
) -> None:
    rows = [row(each) for each in range(40)]
    async with database.transaction() as conn:
        await insert(conn, rows)

    async def change(turn: int) -> bool:
        batch = database.batch()
        moves = [move(old, old | {"name": f"by {turn}"}) for old in rows]
        swap(batch, moves[turn:] + moves[:turn])
        try:
            await database.write(batch)
        except Outdated:
            return False
        return True

    done = await asyncio.gather(*map(change, range(10)))

    assert sum(done) == 1
    assert {each["name"] for each in await kept(database)} == {f"by {done.index(True)}"}


async def test_a_batch_within_a_transaction_goes_with_it(database: Database) -> None:
    batch = database.batch()
    BulkInsert(ROWS).add(batch, [row(1)])

    async def write_and_fail() -> None:
        async with database.transaction() as conn:
            await batch.run(conn)
            raise LookupError

    with pytest.raises(LookupError):
        await write_and_fail()

    assert await kept(database) == []


async def test_a_statement_that_selects_is_run_with_those_that_write() -> None:
    batch = Batch("postgresql")
    batch.add("INSERT INTO a SELECT * FROM unnest($1::int[], $2::int[])", [[1], [2]])
    batch.add("SELECT pg_notify($1, $2)", ["channel", "news"])

    assert batch.as_one() == (
        "WITH part_0 AS (INSERT INTO a SELECT * FROM unnest($1::int[], $2::int[]))"
        " SELECT (SELECT pg_notify($3, $4))",
        ([1], [2], "channel", "news"),
    )


@pytest.mark.parametrize("number", [0, 1, 2, 700])
async def test_rows_that_differ_in_ids_alone(database: Database, number: int) -> None:
    ids = [[new_id() for _ in range(number)] for _ in range(2)]
    same = {"name": "all", "at": SOME_TIME, "sealed": b"\x00\xff", "is_so": None}
    async with database.transaction() as conn:
        await spread(conn, ids, **same)
        # The first of them is there already, and is changed as is said there.
        await spread(conn, [each[:1] for each in ids], **(same | {"name": "again "}))
        written = (await conn.execute(ROWS.select().order_by(ROWS.c.id))).mappings().all()

    names = ["again all", *["all"] * (number - 1)][:number]
    assert [(each["id"], each["other_id"], each["name"]) for each in written] == [
        (*both, name) for both, name in zip(zip(*ids, strict=True), names, strict=True)
    ]
    rest = {(each["at"], each["sealed"], each["is_so"], each["words"]) for each in written}
    assert rest == ({(SOME_TIME, b"\x00\xff", None, None)} if number else set())
