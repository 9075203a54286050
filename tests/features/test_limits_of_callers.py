"""How often a service may call: a minute's worth at once, and as many as come back with time."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postroom.app import migrate_database
from postroom.domain.allowance import Allowance
from postroom.features.limits import CallerLimits
from postroom.kit.database import Database, open_database
from postroom.kit.ids import new_id

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
REPAIRS, HOUSING = new_id(), new_id()


class Door:
    """One process's counting, at a time that the test sets."""

    def __init__(self, database: Database, *, a_minute: int = 12_000) -> None:
        self.now = NOON
        self.limits = CallerLimits(database=database, clock=lambda: self.now, calls_a_minute=a_minute)

    async def take(self, cost: int = 1, *, service: str = REPAIRS, a_minute: int | None = None) -> Allowance:
        return await self.limits.take(service, cost=cost, a_minute=a_minute)

    async def allowed(self, calls: int, *, service: str = REPAIRS) -> int:
        return sum([(await self.take(service=service)).allowed for _ in range(calls)])


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = open_database(database_url)
    await migrate_database(database)
    yield database
    await database.close()


@pytest.fixture
async def postgres(postgres_url: str) -> AsyncIterator[Database]:
    database = open_database(postgres_url)
    await migrate_database(database)
    yield database
    await database.close()


async def test_a_minutes_worth_goes_at_once_and_then_as_many_as_come_back(database: Database) -> None:
    door = Door(database, a_minute=60)

    assert await door.allowed(70) == 60
    door.now += 5 * SECOND
    assert await door.allowed(10) == 5
    door.now += timedelta(hours=1)
    assert await door.allowed(70) == 60


async def test_an_answer_says_what_is_left(database: Database) -> None:
    door = Door(database, a_minute=60)

    assert await door.take() == Allowance(True, 60, 59, 1)
    assert await door.take(9) == Allowance(True, 60, 50, 10)
    assert await door.take(50) == Allowance(True, 60, 0, 60)
    assert await door.take() == Allowance(False, 60, 0, 60, 1)
    assert await door.take(30) == Allowance(False, 60, 0, 60, 30)
    door.now += 10 * SECOND
    assert await door.take(30) == Allowance(False, 60, 10, 50, 20)
    door.now += 20 * SECOND
    assert await door.take(30) == Allowance(True, 60, 0, 60)


async def test_who_asks_again_when_told_to_is_let_in(database: Database) -> None:
    door = Door(database, a_minute=7)
    await door.allowed(7)
    for cost in (1, 2, 5, 7):
        refused = await door.take(cost)
        assert not refused.allowed
        door.now += refused.retry_after_seconds * SECOND
        assert (await door.take(cost)).allowed


async def test_a_bulk_is_taken_whole_or_not_at_all(database: Database) -> None:
    door = Door(database, a_minute=60)

    assert (await door.take(40)).allowed
    assert not (await door.take(21)).allowed
    assert (await door.take(20)).allowed


async def test_a_bulk_of_more_than_a_minutes_worth_goes_and_is_paid_off(database: Database) -> None:
    door = Door(database, a_minute=60)

    assert (await door.take(100)) == Allowance(True, 60, 0, 100)
    assert (await door.take()).retry_after_seconds == 41
    door.now += 41 * SECOND
    assert await door.allowed(2) == 1


async def test_each_service_has_its_own(database: Database) -> None:
    door = Door(database, a_minute=5)

    assert await door.allowed(10) == 5
    assert await door.allowed(10, service=HOUSING) == 5


async def test_a_services_own_limit_holds_from_its_next_call_on(database: Database) -> None:
    door = Door(database, a_minute=60)
    await door.take(a_minute=10)

    assert (await door.take()).a_minute == 10
    assert (await door.take(a_minute=6)).a_minute == 6
    assert await door.allowed(10) <= 6
    door.now += timedelta(minutes=1)
    assert (await door.take(a_minute=600)).a_minute == 600
    door.now += timedelta(minutes=1)
    assert await door.allowed(700) == 600


async def test_a_clock_that_goes_back_gives_nothing(database: Database) -> None:
    door = Door(database, a_minute=5)
    await door.allowed(5)
    door.now -= 30 * SECOND
    assert await door.allowed(5) == 0
    door.now += 30 * SECOND
    assert await door.allowed(5) == 0


