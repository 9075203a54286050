"""What was given up is listed with its story, and taken up again without being sent twice."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from postroom.domain.channel import Channel
from postroom.domain.errors import Conflict, NotFound
from postroom.domain.notification import Notification
from postroom.domain.status import Status
from postroom.features.audit.store import audit_entries
from postroom.features.notifications.dead_letters import (
    AT_ONCE,
    Cause,
    Filters,
    Page,
    Replayer,
    count_dead,
    find_dead,
    replay_all,
    replay_one,
)
from postroom.features.notifications.tables import deliveries

if TYPE_CHECKING:
    from tests.features.conftest import Office


async def listed(office: "Office", **filters: Any) -> Page:
    async with office.app.database.reading() as conn:
        return await find_dead(conn, Filters(**filters))


def replayer(office: "Office", **changed: Any) -> Replayer:
    values = {"vault": office.app.vault, "queue": office.app.queue, "now": office.now, "actor": "Joe"}
    return Replayer(**(values | changed))


async def replayed(office: "Office", delivery_id: str, **how: Any) -> None:
    async with office.app.database.transaction() as conn:
        await replay_one(
            conn, delivery_id, service_id=office.repairs.service_id, replayer=replayer(office, **how)
        )


async def grow_old(office: "Office", made: Notification, *, hours: int) -> None:
    """As if all of it had been so long ago: the provider's clock is not to be moved that far."""
    (delivery,) = (await office.one(made)).deliveries
    row = await office.row(deliveries, delivery.id)
    then = timedelta(hours=hours)
    values = {
        "created_at": row.created_at - then,
        "open_attempt_at": row.open_attempt_at and row.open_attempt_at - then,
        "due_at": office.now,
    }
    async with office.app.database.transaction() as conn:
        await conn.execute(deliveries.update().where(deliveries.c.id == delivery.id).values(**values))


async def given_up(office: "Office", **changed: Any) -> Notification:
    """One that found no provider for longer than is tried."""
    made = await office.create(office.email(**changed))
    office.sandbox.fail("limited", method="POST")
    await office.step(made)
    await grow_old(office, made, hours=73)
    await office.step(made)
    # The provider said that it takes no more: the first step may have waited for a token.
    assert (await office.step(made)).status is Status.DEAD
    office.sandbox.heal()
    return made


async def perhaps_sent(office: "Office", fault: str) -> Notification:
    """One whose try was cut off by the fault, and of which nobody could be asked for a day."""
    made = await office.create(office.email())
    office.sandbox.fail(fault, method="POST", times=1)
    await office.step(made)
    office.sandbox.fail("error", method="GET")
    await grow_old(office, made, hours=25)
    assert (await office.step(made)).status is Status.DEAD
    office.sandbox.heal()
    return made


async def test_what_was_given_up_is_listed_and_explained(office: "Office") -> None:
    made = await given_up(office, reference="R-17")
    (delivery,) = made.deliveries

    (letter,) = (await listed(office)).items

    assert (letter.id, letter.notification_id, letter.reference) == (delivery.id, made.id, "R-17")
    assert (letter.cause, letter.channel) == (Cause.GIVEN_UP, Channel.EMAIL)
    assert letter.reason.startswith("given up: ")
    assert "Nothing was sent" in letter.explanation
    assert [(each.number, each.outcome, each.status_code) for each in letter.attempts] == [
        (1, "try-again", 429),
        (2, "try-again", 429),
    ]


async def test_what_was_given_up_is_sent_after_a_replay(office: "Office") -> None:
    made = await given_up(office)
    (delivery,) = made.deliveries

    await replayed(office, delivery.id)
    # The provider said that it takes no more: the first step waits for a token.
    for _ in range(2):
        sent = await office.step(made)

    assert (sent.status, sent.attempts) == (Status.SENDING, 3)
    assert [each.reference for each in office.sandbox.sent()] == [delivery.id]
    assert (await listed(office)).items == ()
    entries = [row for row in await office.rows(audit_entries) if row.kind == "replayed"]
    assert [(row.notification_id, row.detail) for row in entries] == [(made.id, f"delivery {delivery.id}")]


async def test_what_may_have_been_sent_is_taken_up_only_at_a_risk(office: "Office") -> None:
    made = await perhaps_sent(office, "reset-after-accepting")
    (delivery,) = made.deliveries

    with pytest.raises(Conflict):
        await replayed(office, delivery.id)

    assert [each.cause for each in (await listed(office)).items] == [Cause.MAY_HAVE_BEEN_SENT]
    assert (await office.one(made)).deliveries[0].status is Status.DEAD


