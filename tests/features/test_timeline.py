"""The life of a notification in plain English: what was decided, tried, answered and told."""

from typing import Any

import pytest

from notify_sandbox.faults import ApiFault, Fault
from postroom.domain.action import ActionType
from postroom.domain.caller import Caller, Person
from postroom.domain.errors import NotFound
from postroom.domain.notification import Notification
from postroom.domain.role import Role
from postroom.features.notifications.act import Action
from postroom.features.notifications.timeline import Line, timeline
from postroom.kit.local_time import until

DEVELOPER = Person("dev@hackney.gov.uk", roles=frozenset({Role.DEVELOPER}))


async def lines(office: Any, notification: Notification, caller: Caller | None = None) -> tuple[Line, ...]:
    async with office.app.database.reading() as conn:
        found = await timeline(
            conn,
            notification.id,
            caller=caller or office.repairs,
            vault=office.app.vault,
            now=office.now,
        )
    return found.lines


def texts(found: tuple[Line, ...]) -> list[str]:
    return [line.text for line in found]


async def test_an_email_from_acceptance_to_its_receipt(office: Any) -> None:
    made = await office.create(office.email())
    await office.step(made)
    (delivery,) = (await office.one(made)).deliveries
    await office.receive(delivery, "delivered")
    await office.receive(delivery, "delivered")

    found = await lines(office, made)

    assert texts(found) == [
        "Accepted and kept.",
        "An email is to be sent, checked against version 1 of its template.",
        "Try 1 began.",
        "Try 1: GOV.UK Notify answered 201 and took it, made from version 1.",
        "GOV.UK Notify reported “delivered”.",
        "Delivered.",
        "GOV.UK Notify reported “delivered”; that changed nothing.",
    ]
    assert {line.delivery_id for line in found[1:]} == {delivery.id}
    assert [line.is_ahead for line in found] == [False] * 7


async def test_what_waits_says_until_when_and_why(office: Any) -> None:
    made = await office.create(office.email())
    office.clock.stand_still()
    office.sandbox.controls.faults.api.append(ApiFault(kind=Fault.LIMITED, path="/v2/notifications"))
    await office.step(made)

    *_, answered, held = await lines(office, made)

    limit = "Exceeded rate limit for key type LIVE of 3000 requests per 60 seconds"
    assert answered.text == f"Try 1: not taken; GOV.UK Notify answered 429 ({limit}). It is tried again."
    assert held.text == f"Held until {until(held.at, now=office.now)}: {limit}."
    assert held.is_ahead


async def test_what_may_have_been_sent_says_when_it_is_asked_about(office: Any) -> None:
    made = await office.create(office.email())
    office.clock.stand_still()
    office.sandbox.controls.faults.api.append(ApiFault(kind=Fault.ERROR, path="/v2/notifications"))
    await office.step(made)

    *_, began, asked = await lines(office, made)

    assert began.text == "Try 1 began."
    assert asked.text.startswith(
        f"GOV.UK Notify may have taken it, and is asked at {until(asked.at, now=office.now)}: "
    )


async def test_a_recipient_that_is_refused_is_told_with_the_reason(office: Any) -> None:
    made = await office.create(office.email())
    (delivery,) = made.deliveries
    await office.step(made)
    (delivery,) = (await office.one(made)).deliveries
    await office.receive(delivery, "permanent-failure")

    assert texts(await lines(office, made))[-1] == (
        "Failed (permanent-failure): the address or number does not exist or does not take messages."
    )


async def test_what_people_did_with_their_names_and_notes(office: Any, amala: Person) -> None:
    made = await office.create(office.screen(user="group:repairs-officers", require_action=True))
    await office.act(made, Action(ActionType.IS_READ, correlation_id="c-1"), caller=amala)
    await office.act(made, Action(ActionType.APPROVED, note="Agreed with Joe"), caller=amala)

    def of(found: tuple[Line, ...]) -> list[tuple[str, str | None, str | None]]:
        return [(line.text, line.actor, line.note) for line in found[1:]]

    assert of(await lines(office, made, amala)) == [
        ("Read.", amala.email, None),
        ("Approved.", amala.email, "Agreed with Joe"),
    ]
    # Their service hears that it was read, and not by whom.
    assert of(await lines(office, made)) == [
        ("Read.", None, None),
        ("Approved.", amala.email, "Agreed with Joe"),
    ]
    assert of(await lines(office, made, DEVELOPER)) == [
        ("Read.", amala.email, None),
        ("Approved.", amala.email, "•••••"),
    ]


async def test_what_was_removed_is_told_to_a_role_alone(office: Any, amala: Person) -> None:
    made = await office.create(office.screen(user=amala.email))
    await office.withdraw(made, caller=office.repairs)

    assert texts(await lines(office, made, DEVELOPER)) == [
        "Accepted and kept.",
        "Removed from every list. What nobody had begun to send was cancelled.",
    ]
    for caller in (office.repairs, office.housing, amala):
        with pytest.raises(NotFound):
            await lines(office, made, caller)


async def test_another_service_has_no_such_notification(office: Any) -> None:
    made = await office.create(office.email())

    with pytest.raises(NotFound):
        await lines(office, made, office.housing)
