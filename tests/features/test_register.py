"""Who has not yet confirmed: of groups and of their members one by one, as they confirm and decide."""

from typing import Any

import pytest

from postroom.domain.action import ActionType
from postroom.domain.audience import Audience, AudienceKind
from postroom.domain.caller import Person
from postroom.features.inbox.register import Register, register_of
from postroom.features.notifications.act import Action
from postroom.features.notifications.waiting import find_waiting
from postroom.features.recipients import set_members

MARY = Person("mary@hackney.gov.uk", groups=("repairs-officers",))
TEAM = ("amala@hackney.gov.uk", "joe@hackney.gov.uk")


@pytest.fixture
async def team(office: Any) -> None:
    async with office.app.database.transaction() as conn:
        await set_members(
            conn,
            Audience(AudienceKind.GROUP, "repairs-officers"),
            TEAM,
            vault=office.app.vault,
            now=office.now,
        )


async def register(office: Any, manager: Person = MARY, **more: Any) -> Register:
    async with office.app.database.reading() as conn:
        found: Register = await register_of(conn, manager, vault=office.app.vault, **({"limit": 25} | more))
    return found


async def missing(office: Any) -> dict[str, tuple[str, ...]]:
    return {each.notification.id: each.missing for each in (await register(office)).items}


async def test_whoever_confirms_is_missing_no_more(
    office: Any, team: None, amala: Person, joe: Person
) -> None:
    one = await office.create(office.screen(user="group:Repairs-Officers", require_action=True))
    his = await office.create(office.screen(user="JOE@hackney.gov.uk", require_action=True))
    await office.create(office.screen(user="joe@hackney.gov.uk"))
    await office.create(office.screen(user="sam@hackney.gov.uk", require_action=True))

    assert await missing(office) == {one.id: TEAM, his.id: (joe.email,)}
    await office.act(one, Action(ActionType.IS_SEEN), caller=amala)
    assert (await missing(office))[one.id] == TEAM
    await office.act(one, Action(ActionType.IS_READ), caller=amala)
    await office.act(his, Action(ActionType.IS_READ), caller=joe)
    assert await missing(office) == {one.id: (joe.email,)}
    await office.act(one, Action(ActionType.IS_UNREAD), caller=amala)
    assert await missing(office) == {one.id: TEAM}


async def test_what_is_decided_waits_for_nobody(office: Any, team: None, amala: Person) -> None:
    one = await office.create(office.screen(user="group:repairs-officers", require_action=True))
    await office.act(one, Action(ActionType.INITIATED), caller=amala)
    assert await missing(office) == {one.id: TEAM}
    await office.act(one, Action(ActionType.VALIDATE), caller=amala)

    assert await missing(office) == {}


async def test_a_manager_of_nobody_has_nothing(office: Any, team: None) -> None:
    await office.create(office.screen(user="group:repairs-officers", require_action=True))

    assert await register(office, Person("max@hackney.gov.uk")) == Register((), None)


async def test_pages_follow_one_another(office: Any, team: None) -> None:
    made = [
        await office.create(office.screen(user="group:repairs-officers", require_action=True))
        for _ in range(5)
    ]
    ids: list[str] = []
    before = None
    while True:
        page = await register(office, limit=2, before=before)
        ids += [each.notification.id for each in page.items]
        before = page.next_before
        if before is None:
            break

    assert ids == [each.id for each in reversed(made)]


async def test_of_a_very_large_group_it_says_that_not_all_are_looked_at(office: Any, team: None) -> None:
    await office.create(office.screen(user="group:repairs-officers", require_action=True))

    (cut,) = (await register(office, most_members=1)).items
    (whole,) = (await register(office, most_members=2)).items

    assert ((cut.members, cut.is_all), (whole.members, whole.is_all)) == ((1, False), (2, True))


async def test_what_waits_is_found_for_more_people_than_a_statement_takes(office: Any, joe: Person) -> None:
    made = [await office.create(office.screen(user=joe.email, require_action=True)) for _ in range(3)]
    many = {joe.email, *(f"officer-{number}@hackney.gov.uk" for number in range(33_000))}

    async with office.app.database.reading() as conn:
        found = await find_waiting(conn, many, vault=office.app.vault, limit=2)

    assert [each.id for each in found] == [made[2].id, made[1].id]
