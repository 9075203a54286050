"""From acceptance to the end: each delivery is sent once, whatever provider, receipts and workers do."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from postroom.app import running_app
from postroom.channels.govuk_notify import Receipt
from postroom.domain.channel import Channel
from postroom.domain.notification import Delivery, Notification, Personal
from postroom.domain.retry import RetryPolicy
from postroom.domain.status import Status
from postroom.features.notifications.seal import seal_personal
from postroom.features.notifications.settle import moment, settle
from postroom.features.notifications.tables import attempts, deliveries, notifications, receipts
from postroom.features.services.store import credentials
from postroom.interfaces.worker import run_worker
from postroom.kit.crypto import Vault
from postroom.kit.ids import new_id

if TYPE_CHECKING:
    from tests.features.conftest import Office

ADDRESS = {"addressLine1": "Amala", "addressLine2": "1 Hillman Street", "addressLine3": "E8 1DY"}


async def outcomes(office: "Office") -> list[str | None]:
    return [row.outcome for row in sorted(await office.rows(attempts), key=lambda row: row.number)]


async def follow(office: "Office", made: Notification, *, steps: int = 12) -> Delivery:
    """Do step after step until the delivery has ended."""
    for _ in range(steps):
        delivery = await office.step(made)
        if delivery.completed_at is not None:
            return delivery
        office.sandbox.advance(60)
    raise AssertionError("it did not come to an end")


@pytest.mark.parametrize(
    ("channel", "request_changes", "body"),
    [
        pytest.param(Channel.EMAIL, {}, "Dear Amala,", id="email"),
        pytest.param(
            Channel.TEXT, {"mobile_number": "07700900123"}, "Hello Amala, your code is 4711", id="text"
        ),
        pytest.param(Channel.LETTER, {}, "Dear Amala, body", id="letter"),
    ],
)
async def test_each_channel_is_sent_and_followed_to_its_end(
    office: "Office", channel: Channel, request_changes: dict[str, Any], body: str
) -> None:
    made = await office.create(
        office.email(
            channels=(channel,),
            template_id=office.sandbox.templates[channel.value.lower()],
            personalisation={"name": "Amala", "ref": "R-1", "code": "4711"} | ADDRESS,
            **request_changes,
        )
    )

    delivery = await office.step(made)
    (sent,) = office.sandbox.sent()
    assert (delivery.status, delivery.notify_id, delivery.attempts) == (Status.SENDING, sent.id, 1)
    assert (sent.reference, sent.template_id) == (delivery.id, made.template_ids[channel])
    assert body in sent.body
    ended = await follow(office, made)

    assert ended.status in {Status.DELIVERED, Status.RECEIVED}
    assert await outcomes(office) == ["accepted"]
    assert len(office.sandbox.sent()) == 1


@pytest.mark.parametrize(
    ("fault", "tries"),
    [
        ("timeout-after-accepting", ["accepted"]),
        ("reset-after-accepting", ["accepted"]),
        ("error-after-accepting", ["accepted"]),
        ("down", ["not-taken", "accepted"]),
        ("silent", ["not-taken", "accepted"]),
        ("error", ["not-taken", "accepted"]),
        ("rubbish", ["not-taken", "accepted"]),
        ("limited", ["try-again", "accepted"]),
    ],
)
async def test_whatever_fails_it_arrives_once(office: "Office", fault: str, tries: list[str]) -> None:
    made = await office.create(office.email())
    office.sandbox.fail(fault, times=1, method="POST")

    ended = await follow(office, made)

    assert ended.status is Status.DELIVERED
    assert await outcomes(office) == tries
    assert len(office.sandbox.sent()) == 1


async def test_a_refusal_ends_it_with_its_reason(office: "Office") -> None:
    office.sandbox.fail("down", path="/v2/templates")
    unchecked = await office.create(office.email(template_id=new_id()))
    office.sandbox.heal()

    ended = await office.step(unchecked)

    assert (ended.status, ended.failure_reason) == (Status.PERMANENT_FAILURE, "Template not found")
    assert ended.completed_at is not None


async def test_a_simulated_recipient_is_delivered_at_once(office: "Office") -> None:
    made = await office.create(office.email(email="simulate-delivered@notifications.service.gov.uk"))

    ended = await office.step(made)

    assert (ended.status, ended.failure_reason) == (Status.DELIVERED, "simulated")


async def test_a_job_that_is_handed_out_many_times_at_once_sends_once(office: "Office") -> None:
    made = await office.create(office.email())

    await asyncio.gather(*(office.app.sender.step(made.deliveries[0].id) for _ in range(20)))

    assert len(office.sandbox.sent()) == 1
    assert await outcomes(office) == ["accepted"]


async def test_a_worker_that_dies_in_a_call_leaves_it_to_be_looked_for(office: "Office") -> None:
    made = await office.create(office.email())
    office.sandbox.fail("timeout-after-accepting", times=1, method="POST")
    dying = asyncio.create_task(office.app.sender.step(made.deliveries[0].id))
    while not office.sandbox.sent():  # noqa: ASYNC110 - the sandbox rings no bell
        await asyncio.sleep(0.005)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    assert await outcomes(office) == [None]

    found = await office.step(made)

    assert (found.notify_id, found.attempts) == (office.sandbox.sent()[0].id, 1)
    assert await outcomes(office) == ["accepted"]


async def test_a_call_that_comes_through_after_it_was_sent_again_is_not_taken(office: "Office") -> None:
    """As from a worker that was stopped right before it wrote, or through a proxy that held it back."""
    made = await office.create(office.email())
    office.sandbox.fail("slow", times=1, method="POST", seconds=2.5)
    held_back = asyncio.create_task(asyncio.sleep(3))

    ended = await follow(office, made)
    await held_back

    assert ended.attempts == 2
    assert await outcomes(office) == ["not-taken", "accepted"]
    assert len(office.sandbox.sent()) == 1


async def test_a_step_before_its_time_does_nothing(office: "Office") -> None:
    made = await office.create(office.email())
    await office.step(made)
    before = await office.row(deliveries, made.deliveries[0].id)

    await office.app.sender.step(made.deliveries[0].id)

    assert await office.row(deliveries, made.deliveries[0].id) == before


async def test_a_step_of_what_is_not_there_does_nothing(office: "Office") -> None:
    await office.app.sender.step(new_id())

    assert await office.rows(attempts) == []


async def test_a_key_that_is_gone_ends_it(office: "Office") -> None:
    made = await office.create(office.email())
    async with office.app.database.transaction() as conn:
        await conn.execute(credentials.delete())
    (row,) = await office.rows(deliveries)
    office.app.credentials.forget(row.credential_id)

    ended = await office.step(made)

    assert (ended.status, office.sandbox.sent()) == (Status.TECHNICAL_FAILURE, [])
    assert await outcomes(office) == ["not-taken"]


ANOTHER = Vault("another secret of at least 32 characters")


async def spoil_personal(office: "Office", row: Any) -> None:
    sealed = seal_personal(ANOTHER, row.notification_id, Personal())
    async with office.app.database.transaction() as conn:
        await conn.execute(notifications.update().values(personal=sealed))


async def spoil_key(office: "Office", row: Any) -> None:
    sealed = ANOTHER.seal(b"key", row=row.credential_id, column="credentials.sealed_key")
    async with office.app.database.transaction() as conn:
        await conn.execute(credentials.update().values(sealed_key=sealed))
    office.app.credentials.forget(row.credential_id)


@pytest.mark.parametrize("spoil", [spoil_personal, spoil_key])
async def test_what_cannot_be_opened_is_put_off_and_given_up_after_three_days(
    office: "Office", spoil: Callable[["Office", Any], Awaitable[None]]
) -> None:
    await office.create(office.email())
    (row,) = await office.rows(deliveries)
    await spoil(office, row)

    waits = []
    for _ in range(4):
        office.clock.until(row.due_at)
        await office.app.sender.step(row.id)
        (row,) = await office.rows(deliveries)
        waits.append(row.due_at - office.now)
    put_off = row
    office.clock.ahead += RetryPolicy().give_up_after
    await office.app.sender.step(row.id)
    (ended,) = await office.rows(deliveries)

    reason = "what is kept of it cannot be opened: POSTROOM_SECRET is not the one that sealed it"
    assert (put_off.status, put_off.reason) == (Status.PENDING, reason)
    assert waits[0] < waits[2] < waits[3]
    assert (ended.status, ended.reason) == (Status.DEAD, f"given up: {reason}")
    assert await outcomes(office) == ["try-again"] * 5
    assert office.sandbox.sent() == []


async def test_a_worker_with_another_secret_harms_nothing_that_the_others_then_send(office: "Office") -> None:
    made = await office.create(office.email())
    settings = replace(office.app.settings, secret="another secret of at least 32 characters")
    async with running_app(settings, clock=office.clock) as stranger:
        for _ in range(3):
            (row,) = await office.rows(deliveries)
            office.clock.until(row.due_at)
            await stranger.sender.step(row.id)

    ended = await follow(office, made)

    assert ended.status is Status.DELIVERED
    assert await outcomes(office) == ["try-again"] * 3 + ["accepted"]
    assert len(office.sandbox.sent()) == 1


async def test_what_may_have_been_sent_and_cannot_be_opened_needs_a_decision_after_a_day(
    office: "Office",
) -> None:
    made = await office.create(office.email())
    office.sandbox.fail("timeout-after-accepting", times=1, method="POST")
    await office.step(made)
    (row,) = await office.rows(deliveries)
    await spoil_key(office, row)

    waits = await office.step(made)
    office.clock.ahead += RetryPolicy().resend_within
    ended = await office.step(made)

    assert (waits.status, waits.attempts) == (Status.PENDING, 1)
    assert (ended.status, ended.failure_reason) == (
        Status.DEAD,
        "needs a decision: it may have been sent",
    )
    assert len(office.sandbox.sent()) == 1


async def test_the_worker_does_it_all_by_itself(office: "Office") -> None:
    """The real queue, from acceptance to the end, with many at once."""
    stop = asyncio.Event()
    working = asyncio.create_task(run_worker(office.app, stop=stop))
    made = await asyncio.gather(
        *(office.create(office.email(reference=f"r-{n}", email=f"r{n}@example.com")) for n in range(30))
    )
    async with asyncio.timeout(10):
        while len(await outcomes(office)) < 30 or None in await outcomes(office):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    stop.set()
    await working

    assert sorted(sent.reference or "" for sent in office.sandbox.sent()) == sorted(
        each.deliveries[0].id for each in made
    )


async def test_a_receipt_ends_it_and_a_second_changes_nothing(office: "Office") -> None:
    made = await office.create(office.email())
    sent = await office.step(made)

    await office.receive(sent, "delivered")
    ended = await office.one(made)
    await office.receive(sent, "delivered")
    await office.receive(sent, "temporary-failure")
    await office.receive(sent, "sending")

    assert ended.deliveries[0].status is Status.DELIVERED
    assert await office.one(made) == ended
    assert [row.applied for row in await office.rows(receipts)] == [True, False, False, False]


async def test_a_receipt_that_is_faster_than_the_answer_is_the_answer(office: "Office") -> None:
    made = await office.create(office.email())
    office.sandbox.fail("timeout-after-accepting", times=1, method="POST")
    await office.step(made)
    (sent,) = office.sandbox.sent()

    await settle(
        Receipt(
            id=sent.id,
            status="delivered",
            reference=made.deliveries[0].id,
            completed_at="2026-11-02T12:00:00Z",
        ),
        service_id=office.repairs.service_id,
        database=office.app.database,
        changes=office.app.changes,
        policy=office.app.settings.policy,
        now=office.now,
    )

    (ended,) = (await office.one(made)).deliveries
    assert (ended.status, ended.notify_id, ended.completed_at) == (
        Status.DELIVERED,
        sent.id,
        moment("2026-11-02T12:00:00Z"),
    )
    assert await outcomes(office) == ["accepted"]


async def test_a_receipt_without_our_reference_is_found_by_notifys_id(office: "Office") -> None:
    made = await office.create(office.email())
    sent = await office.step(made)

    await settle(
        Receipt(id=sent.notify_id or "", status="permanent-failure"),
        service_id=office.repairs.service_id,
        database=office.app.database,
        changes=office.app.changes,
        policy=office.app.settings.policy,
        now=office.now,
    )

    (ended,) = (await office.one(made)).deliveries
    assert (ended.status, ended.failure_reason) == (
        Status.PERMANENT_FAILURE,
        "the address or number does not exist or does not take messages",
    )


@pytest.mark.parametrize("status", ["delivered", "a-new-status"])
async def test_receipts_that_nobody_knows_are_kept(office: "Office", status: str) -> None:
    made = await office.create(office.email())
    sent = await office.step(made)
    before = await office.one(made)

    await office.receive(
        Delivery(id=new_id(), channel=Channel.EMAIL, status=Status.SENDING, notify_id="x"), status
    )
    await office.receive(sent, "delivered", caller=office.housing)
    await office.receive(sent, "a-new-status")

    assert await office.one(made) == before
    assert [(row.notify_id, row.applied) for row in await office.rows(receipts)] == [
        ("x", False),
        (sent.notify_id, False),
        (sent.notify_id, False),
    ]


async def test_many_receipts_for_one_delivery_in_one_batch_end_it_once(office: "Office") -> None:
    made = await office.create(office.email())
    sent = await office.step(made)

    await asyncio.gather(
        *(office.receive(sent, status) for status in ["delivered", "temporary-failure"] * 10)
    )

    applied = [row.status for row in await office.rows(receipts) if row.applied]
    (ended,) = (await office.one(made)).deliveries
    assert [ended.status.value] == applied


async def test_what_cannot_be_asked_is_asked_again_later(office: "Office") -> None:
    made = await office.create(office.email())
    await office.step(made)
    office.sandbox.fail("down")

    silent = await office.step(made)
    office.sandbox.heal()
    ended = await follow(office, made)

    assert (silent.status, ended.status) == (Status.SENDING, Status.DELIVERED)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2026-11-02T12:00:00.000000Z", "2026-11-02T12:00:00+00:00"),
        ("2026-11-02T12:00:00", "2026-11-02T12:00:00+00:00"),
        ("2026-07-02T12:00:00+01:00", "2026-07-02T11:00:00+00:00"),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_moment(text: str | None, read: str | None) -> None:
    found = moment(text)

    assert (None if found is None else found.isoformat()) == read
    assert found is None or found.utcoffset() == timedelta(0)
