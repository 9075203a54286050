"""What the audit tells: of a notification, of a service, of a person, of a time."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from postroom.domain.action import ActionType
from postroom.domain.caller import Person
from postroom.domain.masking import MASK
from postroom.domain.notification import Notification
from postroom.domain.role import Role
from postroom.features import audit
from postroom.features.audit.store import audit_entries
from postroom.features.notifications.act import Action
from postroom.features.notifications.trail import entries_of

if TYPE_CHECKING:
    from tests.features.conftest import Office

APPROVED = Action(ActionType.APPROVED, note="Joe rang", correlation_id="c-1", ip="192.0.2.7")
AUDITOR = Person("olu@hackney.gov.uk", roles=frozenset({Role.AUDITOR}))
DEVELOPER = Person("dev@hackney.gov.uk", roles=frozenset({Role.DEVELOPER}))
STRANGER = Person("else@hackney.gov.uk")


@pytest.fixture
async def made(office: "Office", joe: Person) -> Notification:
    notification = await office.create(office.screen(user="group:repairs-officers", require_action=True))
    await office.act(notification, Action(ActionType.IS_READ), caller=joe)
    await office.act(notification, APPROVED, caller=joe)
    return notification


async def told(office: "Office", notification: Notification, caller: Any) -> list[tuple[Any, ...]]:
    async with office.app.database.reading() as conn:
        found = await entries_of(conn, notification.id, caller=caller, vault=office.app.vault)
    return [(each.kind, each.detail, each.actor, each.note, each.ip, each.correlation_id) for each in found]


async def found(office: "Office", **filters: Any) -> list[audit.Recorded]:
    async with office.app.database.reading() as conn:
        page = await audit.find_entries(conn, audit.TrailFilters(**filters), vault=office.app.vault)
    assert page.next_before is None
    return list(page.items)


async def test_a_trail_says_who_did_what_when_and_why(
    office: "Office", made: Notification, joe: Person
) -> None:
    seen = ("action", "IsRead", joe.email, None, None, None)
    approved = ("action", "Approved", joe.email, "Joe rang")

    assert await told(office, made, joe) == [
        ("accepted", None, None, None, None, None),
        seen,
        (*approved, None, "c-1"),
    ]
    assert (await told(office, made, AUDITOR))[-1] == (*approved, "192.0.2.7", "c-1")


async def test_who_may_not_read_the_notification_is_told_nothing_of_it(
    office: "Office", made: Notification
) -> None:
    assert await told(office, made, STRANGER) == []
    assert await told(office, made, office.housing) == []


async def test_what_was_written_is_masked_for_whom_it_is_not_meant(
    office: "Office", made: Notification, joe: Person
) -> None:
    assert (await told(office, made, DEVELOPER))[-1][2:5] == (joe.email, MASK, None)
    assert (await told(office, made, office.repairs))[-1][2:5] == (joe.email, "Joe rang", None)


async def test_entries_are_found_by_who_did_it_however_that_is_written(
    office: "Office", made: Notification, amala: Person
) -> None:
    other = await office.create(office.screen(user="group:repairs-officers"))
    await office.act(other, Action(ActionType.IS_READ), caller=amala)

    assert [each.detail for each in await found(office, actor=" Joe@Hackney.gov.uk")] == [
        "Approved",
        "IsRead",
    ]
    assert [each.notification_id for each in await found(office, actor=amala.email)] == [other.id]
    assert await found(office, actor="nobody@hackney.gov.uk") == []


async def test_entries_are_found_by_service_kind_and_time(office: "Office", made: Notification) -> None:
    accepted = await found(office, service_id=office.repairs.service_id, kind=audit.Kind.ACCEPTED)
    later = office.now + timedelta(seconds=2)

    assert [each.notification_id for each in accepted] == [made.id]
    assert await found(office, service_id=office.housing.service_id) == []
    assert await found(office, since=later) == []
    assert len(await found(office, until=later, since=later - timedelta(hours=1))) == 3


async def test_pages_hold_every_entry_once(office: "Office", made: Notification) -> None:
    every, before = [], None
    while True:
        filters = audit.TrailFilters(limit=2, before=before)
        async with office.app.database.reading() as conn:
            page = await audit.find_entries(conn, filters, vault=office.app.vault)
        every += page.items
        if (before := page.next_before) is None:
            break

    assert [each.detail for each in every] == ["Approved", "IsRead", None]


async def test_what_is_done_to_a_service_needs_no_notification(office: "Office") -> None:
    by = audit.By("sam", office.now, office.app.vault, ip="192.0.2.8", correlation_id="c-2")
    async with office.app.database.transaction() as conn:
        await audit.record_of_service(
            conn, audit.Kind.KEY_ISSUED, service_id=office.repairs.service_id, by=by, detail="key 1"
        )

    (entry,) = await found(office, kind=audit.Kind.KEY_ISSUED)
    assert (entry.notification_id, entry.actor, entry.detail, entry.ip, entry.correlation_id) == (
        None,
        "sam",
        "key 1",
        "192.0.2.8",
        "c-2",
    )


async def test_what_is_accepted_writes_no_personal_values(office: "Office", made: Notification) -> None:
    (row,) = [each for each in await office.rows(audit_entries) if each.kind == "accepted"]

    assert (row.personal, row.personal_digests, row.actor_index, row.seal) == (None, None, None, None)