@pytest.mark.parametrize(
    ("fault", "tries"), [("reset-after-accepting", 1), ("down", 2)], ids=["was taken", "was not taken"]
)
async def test_a_replay_asks_first_and_sends_once(office: "Office", fault: str, tries: int) -> None:
    made = await perhaps_sent(office, fault)
    (delivery,) = made.deliveries

    await replayed(office, delivery.id, although_unsure=True)
    for _ in range(6):
        after = await office.step(made)
        office.sandbox.advance(60)

    assert (after.status, after.attempts) == (Status.DELIVERED, tries)
    assert [each.reference for each in office.sandbox.sent()] == [delivery.id]


async def test_a_second_replay_finds_nothing(office: "Office") -> None:
    made = await given_up(office)
    (delivery,) = made.deliveries
    await replayed(office, delivery.id)

    with pytest.raises(NotFound):
        await replayed(office, delivery.id)

    assert (await office.one(made)).deliveries[0].status is Status.PENDING


async def test_another_service_neither_sees_nor_replays_it(office: "Office") -> None:
    made = await given_up(office)
    (delivery,) = made.deliveries

    assert (await listed(office, service_id=office.housing.service_id)).items == ()
    with pytest.raises(NotFound):
        async with office.app.database.transaction() as conn:
            await replay_one(
                conn, delivery.id, service_id=office.housing.service_id, replayer=replayer(office)
            )


async def test_what_was_removed_is_no_dead_letter(office: "Office") -> None:
    made = await given_up(office)
    await office.withdraw(made, caller=office.repairs)

    assert (await listed(office)).items == ()
    async with office.app.database.reading() as conn:
        assert set((await count_dead(conn)).values()) == {0}
    with pytest.raises(NotFound):
        await replayed(office, made.deliveries[0].id)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, "email text"),
        ({"channel": Channel.TEXT}, "text"),
        ({"reference": "R-1"}, "email"),
        ({"cause": Cause.GIVEN_UP}, "email"),
        ({"cause": Cause.TAKEN}, "text"),
        ({"cause": Cause.MAY_HAVE_BEEN_SENT}, ""),
        ({"channel": Channel.TEXT, "reference": "R-1"}, ""),
    ],
    ids=str,
)
async def test_filters(office: "Office", filters: dict[str, Any], found: str) -> None:
    email = await office.create(office.email(reference="R-1"))
    text = await office.create(
        office.email(
            channels=(Channel.TEXT,),
            template_id=office.sandbox.templates["text"],
            mobile_number="07700900123",
            personalisation={"name": "Amala", "code": "1"},
        )
    )
    names = {email.deliveries[0].id: "email", text.deliveries[0].id: "text"}
    await _kill(office, email, reason="given up: no answer")
    await _kill(office, text, reason="needs a decision: it may have been sent", notify_id=text.id)

    page = await listed(office, **filters)

    assert " ".join(sorted(names[each.id] for each in page.items)) == found


async def test_died_from_and_to(office: "Office") -> None:
    made = await given_up(office)
    (letter,) = (await listed(office)).items
    before, after = letter.died_at - timedelta(seconds=1), letter.died_at + timedelta(seconds=1)

    found = [
        len((await listed(office, **filters)).items)
        for filters in (
            {"died_from": letter.died_at},
            {"died_from": after},
            {"died_to": letter.died_at},
            {"died_to": after},
            {"died_from": before, "died_to": after},
        )
    ]

    assert found == [1, 0, 0, 1, 1]
    assert letter.notification_id == made.id


async def test_all_that_are_chosen_are_replayed_in_as_many_transactions_as_it_takes(
    office: "Office",
) -> None:
    many = [await office.create(office.email()) for _ in range(7)]
    for one in many:
        await _kill(office, one, reason="given up: no answer")
    unsure = await office.create(office.email())
    await _kill(office, unsure, reason="needs a decision: it may have been sent")
    pages = [(await listed(office, limit=3)) for _ in range(1)]
    pages.append(await listed(office, limit=5, before=pages[0].next_before))

    number = await replay_all(office.app.database, Filters(), replayer=replayer(office))

    assert [len(page.items) for page in pages] == [3, 5]
    assert pages[1].next_before is None
    assert number == 7
    assert [each.notification_id for each in (await listed(office)).items] == [unsure.id]
    assert AT_ONCE > 1


async def test_more_than_one_transaction_holds_are_replayed(
    office: "Office", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("postroom.features.notifications.dead_letters.AT_ONCE", 2)
    for _ in range(5):
        await _kill(office, await office.create(office.email()), reason="given up: no answer")

    assert await replay_all(office.app.database, Filters(), replayer=replayer(office)) == 5
    again = replace(replayer(office), now=office.now + timedelta(seconds=1))
    assert await replay_all(office.app.database, Filters(), replayer=again) == 0


async def _kill(office: "Office", made: Notification, *, reason: str, notify_id: str | None = None) -> None:
    values = {
        "status": "dead",
        "reason": reason,
        "due_at": None,
        "completed_at": office.now,
        "notify_id": notify_id,
    }
    async with office.app.database.transaction() as conn:
        await conn.execute(
            deliveries.update().where(deliveries.c.notification_id == made.id).values(**values)
        )
