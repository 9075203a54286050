"""What changes on people's screens: recorded with the change or not at all, in an order without gaps."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from postroom.domain.action import ActionType
from postroom.domain.caller import Person
from postroom.features import screens
from postroom.features.notifications.act import Action
from postroom.features.notifications.seal import audience_index, reader_index
from postroom.features.screens import Kind
from postroom.features.screens.feed import first_position, last_position, read_changes, read_changes_of
from postroom.features.screens.publish import KEPT_FOR, forget_changes, publish
from postroom.features.screens.tables import screen_changes
from postroom.kit.ids import new_id

if TYPE_CHECKING:
    from tests.features.conftest import Office

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
GROUP = "group:repairs-officers"


async def changes(office: "Office", *, since: int = 0, most: int = 1_000) -> list[Any]:
    while await publish(office.app.database):
        pass
    async with office.app.database.reading() as conn:
        return list(await read_changes(conn, since=since, most=most))


def one(screen: bytes = b"s", *, at: datetime = NOW) -> screens.Change:
    return screens.changed(Kind.NEW, screen=screen, at=at, notification_id=new_id())


async def test_what_is_done_shows_on_the_screens_that_it_is_on(
    office: "Office", joe: Person, amala: Person
) -> None:
    made = await office.create(office.screen(user=GROUP, require_action=True))
    await office.act(made, Action(ActionType.IS_READ), caller=joe)
    await office.act(made, Action(ActionType.IS_READ), caller=joe)
    await office.act(made, Action(ActionType.IS_READ), caller=office.repairs)
    await office.act(made, Action(ActionType.APPROVED, note="seen"), caller=amala)
    await office.withdraw(made, caller=amala)
    await office.withdraw(made, caller=office.repairs)

    group = audience_index(office.app.vault, GROUP)
    expected = [
        (Kind.NEW, group),
        (Kind.CHANGED, reader_index(office.app.vault, joe.email)),
        (Kind.CHANGED, group),
        (Kind.REMOVED, reader_index(office.app.vault, amala.email)),
        (Kind.REMOVED, group),
    ]
    found = await changes(office)
    assert [(row.kind, row.screen) for row in found] == expected
    assert {row.notification_id for row in found} == {made.id}
    assert [row.position for row in found] == [1, 2, 3, 4, 5]


async def test_what_is_on_no_screen_is_not_recorded(office: "Office") -> None:
    await office.create(office.email())

    assert await changes(office) == []


async def test_what_is_not_committed_leaves_no_gap(office: "Office") -> None:
    for is_kept in (True, False, True):
        async with office.app.database.transaction() as conn:
            await screens.record(conn, [one()])
            if not is_kept:
                await conn.rollback()

    assert [row.position for row in await changes(office)] == [1, 2]


async def test_only_what_is_on_ones_own_screens(office: "Office") -> None:
    async with office.app.database.transaction() as conn:
        await screens.record(conn, [one(b"a"), one(b"b"), one(b"c"), one(b"a")])
    await changes(office)

    async with office.app.database.reading() as conn:
        found = await read_changes_of(conn, [b"a", b"c"], since=1, until=4, most=10)
        assert [(row.position, row.screen) for row in found] == [(3, b"c"), (4, b"a")]
        assert await read_changes_of(conn, [b"a", b"c"], since=1, until=3, most=10) == found[:1]


async def test_a_reader_misses_nothing_while_many_write(office: "Office") -> None:
    writing = True
    written: list[str] = []

    async def write() -> None:
        for _ in range(15):
            async with office.app.database.transaction() as conn:
                some = [one() for _ in range(3)]
                await screens.record(conn, some)
                await asyncio.sleep(0.002)
            written.extend(each["notification_id"] for each in some)

    seen: list[Any] = []

    async def follow() -> None:
        over = False
        while not over:
            none_follow = not writing
            page = await changes(office, since=seen[-1].position if seen else 0, most=7)
            over = none_follow and not page
            seen.extend(page)

    following = asyncio.create_task(follow())
    await asyncio.gather(*(write() for _ in range(4)))
    writing = False
    await following

    assert [row.position for row in seen] == list(range(1, 181))
    assert sorted(row.notification_id for row in seen) == sorted(written)


async def test_the_old_are_forgotten_but_for_the_last(office: "Office") -> None:
    old = office.now - KEPT_FOR - timedelta(seconds=1)
    async with office.app.database.transaction() as conn:
        await screens.record(conn, [one(at=old) for _ in range(3)])
    await changes(office)
    assert await forget_changes(office.app.database, now=office.now) == 2

    async with office.app.database.transaction() as conn:
        await screens.record(conn, [one(at=office.now)])
    await changes(office)
    assert await forget_changes(office.app.database, now=office.now) == 1
    async with office.app.database.reading() as conn:
        assert (await first_position(conn), await last_position(conn)) == (4, 4)
    assert len(await office.rows(screen_changes)) == 1
