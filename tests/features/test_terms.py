"""What stays on screens until a moment, or until a later one of its thread takes its place."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from postroom.domain.action import ActionType
from postroom.domain.caller import Person
from postroom.domain.channel import Channel
from postroom.domain.errors import Conflict, Invalid, NotFound
from postroom.domain.notification import Ended, EndedBy, Notification
from postroom.domain.status import Status
from postroom.features.audit.store import audit_entries
from postroom.features.notifications.act import Action
from postroom.features.notifications.ending import end_expired
from postroom.features.notifications.find import Count, Filters, count_found
from postroom.features.notifications.tables import deliveries
from postroom.features.notifications.terms import screen_terms
from postroom.features.screens.tables import screen_changes, screen_outbox
from postroom.features.webhooks.tables import feedback_outbox
from postroom.interfaces.worker import end_what_expired

if TYPE_CHECKING:
    from tests.features.conftest import Office

GROUP = "group:repairs-officers"
HOUR = timedelta(hours=1)


async def listed(office: "Office", who: Any) -> list[str]:
    return [each.id for each in (await office.find(who)).items]


async def counted(office: "Office", person: Person) -> Count:
    async with office.app.database.reading() as conn:
        return await count_found(conn, Filters(), caller=person, vault=office.app.vault, now=office.now)


async def told(office: "Office") -> list[tuple[str, str | None]]:
    rows = sorted(await office.rows(feedback_outbox), key=lambda row: row.drawn)
    return [(row.kind, row.reason) for row in rows if row.kind != "created"]


async def audited(office: "Office") -> list[tuple[str, str, str | None]]:
    rows = sorted(await office.rows(audit_entries), key=lambda row: row.id)
    return [(row.kind, row.notification_id, row.detail) for row in rows if row.kind != "accepted"]


async def test_a_later_one_of_the_thread_takes_the_place(office: "Office", joe: Person) -> None:
    first = await office.create(office.screen(user=GROUP, thread_key="lift-4", require_action=True))
    await office.act(first, Action(ActionType.IS_SEEN), caller=joe)
    second = await office.create(office.screen(user=GROUP, thread_key="lift-4"))

    assert await listed(office, joe) == await listed(office, office.repairs) == [second.id]
    assert await counted(office, joe) == Count(1, True, unread=1, unseen=1, needs_action=0)
    was = await office.one(first)
    assert was.ended is not None
    assert (was.ended.by, was.ended.replaced_by) == (EndedBy.REPLACED, second.id)
    assert (await office.one(first, joe)).ended == was.ended
    assert (await told(office))[1:] == [("removed", "replaced")]
    assert (await audited(office))[1:] == [("replaced", first.id, second.id)]
    changes = [*await office.rows(screen_changes), *await office.rows(screen_outbox)]
    assert [(row.kind, row.notification_id) for row in changes][-2:] == [
        ("removed", first.id),
        ("new", second.id),
    ]


@pytest.mark.parametrize(
    "other",
    [
        {"thread_key": "lift-5"},
        {"thread_key": None},
        {"user": "group:leaseholders"},
        {"user": "joe@hackney.gov.uk"},
    ],
    ids=["another key", "no key", "another group", "an officer"],
)
async def test_another_thread_leaves_it(office: "Office", other: dict[str, Any]) -> None:
    first = await office.create(office.screen(user=GROUP, thread_key="lift-4"))
    second = await office.create(office.screen(**({"user": GROUP, "thread_key": "lift-4"} | other)))
    third = await office.create(office.screen(user=GROUP, thread_key="lift-4"), caller=office.housing)

    assert await listed(office, office.repairs) == [second.id, first.id]
    assert await listed(office, office.housing) == [third.id]


async def test_what_goes_to_residents_replaces_nothing(office: "Office") -> None:
    made = [await office.create(office.email(thread_key="lift-4")) for _ in range(2)]

    assert await listed(office, office.repairs) == [made[1].id, made[0].id]
    assert made[0].personal.thread_key == "lift-4"


async def test_of_many_at_once_the_last_one_stays(office: "Office", joe: Person) -> None:
    made = await asyncio.gather(
        *(office.create(office.screen(user=GROUP, thread_key=f"t-{each % 3}")) for each in range(24))
    )

    shown = await listed(office, joe)
    assert len(shown) == 3
    assert (await counted(office, joe)).number == 3
    ends = {each.id: (await office.one(each)).ended for each in made}
    assert {each for each, ended in ends.items() if ended is None} == set(shown)
    # Each leads, one after the other, to the one that stays.
    for each in made:
        here, steps = each.id, 0
        while (ended := ends[here]) is not None:
            here, steps = str(ended.replaced_by), steps + 1
        assert here in shown
        assert steps < 24


async def test_what_was_withdrawn_is_not_replaced(office: "Office", joe: Person) -> None:
    first = await office.create(office.screen(user=GROUP, thread_key="lift-4"))
    await office.withdraw(first, caller=office.repairs)
    await office.create(office.screen(user=GROUP, thread_key="lift-4"))

    with pytest.raises(NotFound):
        await office.one(first)
    assert (await counted(office, joe)).number == 1
    assert [row.notification_id for row in await office.rows(screen_terms)] != [first.id]


async def test_it_expires_at_once_and_is_ended_by_the_worker(
    office: "Office", joe: Person, amala: Person
) -> None:
    office.clock.stand_still()
    made = await office.create(office.screen(user=GROUP, require_action=True, expires_at=office.now + HOUR))
    other = await office.create(office.screen(user=GROUP))
    await office.act(made, Action(ActionType.IS_READ), caller=joe)
    assert await listed(office, joe) == [other.id, made.id]
    await end_what_expired(office.app)
    assert (await counted(office, joe)).number == 2

    office.clock.until(office.now + HOUR)
    for person, unread in ((joe, 1), (amala, 1)):
        assert await listed(office, person) == [other.id]
        assert await counted(office, person) == Count(1, True, unread=unread, unseen=1, needs_action=0)
    assert await listed(office, office.repairs) == [other.id]
    with pytest.raises(Conflict, match=r"This has expired\."):
        await office.act(made, Action(ActionType.VALIDATE), caller=amala)

    await end_what_expired(office.app)
    await end_what_expired(office.app)
    for person in (joe, amala):
        assert await listed(office, person) == [other.id]
        assert await counted(office, person) == Count(1, True, unread=1, unseen=1, needs_action=0)
    assert (await office.one(made)).ended == Ended(at=office.now, by=EndedBy.EXPIRED)
    assert (await told(office))[1:] == [("expired", None)]
    assert (await audited(office))[1:] == [("expired", made.id, None)]
    with pytest.raises(Conflict, match=r"This has expired\."):
        await office.withdraw(made, caller=office.repairs)


async def test_what_nobody_began_to_send_is_not_sent_any_more(office: "Office") -> None:
    office.clock.stand_still()
    expires_at = office.now + HOUR
    unsent = await office.create(office.email(expires_at=expires_at))
    sent = await office.create(office.email(expires_at=expires_at))
    await office.step(sent)
    office.clock.until(expires_at)

    await end_what_expired(office.app)

    status = {row.notification_id: row.status for row in await office.rows(deliveries)}
    assert status == {unsent.id: Status.EXPIRED, sent.id: Status.SENDING}
    await office.app.sender.step(unsent.deliveries[0].id)
    assert len(office.sandbox.sent()) == 1
    assert [kind for kind, _ in await told(office)].count("expired") == 3


async def test_the_expired_are_many(office: "Office", joe: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("postroom.features.notifications.ending.MOST_EXPIRED", 2)
    monkeypatch.setattr("postroom.interfaces.worker.MOST_EXPIRED", 2)
    office.clock.stand_still()
    for _ in range(5):
        await office.create(office.screen(user=GROUP, expires_at=office.now + HOUR))
    office.clock.until(office.now + HOUR)

    async with office.app.database.transaction() as conn:
        some = await end_expired(conn, vault=office.app.vault, queue=office.app.queue, now=office.now)
    await end_what_expired(office.app)

    assert some == 2
    assert len([row for row in await office.rows(screen_terms) if row.ended_at is None]) == 0


async def test_a_moment_that_is_past_is_refused(office: "Office") -> None:
    new = office.screen(expires_at=office.now - HOUR, thread_key="x" * 129, channels=(Channel.SCREEN,))
    with pytest.raises(Invalid) as raised:
        await office.create(new)

    assert sorted(error.field for error in raised.value.errors) == ["expiresAt", "threadKey"]
    assert await office.rows(screen_terms) == []


async def test_without_terms_nothing_is_kept_of_them(office: "Office") -> None:
    made: Notification = await office.create(office.screen(user=GROUP))

    assert made.ended is None
    assert await office.rows(screen_terms) == []
