"""One request marks all that a list holds: for one person, told and audited as it has to be, and soon."""

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from postroom.domain.action import ActionType
from postroom.domain.caller import Person
from postroom.domain.notification import Notification
from postroom.features.audit.store import audit_entries
from postroom.features.notifications import mark as marking
from postroom.features.notifications.act import Action
from postroom.features.notifications.find import Filters, count_found
from postroom.features.notifications.mark import Mark, Marked, mark
from postroom.features.screens.tables import screen_changes, screen_outbox
from postroom.features.webhooks.tables import feedback_outbox

if TYPE_CHECKING:
    from tests.features.conftest import Office

GROUP = "group:repairs-officers"


async def marked(office: "Office", person: Person, action: ActionType, **wanted: Any) -> Marked:
    ids = wanted.pop("ids", None)
    async with office.app.database.transaction() as conn:
        return await mark(
            conn,
            Mark(action, Filters(**wanted), ids, correlation_id="c-1"),
            person=person,
            vault=office.app.vault,
            now=office.now,
        )


async def told(office: "Office") -> list[str]:
    rows = sorted(await office.rows(feedback_outbox), key=lambda row: row.drawn)
    return [row.kind for row in rows if row.kind != "created"]


async def audited(office: "Office") -> list[tuple[str, str | None]]:
    rows = sorted(await office.rows(audit_entries), key=lambda row: row.id)
    return [(row.kind, row.detail) for row in rows if row.kind != "accepted"]


async def unread(office: "Office", person: Person) -> int | None:
    async with office.app.database.reading() as conn:
        return (await count_found(conn, Filters(), caller=person, vault=office.app.vault)).unread


@pytest.fixture
async def made(office: "Office") -> list[Notification]:
    """Three of the group, of which one asks for an action, and one of housing's."""
    mine = [
        await office.create(office.screen(user=GROUP, require_action=asks, target_type=kind))
        for asks, kind in ((False, "Estimates"), (True, "Estimates"), (False, "Actuals"))
    ]
    return [*mine, await office.create(office.screen(user=GROUP), caller=office.housing)]


async def test_all_of_it_for_one_person(
    office: "Office", made: list[Notification], joe: Person, amala: Person
) -> None:
    assert await marked(office, joe, ActionType.IS_READ) == Marked(4, is_complete=True)
    assert await marked(office, joe, ActionType.IS_READ) == Marked(0, is_complete=True)

    assert [each.is_read for each in (await office.find(joe)).items] == [True] * 4
    assert [each.is_read for each in (await office.find(amala)).items] == [False] * 4
    assert [each.is_read for each in (await office.find(office.repairs)).items] == [True] * 3
    assert (await unread(office, joe), await unread(office, amala)) == (0, 4)


async def test_it_is_told_of_each_and_audited_of_each_that_asks_for_an_action(
    office: "Office", made: list[Notification], joe: Person
) -> None:
    await marked(office, joe, ActionType.IS_READ)

    assert await told(office) == ["read"] * 4
    assert sorted(await audited(office)) == [
        ("action", "IsRead"),
        ("marked", "IsRead, 1 at once"),
        ("marked", "IsRead, 2 at once"),
    ]
    entries = {row.notification_id: row for row in await office.rows(audit_entries) if row.kind == "action"}
    assert set(entries) == {made[1].id}
    changes = [*await office.rows(screen_changes), *await office.rows(screen_outbox)]
    assert [row.kind for row in changes].count("many") == 1


async def test_what_the_filters_hold_or_some_of_it(
    office: "Office", made: list[Notification], joe: Person
) -> None:
    assert await marked(office, joe, ActionType.IS_SEEN, target_type="Estimates") == (2, True)
    assert await marked(office, joe, ActionType.IS_READ, ids=(made[0].id, made[3].id)) == (2, True)
    assert await marked(office, joe, ActionType.ARCHIVED) == (3, True)
    assert await marked(office, joe, ActionType.IS_UNREAD, is_archived=True, is_read=True) == (2, True)
    assert await marked(office, joe, ActionType.IS_READ, is_read=True) == (0, True)
    assert await marked(office, joe, ActionType.IS_UNREAD, user="group:leaseholders") == (0, True)

    assert await told(office) == ["seen", "seen", "read", "read", "seen"]
    shown = {each.id: each for each in (await office.find(joe)).items}
    assert list(shown) == [made[3].id, made[1].id, made[0].id]
    assert (await office.one(made[0])).is_read is False


async def test_what_is_too_much_for_once_goes_on(
    office: "Office", made: list[Notification], joe: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marking, "MOST_MARKED", 3)

    assert await marked(office, joe, ActionType.IS_READ) == Marked(3, is_complete=False)
    assert (await office.one(made[0], joe)).is_read is False
    assert await marked(office, joe, ActionType.IS_READ) == Marked(1, is_complete=True)


async def test_people_who_mark_and_decide_at_once_do_not_cross(
    postgres_office: "Office", joe: Person, amala: Person
) -> None:
    office = postgres_office
    made = [await office.create(office.screen(user=GROUP, require_action=True)) for _ in range(20)]

    async def act(place: int) -> None:
        action = ActionType.VALIDATE if place % 2 else ActionType.IS_SEEN
        await office.act(made[place], Action(action), caller=(joe, amala)[place % 3 == 0])

    await asyncio.gather(
        *(marked(office, person, action) for person in (joe, amala) for action in MARKS),
        *(act(place) for place in range(20)),
    )

    for person in (joe, amala):
        async with office.app.database.reading() as conn:
            count = await count_found(conn, Filters(), caller=person, vault=office.app.vault)
        items = (await office.find(person)).items
        assert count.number == len(items) == 20
        assert count.unread == sum(not each.is_read for each in items)
        assert count.needs_action == 10


MARKS = (ActionType.IS_READ, ActionType.IS_SEEN, ActionType.IS_UNREAD, ActionType.IS_READ)
