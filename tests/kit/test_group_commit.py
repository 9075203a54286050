"""What arrives together is written together, and each learns what became of its own."""

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy import Column, MetaData, String, Table, text
from sqlalchemy.exc import IntegrityError

from postroom.kit.database import (
    AsyncConnection,
    Database,
    DatabaseUnavailable,
    GroupCommit,
    WriterBusy,
    in_transactions,
    open_database,
)

THINGS = Table("things", MetaData(), Column("name", String(40)))


class Writing:
    """Writes names, keeps what each transaction was given, and stops at a gate while that is shut."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.commits = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.at_once = 0
        self.most_at_once = 0
        self.unavailable = False

    async def write(self, conn: AsyncConnection, names: Sequence[str]) -> list[str]:
        self.batches.append(list(names))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.gate.wait()
            if self.unavailable:
                raise DatabaseUnavailable("OperationalError")
            await conn.execute(THINGS.insert(), [{"name": name} for name in names])
        finally:
            self.at_once -= 1
        return [f"{name} is written" for name in names]

    def committed(self) -> None:
        self.commits += 1


@pytest.fixture
def writing() -> Writing:
    return Writing()


def group(database: Database, writing: Writing, **kwargs: int) -> GroupCommit[str, str]:
    write = in_transactions(database, writing.write)
    return GroupCommit(write=write, after_commit=writing.committed, **kwargs)


async def written(database: Database) -> list[str]:
    async with database.reading() as conn:
        return sorted(await conn.scalars(text("SELECT name FROM things")))


async def begun(writing: Writing, batches: int = 1) -> None:
    async with asyncio.timeout(2):
        while len(writing.batches) < batches:  # noqa: ASYNC110 - a count, not an event
            await asyncio.sleep(0.001)


async def submit_all(commit: GroupCommit[str, str], names: Sequence[str]) -> "list[str | BaseException]":
    async with asyncio.timeout(10):
        return await asyncio.gather(*(commit.submit(name) for name in names), return_exceptions=True)


async def test_each_learns_the_result_of_its_own(database: Database, writing: Writing) -> None:
    names = [f"thing-{number:03}" for number in range(200)]

    results = await submit_all(group(database, writing), names)

    assert results == [f"{name} is written" for name in names]
    assert await written(database) == names


async def test_what_comes_while_one_is_written_shares_the_next_transaction(
    database: Database, writing: Writing
) -> None:
    commit = group(database, writing, most=64)
    names = [f"thing-{number:03}" for number in range(101)]
    writing.gate.clear()
    first = asyncio.create_task(commit.submit(names[0]))
    await begun(writing)
    rest = asyncio.create_task(submit_all(commit, names[1:]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    writing.gate.set()
    await asyncio.gather(first, rest)

    assert writing.batches == [names[:1], names[1:65], names[65:]]
    assert writing.commits == 3


async def test_nobody_is_told_before_the_commit(database: Database, writing: Writing) -> None:
    commit = group(database, writing)
    writing.gate.clear()
    waiting = asyncio.create_task(commit.submit("one"))
    await begun(writing)

    assert (await written(database), waiting.done(), writing.commits) == ([], False, 0)
    writing.gate.set()
    assert await waiting == "one is written"
    assert (await written(database), writing.commits) == (["one"], 1)


async def test_a_member_that_cannot_be_written_fails_alone(database: Database, writing: Writing) -> None:
    writing.gate.clear()
    commit = group(database, writing)
    first = asyncio.create_task(commit.submit("one"))
    await begun(writing)
    rest = asyncio.create_task(submit_all(commit, ["two", "one", "three"]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    writing.gate.set()

    assert await first == "one is written"
    two, again, three = await rest
    assert (two, three) == ("two is written", "three is written")
    assert isinstance(again, IntegrityError)
    assert await written(database) == ["one", "three", "two"]
    assert writing.batches == [["one"], ["two", "one", "three"], ["two"], ["one"], ["three"]]


async def test_where_the_database_is_away_all_are_told_at_once(database: Database, writing: Writing) -> None:
    writing.unavailable = True
    results = await submit_all(group(database, writing), ["one", "two"])

    assert [type(result) for result in results] == [DatabaseUnavailable, DatabaseUnavailable]
    assert writing.batches == [["one", "two"]] or writing.batches == [["one"], ["two"]]
    assert (await written(database), writing.commits) == ([], 0)


async def test_it_goes_on_when_the_database_is_back(database: Database, writing: Writing) -> None:
    commit = group(database, writing)
    writing.unavailable = True
    await submit_all(commit, ["one"])
    writing.unavailable = False

    assert await commit.submit("two") == "two is written"


async def test_more_than_may_wait_is_refused_and_not_kept(database: Database, writing: Writing) -> None:
    commit = group(database, writing, most_waiting=2)
    writing.gate.clear()
    first = asyncio.create_task(commit.submit("one"))
    await begun(writing)
    waiting = [asyncio.create_task(commit.submit(name)) for name in ("two", "three")]
    await asyncio.sleep(0)

    with pytest.raises(WriterBusy):
        await commit.submit("four")

    writing.gate.set()
    await asyncio.gather(first, *waiting)
    assert await written(database) == ["one", "three", "two"]


@pytest.mark.parametrize("when", ["while it waits", "while it is written"])
async def test_what_a_caller_who_went_away_submitted_is_written(
    database: Database, writing: Writing, when: str
) -> None:
    commit = group(database, writing)
    writing.gate.clear()
    first = asyncio.create_task(commit.submit("one"))
    await begun(writing)
    second = asyncio.create_task(commit.submit("two"))
    await asyncio.sleep(0)
    (second if when == "while it waits" else first).cancel()
    writing.gate.set()
    await asyncio.gather(first, second, return_exceptions=True)
    await commit.close()

    assert await written(database) == ["one", "two"]


async def test_closing_waits_for_what_was_submitted(database: Database, writing: Writing) -> None:
    commit = group(database, writing, most=2)
    tasks = [asyncio.create_task(commit.submit(name)) for name in ("one", "two", "three", "four", "five")]
    await asyncio.sleep(0)

    await commit.close()

    assert await written(database) == ["five", "four", "one", "three", "two"]
    await asyncio.gather(*tasks)


@pytest.mark.postgres
@pytest.mark.parametrize("writers", [1, 2])
async def test_so_many_transactions_at_a_time(postgres_url: str, writing: Writing, writers: int) -> None:
    database = open_database(postgres_url)
    async with database.transaction() as conn:
        await conn.execute(text("CREATE TABLE things (name text)"))
    commit = group(database, writing, most=1, writers=writers)

    # Many: the second writer has to connect first, while the other already writes.
    await submit_all(commit, [f"thing-{number}" for number in range(600)])

    assert writing.most_at_once == writers
    await database.close()


async def test_who_gives_up_waiting_for_the_close_stops_no_writing(
    database: Database, writing: Writing
) -> None:
    writing.gate.clear()
    commits = group(database, writing)
    submitted = asyncio.create_task(commits.submit("late"))
    await begun(writing)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await commits.close()
    writing.gate.set()

    assert await submitted == "late is written"
    assert await written(database) == ["late"]


async def test_who_waits_behind_a_database_that_was_waited_for_in_vain_is_told_too(
    database: Database, writing: Writing
) -> None:
    """Else each transaction would wait as long, one after the other, and the last for minutes."""
    commit = group(database, writing, most=2)
    writing.gate.clear()
    writing.unavailable = True
    first = asyncio.create_task(commit.submit("one"))
    await begun(writing)
    rest = asyncio.create_task(submit_all(commit, ["two", "three", "four", "five"]))
    await asyncio.sleep(1.1)
    writing.gate.set()

    told = [*(await asyncio.gather(first, return_exceptions=True)), *(await rest)]
    assert [type(each) for each in told] == [DatabaseUnavailable] * 5
    assert writing.batches == [["one"]]
    writing.unavailable = False
    assert await commit.submit("six") == "six is written"