async def test_a_clock_that_was_far_ahead_does_not_shut_the_door_until_then(database: Database) -> None:
    door = Door(database, a_minute=60)
    door.now += timedelta(days=1)
    await door.allowed(60)
    door.now = NOON
    again = Door(database, a_minute=60)
    for one in (door, again):
        await one.allowed(60)
        one.now += timedelta(minutes=2)

    assert await again.allowed(1) == 1
    assert await door.allowed(1) == 1


@pytest.mark.postgres
async def test_a_small_limit_is_exact_over_several_processes(postgres: Database) -> None:
    doors = [Door(postgres, a_minute=40) for _ in range(3)]

    answers = await asyncio.gather(*(door.take() for _ in range(20) for door in doors))

    assert sum(answer.allowed for answer in answers) == 40


@pytest.mark.postgres
async def test_a_large_limit_is_shared_in_lots(postgres: Database) -> None:
    """What another process has in hand is not there: so much too little is given, and no call too much."""
    doors = [Door(postgres, a_minute=2_000) for _ in range(3)]
    answers = [(await door.take()).allowed for _ in range(800) for door in doors]

    assert 2_000 - 2 * 10 <= sum(answers) <= 2_000


@pytest.mark.postgres
async def test_few_calls_ask_the_database(postgres: Database) -> None:
    """Between two lots no transaction is begun: one that would be, would meet a closed door."""
    door = Door(postgres, a_minute=12_000)
    await door.take()
    async with postgres.transaction() as conn:
        await conn.exec_driver_sql("DROP TABLE caller_buckets")

    assert await door.allowed(59) == 59


@pytest.mark.postgres
async def test_what_a_process_did_not_spend_goes_back(postgres: Database) -> None:
    door, other = Door(postgres, a_minute=12_000), Door(postgres, a_minute=12_000)
    await door.take(11_900)  # and a lot of none
    await door.take()
    door.now += timedelta(seconds=61)
    other.now = door.now
    await door.take()  # its lot has lapsed: 59 go back, beside those that time has brought

    assert (await other.take(11_939)).allowed


@pytest.mark.postgres
async def test_who_is_refused_again_and_again_asks_the_database_seldom(postgres: Database) -> None:
    door = Door(postgres, a_minute=60)
    await door.allowed(60)
    assert not (await door.take()).allowed
    async with postgres.transaction() as conn:
        await conn.exec_driver_sql("UPDATE caller_buckets SET tokens = 50")

    assert await door.allowed(20) == 0
    door.now += SECOND
    assert await door.allowed(20) == 20


@pytest.mark.postgres
async def test_while_the_database_is_away_callers_are_let_through(
    postgres_url: str, postgres: Database
) -> None:
    nowhere = open_database("postgresql://nobody@127.0.0.1:1/nothing")
    door = Door(nowhere, a_minute=2)

    assert await door.allowed(10) == 10
    door.now += 2 * SECOND
    assert await door.take() == Allowance(True, 2, 2, 0)
    door.limits._database = postgres
    door.now += 2 * SECOND
    assert await door.allowed(10) == 2
    await nowhere.close()


asked = st.lists(
    st.tuples(st.integers(0, 4_000), st.integers(1, 4), st.integers(0, 1)), min_size=1, max_size=60
)


def test_in_no_time_more_than_a_minutes_worth_and_what_came_back(database_url: str) -> None:
    """Whoever calls whichever process, and however much at once."""
    with asyncio.Runner() as runner:
        database = open_database(database_url)
        runner.run(migrate_database(database))

        @settings(max_examples=30)
        @given(calls=asked)
        def hold(calls: list[tuple[int, int, int]]) -> None:
            first = Door(database, a_minute=20)
            # On SQLite there is one process.
            doors = [first, Door(database, a_minute=20) if database.is_postgres else first]
            service, gone, now = new_id(), [], NOON
            for milliseconds, cost, which in calls:
                now += timedelta(milliseconds=milliseconds)
                doors[which].now = now
                if runner.run(doors[which].take(cost, service=service)).allowed:
                    gone.append((now, cost))
            _check_every_window(gone)

        hold()
        runner.run(database.close())


def _check_every_window(gone: list[tuple[datetime, int]]) -> None:
    for first in range(len(gone)):
        spent = 0
        for at, cost in gone[first:]:
            spent += cost
            assert spent <= 20 + (at - gone[first][0]).total_seconds() / 3 + 1e-6
