"""What cannot be opened, sealed with another secret or changed since, spoils nothing but itself."""

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest
from sqlalchemy import Column, Table, update

from postroom.domain.action import ActionType
from postroom.domain.caller import Person
from postroom.domain.errors import Conflict
from postroom.domain.notification import Notification, Personal
from postroom.domain.role import Role
from postroom.features.audit.store import audit_entries
from postroom.features.notifications.act import Action
from postroom.features.notifications.find import find_as_new, find_some
from postroom.features.notifications.search import By, Sought, search
from postroom.features.notifications.tables import notifications
from postroom.features.notifications.timeline import timeline
from postroom.features.notifications.waiting import find_waiting
from postroom.features.webhooks.dispatch import Dispatcher
from postroom.features.webhooks.endpoints import find_endpoints, rotate_secret
from postroom.features.webhooks.tables import webhook_endpoints
from postroom.kit.crypto import Vault
from tests.features.test_webhooks import (
    Receiver,
    call_back,
    dispatcher,
    endpoint_of,
    receiver,
    receivers,
    set_for,
)

if TYPE_CHECKING:
    from tests.features.conftest import Office

__all__ = ["dispatcher", "receiver", "receivers"]

JOE = Person(email="joe@hackney.gov.uk")
KOFI = Person(email="kofi@hackney.gov.uk", roles=frozenset({Role.DEVELOPER}))
ANOTHER = Vault("another secret of at least 32 characters")


async def spoil(office: "Office", table: Table, key: Column[str], row: str, column: str) -> None:
    """Put in a sealed value's place what another secret has sealed for the same place."""
    value = msgspec.json.encode(Personal(user=JOE.email))
    sealed = ANOTHER.seal(value, row=row, column=f"{table.name}.{column}")
    async with office.app.database.transaction() as conn:
        await conn.execute(update(table).where(key == row).values({column: sealed}))


async def three(office: "Office") -> tuple[Notification, Notification, Notification]:
    """Three for Joe's screen, of which the second cannot be opened."""
    made = [await office.create(office.screen(require_action=True)) for _ in range(3)]
    await spoil(office, notifications, notifications.c.id, made[1].id, "personal")
    return made[0], made[1], made[2]


async def test_lists_show_the_others_and_say_it_of_this_one(office: "Office") -> None:
    first, spoilt, last = await three(office)
    ids = [last.id, spoilt.id, first.id]
    expected = [(last.id, False), (spoilt.id, True), (first.id, False)]

    for caller in (JOE, office.repairs):
        page = await office.find(caller)
        assert [(each.id, each.is_unreadable) for each in page.items] == expected
        assert [each.personal.message for each in page.items] == [
            "Estimates are ready",
            None,
            "Estimates are ready",
        ]
    assert (await office.one(spoilt, JOE)).is_unreadable

    vault = office.app.vault
    async with office.app.database.reading() as conn:
        some = await find_some(conn, ids, caller=JOE, vault=vault)
        new = await find_as_new(conn, ids, vault=vault)
        sought = Sought(By.TARGET, "t-1", service_ids=(office.repairs.service_id,))
        found = await search(conn, sought, caller=KOFI, vault=vault)
        waiting = await find_waiting(conn, [JOE.email], vault=vault, limit=9)
    for shown in (some, new):
        assert {each: shown[each].is_unreadable for each in ids} == dict(expected)
    assert [(each.id, each.is_unreadable) for each in found.items] == expected
    assert [(each.id, each.user) for each in waiting] == [(each, JOE.email) for each in ids]


async def test_it_is_decided_on_as_any_other(office: "Office") -> None:
    _, spoilt, _ = await three(office)
    approved = await office.act(spoilt, Action(ActionType.APPROVED, note="Yes"), caller=JOE)

    assert approved.is_unreadable
    assert approved.action_detail is not None
    assert (approved.action_detail.done_by, approved.action_detail.note) == (JOE.email, "Yes")


async def test_a_decision_that_cannot_be_opened_is_said_to_be_so(office: "Office") -> None:
    made = await office.create(office.screen(require_action=True))
    await office.act(made, Action(ActionType.APPROVED, note="Yes"), caller=JOE)
    await spoil(office, notifications, notifications.c.id, made.id, "action_personal")
    found = await office.one(made)

    assert (found.is_unreadable, found.action, found.action_detail) == (True, ActionType.APPROVED, None)
    assert found.personal.message == "Estimates are ready"


async def test_an_audit_entry_that_cannot_be_opened_is_nobodys(office: "Office") -> None:
    made = await office.create(office.screen(require_action=True))
    await office.act(made, Action(ActionType.APPROVED, note="Yes"), caller=JOE)
    vault = office.app.vault

    async def told() -> list[tuple[str, str | None]]:
        async with office.app.database.reading() as conn:
            life = await timeline(conn, made.id, caller=office.repairs, vault=vault, now=office.now)
        return [(line.text, line.actor) for line in life.lines]

    before = await told()
    async with office.app.database.transaction() as conn:
        entry = audit_entries.c.notification_id == made.id, audit_entries.c.personal.is_not(None)
        sealed = ANOTHER.seal(b"{}", row="somewhere", column="else")
        await conn.execute(update(audit_entries).where(*entry).values(personal=sealed))

    lost = "By whom cannot be read: it was sealed with another secret, or changed since."
    assert before == [("Accepted and kept.", None), ("Approved.", JOE.email)]
    assert await told() == [("Accepted and kept.", None), (f"Approved. {lost}", None)]


async def test_a_webhook_that_cannot_be_opened_delays_nobody_else(
    office: "Office", dispatcher: Dispatcher, receiver: Receiver
) -> None:
    await set_for(office, office.repairs, receiver.url)
    await set_for(office, office.housing, receiver.url)
    key, service_id = webhook_endpoints.c.service_id, office.housing.service_id
    await spoil(office, webhook_endpoints, key, service_id, "sealed")
    await office.create(office.screen(), caller=office.housing)
    mine = await office.create(office.screen())
    await call_back(dispatcher)

    assert [each["data"]["notificationId"] for each in receiver.taken] == [mine.id]
    async with office.app.database.reading() as conn:
        ids = [office.repairs.service_id, service_id]
        shown = await find_endpoints(conn, ids, vault=office.app.vault)
    assert [shown[each].url for each in ids] == [receiver.url, None]

    with pytest.raises(Conflict, match="set the webhook again"):
        async with office.app.database.transaction() as conn:
            await rotate_secret(conn, service_id, vault=office.app.vault, now=office.now)
    assert (await set_for(office, office.housing, receiver.url)).startswith("whsec_")
    office.clock.until(office.now + timedelta(seconds=31))
    await call_back(dispatcher)
    assert len(receiver.taken) == 2
    assert (await endpoint_of(office, office.housing)).url == receiver.url
