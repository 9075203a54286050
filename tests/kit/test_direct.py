"""Statements by PostgreSQL's driver itself: what they say when it cannot, and what is left for the next."""

import asyncio
import socket
import traceback
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import make_url, text

from postroom.kit.database import Database, DatabaseUnavailable, LockTimeout, open_database
from postroom.kit.database import direct as direct_module
from postroom.kit.database.direct import Direct

EMAIL = "amala@example.com"
MOST = 3
OTHERS = "SELECT pid FROM pg_stat_activity WHERE application_name = 'direct' AND datname = current_database()"

pytestmark = pytest.mark.postgres


@pytest.fixture
async def other(postgres_url: str) -> AsyncIterator[Database]:
    """By which the same database is looked at."""
    opened = open_database(postgres_url)
    async with opened.transaction() as conn:
        await conn.execute(text("CREATE TABLE things (name VARCHAR(40) NOT NULL UNIQUE)"))
    yield opened
    await opened.close()


@pytest.fixture
async def direct(postgres_url: str, other: Database) -> AsyncIterator[Direct]:
    settings = {"application_name": "direct", "lock_timeout": "50ms"}
    opened = Direct(make_url(postgres_url), most=MOST, answer_seconds=1, settings=settings)
    yield opened
    await opened.close()


async def connections(other: Database) -> list[int]:
    async with other.reading() as conn:
        return list(await conn.scalars(text(OTHERS)))


async def none_left(other: Database, *, within: float = 5) -> None:
    """A server closes a connection some moments after it was told to."""
    async with asyncio.timeout(within):
        while await connections(other):  # noqa: ASYNC110 - nothing says when
            await asyncio.sleep(0.01)


async def insert(direct: Direct, name: str) -> None:
    await direct.run("INSERT INTO things VALUES ($1)", [name])


async def names(direct: Direct) -> list[str]:
    return [row[0] for row in await direct.run("SELECT name FROM things ORDER BY name", [])]


async def test_each_statement_is_there_after_it_and_they_share_a_connection(
    direct: Direct, other: Database
) -> None:
    await insert(direct, "one")
    await insert(direct, "two")

    async with other.reading() as conn:
        assert set(await conn.scalars(text("SELECT name FROM things"))) == {"one", "two"}
    assert len(await connections(other)) == 1


async def test_those_that_come_together_have_so_many_connections_at_most(
    direct: Direct, other: Database
) -> None:
    given = [f"thing-{number:02}" for number in range(30)]

    await asyncio.gather(*(insert(direct, name) for name in given))

    assert await names(direct) == given
    assert len(await connections(other)) <= MOST


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        pytest.param(
            "INSERT INTO things VALUES ($1)", asyncpg.UniqueViolationError, id="what is there already"
        ),
        pytest.param("SELECT $1::int", asyncpg.DataError, id="what the driver cannot send"),
        pytest.param("SELECT $1::uuid", asyncpg.DataError, id="what the server cannot read"),
    ],
)
async def test_an_error_does_not_quote_what_was_being_written(
    direct: Direct, statement: str, error: type[Exception]
) -> None:
    await insert(direct, EMAIL)

    with pytest.raises(error) as raised:
        await direct.run(statement, [EMAIL])

    told = "".join(traceback.format_exception(raised.value)) + repr(raised.value) + repr(vars(raised.value))
    assert EMAIL not in told
    assert await names(direct) == [EMAIL]


async def test_connections_that_the_server_has_closed_are_passed_over(
    direct: Direct, other: Database
) -> None:
    """Nobody's statement fails for it."""
    await asyncio.gather(*(insert(direct, f"{number}") for number in range(MOST)))
    async with other.transaction() as conn:
        await conn.execute(text(f"SELECT pg_terminate_backend(pid) FROM ({OTHERS}) AS theirs"))
    await none_left(other)
    await asyncio.sleep(0.2)  # they are gone from the server's list before their sockets are closed

    await insert(direct, "after")

    assert "after" in await names(direct)


async def test_a_connection_that_is_cut_in_the_middle_is_unavailable_and_the_next_works(
    direct: Direct, other: Database
) -> None:
    waiting = asyncio.create_task(direct.run("SELECT pg_sleep(60)", []))
    await asyncio.sleep(0.3)
    pids = await connections(other)
    async with other.transaction() as conn:
        await conn.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pids[0]})

    with pytest.raises(DatabaseUnavailable):
        await waiting
    await insert(direct, "after")


async def test_who_is_cancelled_leaves_its_place_and_no_answer_behind(
    direct: Direct, other: Database
) -> None:
    for _ in range(2 * MOST):
        waiting = asyncio.create_task(direct.run("SELECT 'not asked for', pg_sleep(0.5)", []))
        await asyncio.sleep(0.05)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    async with asyncio.timeout(1):
        assert await direct.run("SELECT 1", []) == [(1,)]


@pytest.mark.parametrize("cancelled", [True, False], ids=["cancelled", "too late"])
async def test_what_was_not_waited_for_to_the_end_is_not_written_later(
    direct: Direct, other: Database, *, cancelled: bool
) -> None:
    """Nor does the server go on with it, beside as many others as there may be."""
    writing = asyncio.create_task(direct.run("INSERT INTO things SELECT $1 FROM pg_sleep(2.5)", ["late"]))
    if cancelled:
        await asyncio.sleep(0.3)
        writing.cancel()
    with pytest.raises((asyncio.CancelledError, DatabaseUnavailable)):
        await writing

    await none_left(other, within=1)
    await asyncio.sleep(2.5)
    assert await names(direct) == []


async def test_so_is_a_place_that_nobody_leaves(direct: Direct, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct_module, "_WAIT_SECONDS", 0.1)
    taken = [asyncio.create_task(direct.run("SELECT pg_sleep(0.6)", [])) for _ in range(MOST)]
    await asyncio.sleep(0.05)

    with pytest.raises(DatabaseUnavailable, match=r"^\w+$"):
        await insert(direct, "too late")

    await asyncio.gather(*taken)
    assert await names(direct) == []
    await asyncio.gather(*(insert(direct, f"{number}") for number in range(2 * MOST)))


async def test_what_another_holds_is_waited_for_no_longer_than_is_said(
    direct: Direct, other: Database
) -> None:
    await insert(direct, "one")
    async with other.transaction() as conn:
        await conn.execute(text("UPDATE things SET name = 'two'"))
        with pytest.raises(LockTimeout):
            await direct.run("UPDATE things SET name = 'three'", [])

    assert await names(direct) == ["two"]


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = make_url(f"postgresql://postroom@127.0.0.1:{taken.getsockname()[1]}/postroom")
        direct = Direct(url, most=1, answer_seconds=1, settings={})
        for _ in range(2):
            with pytest.raises(DatabaseUnavailable, match=r"^\w+$"):
                await direct.run("SELECT 1", [])


async def test_closing_leaves_no_connection_not_even_of_what_is_in_hand(
    direct: Direct, other: Database
) -> None:
    await asyncio.gather(*(insert(direct, f"{number}") for number in range(MOST)))
    in_hand = asyncio.create_task(direct.run("SELECT pg_sleep(0.3)", []))
    await asyncio.sleep(0.1)

    await direct.close()
    await in_hand

    await none_left(other)
