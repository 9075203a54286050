"""A request is accepted whole or not at all."""

import asyncio
import sqlite3
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import asyncpg
import pytest
from msgspec import structs
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from postroom.domain.channel import Channel
from postroom.domain.errors import FieldError, Forbidden, Invalid
from postroom.domain.lane import Lane
from postroom.domain.notification import Notification
from postroom.domain.status import Status
from postroom.features.audit.store import audit_entries
from postroom.features.notifications.plan import Plan, write_plans
from postroom.features.notifications.request import NewNotification
from postroom.features.notifications.tables import attempts, deliveries, notifications
from postroom.features.services.store import credentials
from postroom.kit.ids import new_id

if TYPE_CHECKING:
    from tests.features.conftest import Office

ADDRESS = {"addressLine1": "Amala", "addressLine2": "1 Hillman Street", "addressLine3": "E8 1DY"}


async def faults(office: "Office", new: NewNotification) -> list[FieldError]:
    with pytest.raises(Invalid) as raised:
        await office.create(new)
    return list(raised.value.errors)


async def jobs(office: "Office") -> set[str]:
    """The deliveries that the queue has: on SQLite the rows themselves, by their due moment."""
    if not office.app.database.is_postgres:
        return {row.id for row in await office.rows(deliveries) if row.due_at is not None}
    async with office.app.database.reading() as conn:
        return {payload.decode() for payload in await conn.scalars(text("SELECT payload FROM pgqueuer"))}


async def test_the_notification_its_deliveries_the_audit_and_the_jobs_are_written(office: "Office") -> None:
    templates = office.sandbox.templates
    made = await office.create(
        office.email(
            channels=(Channel.SCREEN, Channel.EMAIL),
            extra_channels=(Channel.TEXT, Channel.LETTER),
            target_id="t-1",
            message="Hello",
            mobile_number="07700900123",
            template_ids={Channel.TEXT: templates["text"], Channel.LETTER: templates["letter"]},
            personalisation={"name": "Amala", "ref": "R-1", "code": "4711"} | ADDRESS,
        )
    )

    assert [(each.channel, each.status) for each in made.deliveries] == [
        (Channel.EMAIL, Status.PENDING),
        (Channel.TEXT, Status.PENDING),
        (Channel.LETTER, Status.PENDING),
    ]
    assert await office.one(made) == made
    assert {row.id for row in await office.rows(deliveries)} == {each.id for each in made.deliveries}
    assert [(row.kind, row.notification_id) for row in await office.rows(audit_entries)] == [
        ("accepted", made.id)
    ]
    assert await jobs(office) == {each.id for each in made.deliveries}


async def test_a_delivery_knows_its_lane_whom_it_reaches_and_what_it_says(office: "Office") -> None:
    text = office.email(
        channels=(Channel.TEXT,),
        template_id=office.sandbox.templates["text"],
        personalisation={"name": "Amala", "code": "4711"},
    )
    same = [structs.replace(text, mobile_number=number) for number in ("07700 900123", "+447700900123")]
    other = structs.replace(same[0], personalisation={"name": "Joe", "code": "4711"})
    abroad = structs.replace(text, mobile_number="+33 6 12 34 56 78")
    for new in (*same, other, abroad):
        await office.create(new)
    await office.app.creator.create(office.email(), caller=office.repairs, now=office.now, lane=Lane.BULK)

    rows = sorted(await office.rows(deliveries), key=lambda row: str(row.id))
    assert [row.lane for row in rows] == [0, 0, 0, 0, 1]
    first, second, third, fourth, fifth = rows
    assert first.recipient_index == second.recipient_index == third.recipient_index != fourth.recipient_index
    assert first.content_index == second.content_index == fourth.content_index != third.content_index
    assert [row.international for row in rows] == [False, False, False, True, False]
    assert fifth.recipient_index is not None
    assert fifth.content_index is None


async def test_a_screen_has_no_delivery_and_no_job(office: "Office") -> None:
    made = await office.create(office.screen())

    assert (made.deliveries, await jobs(office)) == ((), set())


async def test_requests_that_come_together_are_all_written(office: "Office") -> None:
    made = await asyncio.gather(*(office.create(office.email(reference=f"r-{n}")) for n in range(100)))

    assert {row.id for row in await office.rows(notifications)} == {each.id for each in made}
    assert len(await office.rows(deliveries)) == len(await office.rows(audit_entries)) == 100


@pytest.mark.parametrize("broken", ["delivery", "audit"])
async def test_what_cannot_be_written_whole_is_not_written_at_all(office: "Office", broken: str) -> None:
    """Its neighbours in the same batch are."""
    plans = [await plan_of(office) for _ in range(3)]
    bad = plans[1]
    if broken == "delivery":
        plans[1] = Plan(bad.notification, [dict(bad.deliveries[0]), dict(bad.deliveries[0])], bad.audit_entry)
    else:
        plans[1] = Plan(bad.notification, bad.deliveries, None)  # type: ignore[arg-type]
    creator = office.app.creator
    results = await asyncio.gather(
        *(creator._writer.submit(plan) for plan in plans),
        return_exceptions=True,
    )

    written = {row.id for row in await office.rows(notifications)}
    assert [isinstance(result, Exception) for result in results] == [False, True, False]
    assert written == {plans[0].notification["id"], plans[2].notification["id"]}
    assert {row.notification_id for row in await office.rows(deliveries)} == written
    assert {row.notification_id for row in await office.rows(audit_entries)} == written
    assert await jobs(office) == {str(plan.deliveries[0]["id"]) for plan in (plans[0], plans[2])}


