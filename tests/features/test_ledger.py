"""The ledger accounts for everything that is accepted, and finds whatever it cannot account for."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from postroom.domain.channel import Channel
from postroom.domain.delivery import Step
from postroom.features.notifications.ledger import Ledger, Unaccounted, find_unaccounted, take_stock
from postroom.features.notifications.tables import UNACCOUNTED, deliveries, notifications

if TYPE_CHECKING:
    from tests.features.conftest import Office

NOTHING = Unaccounted(without_end_or_step=0, without_deliveries=0, not_kept=0)


async def stock(office: "Office", **how: Any) -> Ledger:
    async with office.app.database.reading() as conn:
        return await take_stock(conn, now=office.now, **how)


async def change(office: "Office", statement: Any) -> None:
    async with office.app.database.transaction() as conn:
        await conn.execute(statement)


async def test_each_delivery_stands_in_one_line(office: "Office") -> None:
    await office.create(office.screen())
    waiting = await office.create(office.email())
    asked = await office.create(office.email())
    sending = await office.create(office.email())
    removed = await office.create(office.email())
    ended = await office.create(office.email(email="simulate-delivered@notifications.service.gov.uk"))
    await office.withdraw(removed, caller=office.repairs)
    for made in (sending, ended):
        await office.step(made)
    office.sandbox.fail("down", times=1, method="POST")
    await office.step(asked)

    book = await stock(office)

    assert (book.accepted, book.on_screen_only, book.deliveries) == (6, 1, 5)
    assert dict(book.ended) == {"cancelled": 1, "delivered": 1}
    assert dict(book.open.steps) == {Step.SEND: 1, Step.LOOK: 1, Step.POLL: 1}
    assert book.open.longest_due == (await office.row(deliveries, waiting.deliveries[0].id)).due_at
    assert book.unaccounted == NOTHING


async def test_what_is_late_is_counted(office: "Office") -> None:
    await office.create(office.email())
    assert (await stock(office)).open.overdue == 0

    office.clock.ahead += timedelta(minutes=2)

    assert (await stock(office)).open.overdue == 1


async def test_it_can_be_asked_for_what_came_since(office: "Office") -> None:
    await office.create(office.email())
    office.clock.ahead += timedelta(milliseconds=5)

    later = await stock(office, since=office.now + timedelta(minutes=1))
    earlier = await stock(office, since=office.now - timedelta(minutes=1))

    assert (later.accepted, later.deliveries) == (0, 0)
    assert (earlier.accepted, earlier.deliveries) == (1, 1)


@pytest.mark.parametrize(
    ("values", "lost"),
    [
        pytest.param({"due_at": None}, 1, id="waits for nothing"),
        pytest.param({"status": "sending", "due_at": None}, 1, id="is followed by nobody"),
        pytest.param({"status": "delivered"}, 1, id="ended, and is still to be worked on"),
        pytest.param({"status": "delivered", "due_at": None}, 1, id="ended, and does not say when"),
        pytest.param({"status": "mislaid"}, 1, id="a status that is none"),
        pytest.param({"status": "held"}, 0, id="held, until a moment"),
    ],
)
async def test_a_delivery_without_end_or_step_is_found(
    office: "Office", values: dict[str, Any], lost: int
) -> None:
    made = await office.create(office.email())
    await change(office, deliveries.update().values(**values))

    book = await stock(office)

    assert book.unaccounted == Unaccounted(lost, 0, 0)
    assert (book.accepted, book.deliveries) == (1, 1)
    assert made.id


async def test_a_notification_without_all_its_deliveries_is_found(office: "Office") -> None:
    made = await office.create(
        office.email(
            channels=(Channel.EMAIL, Channel.TEXT),
            template_ids={
                Channel.EMAIL: office.sandbox.templates["email"],
                Channel.TEXT: office.sandbox.templates["text"],
            },
            mobile_number="07700900123",
            personalisation={"name": "Amala", "ref": "1", "code": "2"},
        )
    )
    assert (await stock(office)).unaccounted == NOTHING

    await change(office, deliveries.delete().where(deliveries.c.id == made.deliveries[0].id))

    assert (await stock(office)).unaccounted == Unaccounted(0, 1, 0)


async def test_what_was_accepted_and_is_not_there_is_found(office: "Office") -> None:
    made = await office.create(office.screen())
    await change(office, notifications.delete().where(notifications.c.id == made.id))

    async with office.app.database.reading() as conn:
        found = await find_unaccounted(conn, since=office.now - timedelta(minutes=1))

    assert found == Unaccounted(0, 0, 1)


async def test_deliveries_without_end_or_step_are_found_by_an_index(office: "Office") -> None:
    """It holds nothing where all is well: it costs the same however many deliveries there are."""
    query = f"SELECT count(*) FROM deliveries WHERE {UNACCOUNTED}"
    async with office.app.database.reading() as conn:
        if office.app.database.is_postgres:
            await conn.execute(text("SET LOCAL enable_seqscan = off"))
            rows = await conn.execute(text(f"EXPLAIN {query}"))
        else:
            rows = await conn.execute(text(f"EXPLAIN QUERY PLAN {query}"))
        plan = "\n".join(str(row) for row in rows)

    assert "ix_deliveries_unaccounted" in plan
