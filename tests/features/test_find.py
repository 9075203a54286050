"""Who sees what, and lists that lose nothing and repeat nothing."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from postroom.domain.action import ActionType
from postroom.domain.caller import Caller, Person
from postroom.domain.channel import Channel
from postroom.domain.errors import NotFound
from postroom.domain.notification import Notification
from postroom.features.notifications.act import Action
from postroom.features.notifications.find import Count, Filters, count_found
from postroom.features.notifications.store import update_notification

if TYPE_CHECKING:
    from tests.features.conftest import Office


async def listed(office: "Office", caller: Caller, **filters: Any) -> list[str | None]:
    """The references of what the caller sees, oldest first."""
    return [each.reference for each in reversed((await office.find(caller, **filters)).items)]


@pytest.fixture
async def addressed(office: "Office") -> dict[str, Notification]:
    """One for each kind of audience, from two services."""
    audiences: dict[str, dict[str, Any]] = {
        "for joe": {"user": "joe@hackney.gov.uk"},
        "for Joe": {"user": "Joe@Hackney.gov.uk"},
        "for amala": {"user": "amala@hackney.gov.uk"},
        "for leaseholders": {"user": "group:leaseholders"},
        "for the default group": {"user": None},
        "for nobody": {"channels": (Channel.EMAIL,), "user": None},
    }
    made = {}
    for reference, changed in audiences.items():
        email = {
            "email": "amala@example.com",
            "template_id": office.sandbox.templates["email"],
            "personalisation": {"name": "Amala", "ref": "R-1"},
            "service_key": "repairs",
        }
        extra = email if "channels" in changed else {}
        made[reference] = await office.create(office.screen(reference=reference, **(extra | changed)))
    made["from housing"] = await office.create(office.screen(reference="from housing"), caller=office.housing)
    made["housing's own"] = await office.create(
        office.screen(reference="housing's own", user=None), caller=office.housing
    )
    return made


async def test_everybody_sees_theirs_and_nothing_else(
    office: "Office", addressed: dict[str, Notification], joe: Person, amala: Person
) -> None:
    stranger = Person("sam@hackney.gov.uk")
    seen = {
        "repairs": await listed(office, office.repairs),
        "housing": await listed(office, office.housing),
        "joe": await listed(office, joe),
        "amala": await listed(office, amala),
        "stranger": await listed(office, stranger),
    }

    assert seen == {
        "repairs": [
            "for joe",
            "for Joe",
            "for amala",
            "for leaseholders",
            "for the default group",
            "for nobody",
        ],
        "housing": ["from housing", "housing's own"],
        "joe": ["for joe", "for Joe", "for the default group", "from housing"],
        "amala": ["for amala", "for leaseholders", "for the default group"],
        "stranger": [],
    }


async def test_what_is_not_listed_cannot_be_found_read_or_removed_either(
    office: "Office", addressed: dict[str, Notification], joe: Person, amala: Person
) -> None:
    callers: list[Caller] = [office.repairs, office.housing, joe, amala, Person("sam@hackney.gov.uk")]
    for caller in callers:
        visible = set(await listed(office, caller))
        for reference, each in addressed.items():
            if reference in visible:
                assert (await office.one(each, caller)).id == each.id
                continue
            with pytest.raises(NotFound):
                await office.one(each, caller)
            with pytest.raises(NotFound):
                await office.act(each, Action(ActionType.IS_READ), caller=caller)
            with pytest.raises(NotFound):
                await office.withdraw(each, caller=caller)


@pytest.fixture
async def varied(office: "Office") -> list[Notification]:
    made = [
        await office.create(office.screen(reference="a", target_id="t-1", target_type="Estimates")),
        await office.create(office.screen(reference="b", target_id="t-2", require_action=True)),
        await office.create(office.email(reference="c")),
        await office.create(
            office.screen(reference="d", target_type="estimates", user="group:repairs-officers")
        ),
        await office.create(
            office.email(
                reference="e",
                channels=(Channel.SCREEN,),
                extra_channels=(Channel.EMAIL,),
                target_id="t-1",
                message="Hello",
                user="joe@hackney.gov.uk",
            )
        ),
    ]
    joe = Person("joe@hackney.gov.uk")
    await office.act(made[0], Action(ActionType.IS_READ), caller=joe)
    await office.act(made[1], Action(ActionType.APPROVED, note="right"), caller=joe)
    return made


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        pytest.param({}, "abcde", id="none"),
        pytest.param({"channels": (Channel.SCREEN,)}, "abde", id="screen"),
        pytest.param({"channels": (Channel.EMAIL,)}, "ce", id="email, by type or by flag"),
        pytest.param({"channels": (Channel.SCREEN, Channel.EMAIL)}, "abcde", id="either"),
        pytest.param({"channels": (Channel.LETTER,)}, "", id="letter"),
        pytest.param({"channels": ()}, "", id="no channel at all"),
        pytest.param({"target_id": "t-1"}, "ade", id="target"),
        pytest.param({"target_type": "Estimates"}, "ad", id="target type"),
        pytest.param({"user": "JOE@hackney.gov.uk"}, "abe", id="user"),
        pytest.param({"user": "group:repairs-officers"}, "d", id="group"),
        pytest.param({"is_read": True}, "a", id="read by anybody"),
        pytest.param({"is_read": False}, "bcde", id="unread"),
        pytest.param({"require_action": True}, "b", id="needs action"),
        pytest.param({"require_action": False}, "acde", id="needs none"),
        pytest.param({"action": ActionType.APPROVED}, "b", id="approved"),
        pytest.param({"action": ActionType.REJECTED}, "", id="rejected"),
        pytest.param({"reference": "c"}, "c", id="reference"),
        pytest.param({"reference": "c", "target_id": "t-1"}, "", id="both must hold"),
        pytest.param({"limit": 2}, "de", id="the newest"),
    ],
)
async def test_filters(
    office: "Office", varied: list[Notification], filters: dict[str, Any], found: str
) -> None:
    assert await listed(office, office.repairs, **filters) == list(found)
    if "limit" not in filters:
        assert await counted(office, **filters) == Count(len(found), is_exact=True)


async def counted(office: "Office", **filters: Any) -> Count:
    async with office.app.database.reading() as conn:
        return await count_found(conn, Filters(**filters), caller=office.repairs, vault=office.app.vault)


async def test_a_count_reads_no_more_than_so_many(
    office: "Office", varied: list[Notification], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("postroom.features.notifications.find.MOST_COUNTED", len(varied))
    assert await counted(office) == Count(len(varied), is_exact=True)

    await office.create(office.screen())

    assert await counted(office) == Count(len(varied), is_exact=False)


async def test_a_span_of_time(office: "Office", varied: list[Notification]) -> None:
    made = await office.create(office.screen(reference="f"))
    hour = timedelta(hours=1)

    assert await listed(office, office.repairs, created_from=made.created_at - hour) == list("abcdef")
    assert await listed(office, office.repairs, created_from=made.created_at + hour) == []
    assert await listed(office, office.repairs, created_to=made.created_at + hour) == list("abcdef")
    assert await listed(office, office.repairs, created_to=made.created_at - hour) == []


GROUPS = ("repairs-officers", "leaseholders", "Leaseholders", "estates")


@pytest.mark.parametrize(
    "groups", [(), GROUPS[:1], GROUPS, tuple(f"other-{each}" for each in range(120)) + GROUPS]
)
@pytest.mark.parametrize("limit", [1, 3, 50])
async def test_an_officers_pages_hold_what_addresses_them_or_any_of_their_groups(
    office: "Office", groups: tuple[str, ...], limit: int
) -> None:
    officer = Person("joe@hackney.gov.uk", groups)
    users = (
        "joe@hackney.gov.uk",
        *(f"group:{name}" for name in ("repairs-officers", "estates", "leaseholders")),
    )
    for place in range(12):
        made = await office.create(office.screen(user=users[place * 7 % 4], reference=f"{place}"))
        if place in (2, 6):
            await office.act(made, Action(ActionType.IS_READ), caller=Person("joe@hackney.gov.uk", GROUPS))
    theirs = [user for user in users if user.removeprefix("group:") in (officer.email, *groups)]

    seen, before = [], None
    while True:
        page = await office.find(officer, limit=limit, before=before)
        seen += [int(each.reference or "") for each in page.items]
        before = page.next_before
        if before is None:
            break

    assert seen == [place for place in reversed(range(12)) if users[place * 7 % 4] in theirs]
    unread = await listed(office, officer, is_read=False)
    assert unread == [str(place) for place in reversed(seen) if place not in (2, 6)]


async def test_each_has_their_own_read_state_and_a_service_anybodys(
    office: "Office", joe: Person, amala: Person
) -> None:
    made = await office.create(office.screen(user="group:repairs-officers"))
    assert await office.find(joe, is_read=False) == await office.find(joe)

    await office.act(made, Action(ActionType.IS_READ), caller=joe)

    read = {
        caller.display_name: (await office.one(made, caller)).is_read
        for caller in (joe, amala, office.repairs)
    }
    assert read == {joe.email: True, amala.email: False, "repairs": True}
    assert [len((await office.find(who, is_read=True)).items) for who in (joe, amala)] == [1, 0]


async def test_one_who_unreads_leaves_the_others_reading(
    office: "Office", joe: Person, amala: Person
) -> None:
    made = await office.create(office.screen(user="group:repairs-officers"))
    for reader in (joe, amala):
        await office.act(made, Action(ActionType.IS_READ), caller=reader)

    await office.act(made, Action(ActionType.IS_UNREAD), caller=joe)
    assert (await office.one(made)).is_read is True
    await office.act(made, Action(ActionType.IS_UNREAD), caller=amala)

    assert (await office.one(made)).is_read is False


@pytest.mark.sqlite
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(
    before=st.integers(0, 9),
    limit=st.integers(1, 4),
    meanwhile=st.lists(st.integers(0, 2), max_size=6),
    removed=st.booleans(),
)
def test_pages_lose_nothing_and_repeat_nothing_while_more_comes(
    paging: "Paging", before: int, limit: int, meanwhile: list[int], removed: bool
) -> None:
    first, seen, taken = paging.walk(before, limit, meanwhile, removed)

    assert len(seen) == len(set(seen))
    assert [each for each in seen if each in first] == [each for each in reversed(first) if each not in taken]
    assert set(seen) <= set(first)


class Paging:
    """Walks through the pages of a target while others write; plain functions, as properties need them."""

    def __init__(self, office: "Office", run: Any) -> None:
        self.office = office
        self.run = run
        self.walks = 0

    def walk(
        self, before: int, limit: int, meanwhile: list[int], removed: bool
    ) -> tuple[list[str], list[str], set[str]]:
        self.walks += 1
        return self.run(self._walk(f"t-{self.walks}", before, limit, iter(meanwhile), removed))  # type: ignore[no-any-return]

    async def _walk(
        self, target: str, before: int, limit: int, meanwhile: Any, removed: bool
    ) -> tuple[list[str], list[str], set[str]]:
        office, seen, taken = self.office, list[str](), set[str]()
        first = [(await office.create(office.screen(target_id=target))).id for _ in range(before)]
        page = await office.find(office.repairs, target_id=target, limit=limit)
        seen += [each.id for each in page.items]
        while page.next_before is not None:
            for _ in range(next(meanwhile, 0)):
                await office.create(office.screen(target_id=target))
            unseen = [each for each in first if each not in seen]
            if removed and unseen:
                taken.add(unseen[0])
                async with office.app.database.transaction() as conn:
                    await update_notification(conn, unseen[0], {"removed_at": office.now})
                removed = False
            page = await office.find(office.repairs, target_id=target, limit=limit, before=page.next_before)
            assert 0 < len(page.items) <= limit or taken
            seen += [each.id for each in page.items]
            assert len(seen) <= len(first), "it never comes to its end"
        return first, seen, taken


@pytest.fixture
def paging(sqlite_url: str, offices: Any) -> Any:
    import asyncio

    with asyncio.Runner() as runner:
        context = offices(sqlite_url)
        yield Paging(runner.run(context.__aenter__()), runner.run)
        runner.run(context.__aexit__(None, None, None))
