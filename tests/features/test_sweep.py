"""What keeps a promise when a queue or a process forgets, and what is given up in its time."""

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from postroom.domain.lane import Lane
from postroom.domain.notification import Notification
from postroom.features.notifications import store
from postroom.features.notifications.sweep import (
    give_up_raw_keys,
    ids_due,
    queue_overdue,
    queue_upcoming,
)
from postroom.features.notifications.tables import deliveries
from postroom.features.services.store import credentials
from tests.features.plans import Plans

if TYPE_CHECKING:
    from tests.features.conftest import Office

HOUR = timedelta(hours=1)
ENTRYPOINTS = {Lane.SINGLE: "delivery", Lane.BULK: "delivery-1"}


async def raw_keys(office: "Office") -> int:
    return sum(row.is_raw for row in await office.rows(credentials))


async def give_up(office: "Office", *, later: timedelta) -> int:
    async with office.app.database.transaction() as conn:
        return await give_up_raw_keys(conn, credentials=office.app.credentials, now=office.now + later)


async def test_a_raw_key_is_kept_as_long_as_a_delivery_needs_it(office: "Office") -> None:
    key = office.sandbox.mint_key()
    made = await office.create(office.email(service_key=key))
    assert (await give_up(office, later=99 * HOUR), await raw_keys(office)) == (0, 1)
    sent = await office.step(made)
    assert (await give_up(office, later=99 * HOUR), await raw_keys(office)) == (0, 1)

    await office.receive(sent, "delivered")

    assert (await give_up(office, later=HOUR / 2), await raw_keys(office)) == (0, 1)
    assert (await give_up(office, later=HOUR + timedelta(minutes=1)), await raw_keys(office)) == (1, 0)
    (row,) = await office.rows(deliveries)
    assert await office.app.credentials.get(row.credential_id) is None


async def test_a_raw_key_that_comes_again_is_kept_again(office: "Office") -> None:
    key = office.sandbox.mint_key()
    first = await office.create(office.email(service_key=key))
    await office.receive(await office.step(first), "delivered")
    await give_up(office, later=2 * HOUR)

    again = await office.create(office.email(service_key=key))

    assert await raw_keys(office) == 1
    await office.step(again)
    assert len(office.sandbox.sent()) == 2


async def test_a_services_own_key_is_never_given_up(office: "Office") -> None:
    made = await office.create(office.email())
    await office.receive(await office.step(made), "delivered")

    assert (await give_up(office, later=99 * HOUR), len(await office.rows(credentials))) == (0, 2)


async def queued(office: "Office") -> list[str]:
    async with office.app.database.reading() as conn:
        return list(await conn.scalars(text("SELECT entrypoint FROM pgqueuer")))


async def forget(office: "Office", *, due_at: datetime, lane: Lane = Lane.SINGLE) -> Notification:
    """A delivery that no queue knows of."""
    made = await office.create(office.email())
    async with office.app.database.transaction() as conn:
        await conn.execute(text("DELETE FROM pgqueuer"))
        await conn.execute(deliveries.update().values(due_at=due_at, lane=lane.value))
    return made


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("due_in", "overdue", "upcoming"),
    [
        pytest.param(timedelta(seconds=-3), 1, 0, id="overdue"),
        pytest.param(timedelta(seconds=-1), 0, 0, id="just due: the queue will have it"),
        pytest.param(timedelta(minutes=1), 0, 1, id="coming up"),
        pytest.param(timedelta(minutes=3), 0, 0, id="far off"),
    ],
)
@pytest.mark.parametrize("lane", list(Lane))
async def test_what_a_queue_forgot_is_queued_again(
    postgres_office: "Office", due_in: timedelta, overdue: int, upcoming: int, lane: Lane
) -> None:
    office = postgres_office
    now = office.now
    await forget(office, due_at=now + due_in, lane=lane)

    async with office.app.database.transaction() as conn:
        first = await queue_overdue(conn, queue=office.app.queue, now=now)
        await queue_overdue(conn, queue=office.app.queue, now=now)
    async with office.app.database.transaction() as conn:
        second = await queue_upcoming(conn, queue=office.app.queue, now=now, horizon=timedelta(minutes=2))

    assert (first, second) == (overdue, upcoming)
    assert await queued(office) == [ENTRYPOINTS[lane]] * (overdue + upcoming)


@pytest.mark.postgres
async def test_two_who_sweep_at_once_do_not_wait_for_each_other(postgres_office: "Office") -> None:
    """Each would put the same jobs, and the second wait for the first's commit."""
    office = postgres_office
    await forget(office, due_at=office.now - timedelta(seconds=60))
    queue, now = office.app.queue, office.now
    async with office.app.database.transaction() as first, office.app.database.transaction() as second:
        assert await queue_overdue(first, queue=queue, now=now) == 1
        async with asyncio.timeout(1):
            assert await queue_overdue(second, queue=queue, now=now) == 0

    async with office.app.database.transaction() as later:
        assert await queue_overdue(later, queue=queue, now=now) == 1


@pytest.mark.postgres
async def test_what_comes_up_waits_for_nobody_who_queues_what_is_overdue(postgres_office: "Office") -> None:
    """Both begin with a worker, and the one is tried again only a minute later."""
    office = postgres_office
    await forget(office, due_at=office.now + timedelta(seconds=60))
    queue, now = office.app.queue, office.now
    async with office.app.database.transaction() as first, office.app.database.transaction() as second:
        assert await queue_overdue(first, queue=queue, now=now) == 0
        assert await queue_upcoming(second, queue=queue, now=now, horizon=timedelta(minutes=2)) == 1


@pytest.mark.postgres
async def test_what_is_in_hand_is_left_there(postgres_office: "Office") -> None:
    office = postgres_office
    await forget(office, due_at=office.now - timedelta(seconds=60))
    async with office.app.database.transaction() as conn:
        await conn.execute(deliveries.update().values(lease_until=office.now + timedelta(seconds=5)))

        assert await queue_overdue(conn, queue=office.app.queue, now=office.now) == 0


@pytest.mark.parametrize("lane", list(Lane))
async def test_what_is_due_is_found_by_its_index_and_lane_by_lane(office: "Office", lane: Lane) -> None:
    """However much is kept, and however much is due in the other lane."""
    for each in Lane:
        for reference in ("first", "second"):
            await office.app.creator.create(
                office.email(reference=reference), caller=office.repairs, now=office.now, lane=each
            )
    plans = Plans(office.app.database, about="due_at")

    due = await ids_due(office.app.database, office.now, 10, lane)
    async with office.app.database.reading() as conn:
        # The same statement, by the way on which its plan is kept.
        assert [row.id for row in await store.due(conn, now=office.now, limit=10, lane=lane)] == due

    (plan,) = await plans.found()
    assert [row.id for row in await office.rows(deliveries) if row.lane == lane] == due
    assert len(due) == 2
    assert "ix_deliveries_due" in plan
    assert "SORT" not in plan.upper()
    assert "TEMP B-TREE" not in plan.upper()
