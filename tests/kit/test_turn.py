"""Turns that one process at a time has."""

import asyncio

import pytest
from sqlalchemy import text

from postroom.kit.database import Database, DatabaseUnavailable, open_database, take_turn, turn

KEY, OTHER_KEY = 1_000_001, 1_000_002

pytestmark = pytest.mark.postgres


@pytest.fixture
def database(postgres_url: str) -> Database:
    return open_database(postgres_url)


async def test_one_at_a_time_has_its_turn_until_its_transaction_ends(database: Database) -> None:
    async with database.transaction() as first, database.transaction() as second:
        assert await take_turn(first, KEY)
        assert not await take_turn(second, KEY)
        assert await take_turn(second, OTHER_KEY)
    async with database.transaction() as third:
        assert await take_turn(third, KEY)
    await database.close()


async def test_who_is_stopped_in_the_middle_loses_its_turn(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn, "_IDLE", "200ms")

    async def be_stopped() -> None:
        async with database.transaction() as conn:
            assert await take_turn(conn, KEY)
            await asyncio.sleep(0.5)

    with pytest.raises(DatabaseUnavailable):
        await be_stopped()

    async with database.transaction() as other:
        assert await take_turn(other, KEY)
    async with database.transaction() as later:
        # What was said of the one transaction is not said of others.
        assert await later.scalar(text("SHOW idle_in_transaction_session_timeout")) == "0"
    await database.close()