async def plan_of(office: "Office") -> Plan:
    """A plan as the creator makes it, not yet written."""
    kept: list[Plan] = []

    class Keeping:
        async def submit(self, plan: Plan) -> bool:
            kept.append(plan)
            return True

    creator = office.app.creator
    writer, creator._writer = creator._writer, Keeping()  # type: ignore[assignment]
    try:
        await office.create(office.email())
    finally:
        creator._writer = writer
    return kept[0]


@pytest.mark.parametrize("once", [None, "a key"])
async def test_jobs_and_rows_stand_or_fall_with_the_transaction(office: "Office", once: str | None) -> None:
    made, again = await plan_of(office), await plan_of(office)
    if once is not None:
        row = {"service_id": made.notification["service_id"], "key": once.encode(), "body": b"digest"}
        row |= {
            "notification_id": made.notification["id"],
            "expires_at": made.audit_entry.at + timedelta(hours=1),
        }
        made = replace(made, once=row)
    # A row that is there already: the statement fails after others of it have been written.
    twice = replace(again, deliveries=made.deliveries)

    with pytest.raises((asyncpg.UniqueViolationError, IntegrityError, sqlite3.IntegrityError)):
        await write_plans(
            [made, twice], database=office.app.database, vault=office.app.vault, queue=office.app.queue
        )

    assert (await jobs(office), await office.rows(notifications), await office.rows(audit_entries)) == (
        set(),
        [],
        [],
    )


async def test_every_fault_is_named_at_once_and_nothing_is_kept(office: "Office") -> None:
    found = await faults(
        office,
        office.email(
            email="nobody", personalisation={"name": "Amala"}, message="x" * 5_001, target_type="a b"
        ),
    )

    assert {error.field for error in found} == {"email", "message", "targetType", "personalisationParams.ref"}
    assert await office.rows(notifications) == []


@pytest.mark.parametrize(
    ("alias", "message"),
    [
        (None, "There is no such template at GOV.UK Notify."),
        ("text", "This template is for text messages, not for emails."),
    ],
)
async def test_a_template_that_cannot_carry_it(office: "Office", alias: str | None, message: str) -> None:
    template_id = office.sandbox.templates[alias] if alias else new_id()

    assert await faults(office, office.email(template_id=template_id)) == [FieldError("templateId", message)]


async def test_values_that_no_template_uses_are_warned_of(office: "Office") -> None:
    made = await office.create(office.email(personalisation={"name": "Amala", "ref": "R-1", "colour": "red"}))

    assert made.personal.warnings == ("colour is not used by the template",)


@pytest.mark.parametrize("fault", ["down", "error", "rubbish", "silent", "limited"])
async def test_while_notify_is_away_it_is_accepted_unchecked(office: "Office", fault: str) -> None:
    office.sandbox.fail(fault)

    made: Notification = await office.create(office.email(template_id=new_id()))

    assert made.template_unchecked is True
    assert (await office.one(made)).template_unchecked is True


async def test_another_services_name_is_forbidden_and_an_unknown_one_a_fault(office: "Office") -> None:
    with pytest.raises(Forbidden):
        await office.create(office.email(service_key="housing"))

    assert await faults(office, office.email(service_key="parking")) == [
        FieldError("serviceKey", "There is no service of this name.")
    ]


async def test_a_raw_key_is_kept_sealed_with_what_it_sends(office: "Office") -> None:
    key = office.sandbox.mint_key()

    made = await office.create(office.email(service_key=key))

    (raw,) = [row for row in await office.rows(credentials) if row.is_raw]
    (delivery,) = await office.rows(deliveries)
    assert delivery.credential_id == raw.id
    assert key.encode() not in bytes(raw.sealed_key)
    assert (await office.step(made)).status is Status.SENDING


async def test_a_raw_key_that_notify_refuses_is_a_fault(office: "Office") -> None:
    key = office.sandbox.mint_key()
    office.sandbox.revoke("live")

    assert await faults(office, office.email(service_key=key)) == [
        FieldError("serviceKey", "GOV.UK Notify does not accept this key.")
    ]


async def test_keys_never_show_in_what_is_printed(office: "Office") -> None:
    key = office.sandbox.mint_key()
    new = office.email(service_key=key, personalisation={"name": "Amala Okafor", "ref": "R-1"})
    credential = office.app.keys.raw(key, service_id=office.repairs.service_id)

    told = repr((new, credential, await plan_of(office), office.app.settings))

    assert key not in told
    assert "Okafor" not in told
    assert office.app.settings.secret not in told


async def test_nothing_is_tried_by_creating(office: "Office") -> None:
    await office.create(office.email())

    assert (office.sandbox.sent(), await office.rows(attempts)) == ([], [])
