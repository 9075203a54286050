"""Limits on the whole way, with a worker and the sandbox's own limits: what is held back arrives later."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from notify_sandbox.model import Limits
from postroom.app import App, running_app
from postroom.domain.channel import Channel
from postroom.domain.lane import Lane
from postroom.domain.notification import Delivery, Notification
from postroom.domain.status import Status
from postroom.features.limits import ServiceLimits
from postroom.features.limits.store import provider_buckets
from postroom.features.notifications.tables import attempts, deliveries
from postroom.features.services import set_limits
from postroom.interfaces.worker import run_worker

if TYPE_CHECKING:
    from tests.features.conftest import Office

HOUR = timedelta(hours=1)


async def choose(office: "Office", **limits: int) -> None:
    """Limits for the service that the office calls as."""
    async with office.app.database.transaction() as conn:
        await set_limits(conn, service_id=office.repairs.service_id, limits=ServiceLimits(**limits))


async def post(
    office: "Office", number: int, *, lane: Lane = Lane.SINGLE, **changed: Any
) -> list[Notification]:
    """So many emails at once, each to somebody else."""
    made = await asyncio.gather(
        *(
            office.app.creator.create(
                office.email(**({"email": f"resident-{each}@example.com"} | changed)),
                caller=office.repairs,
                now=office.now,
                lane=lane,
            )
            for each in range(number)
        )
    )
    return [each.notification for each in made]


@asynccontextmanager
async def working(*apps: App) -> AsyncIterator[None]:
    stop = asyncio.Event()
    workers = [asyncio.create_task(run_worker(app, stop=stop)) for app in apps]
    yield
    stop.set()
    await asyncio.gather(*workers)


async def until_taken(office: "Office", number: int, *, seconds: float) -> float:
    """Wait until the sandbox took so many; how long that was."""
    started = time.monotonic()
    async with asyncio.timeout(seconds):
        while len(office.sandbox.sent()) < number:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return time.monotonic() - started


async def refusals(office: "Office") -> int:
    return sum(row.status_code == 429 for row in await office.rows(attempts))


async def check_all_taken_once(office: "Office", made: Sequence[Notification]) -> None:
    taken = Counter(sent.reference for sent in office.sandbox.sent())
    assert taken == {each.deliveries[0].id: 1 for each in made}


async def test_as_many_arrive_as_the_provider_takes_and_it_refuses_hardly_one(office: "Office") -> None:
    office.sandbox.limit(Limits(per_minute=240))  # 80 at once, then four a second
    await choose(office, notify_a_minute=240)
    made = await post(office, 100)

    async with working(office.app):
        taken_in = await until_taken(office, 100, seconds=40)

    assert taken_in > 3.5
    assert await refusals(office) <= 3
    await check_all_taken_once(office, made)


async def test_bulk_that_waits_lets_what_comes_alone_pass(office: "Office") -> None:
    office.sandbox.limit(Limits(per_minute=240))
    await choose(office, notify_a_minute=240)
    bulk = await post(office, 90, lane=Lane.BULK)

    async with working(office.app):
        await until_taken(office, 60, seconds=30)
        (alone,) = await post(office, 1)
        async with asyncio.timeout(20):
            while alone.deliveries[0].id not in {sent.reference for sent in office.sandbox.sent()}:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        at_that_time = len(office.sandbox.sent())
        await until_taken(office, 91, seconds=40)

    assert at_that_time < 80
    assert await refusals(office) <= 3
    await check_all_taken_once(office, [*bulk, alone])


async def test_workers_of_two_processes_share_one_bucket(postgres_office: "Office") -> None:
    office = postgres_office
    office.sandbox.limit(Limits(per_minute=240))
    await choose(office, notify_a_minute=240)
    made = await post(office, 100)

    async with AsyncExitStack() as stack:
        other = await stack.enter_async_context(running_app(office.app.settings, clock=office.clock))
        await stack.enter_async_context(working(office.app, other))
        taken_in = await until_taken(office, 100, seconds=40)

    assert taken_in > 3.5
    assert await refusals(office) <= 3
    await check_all_taken_once(office, made)


async def test_a_limit_that_was_set_too_high_meets_refusals_and_loses_nothing(office: "Office") -> None:
    office.sandbox.limit(Limits(per_minute=240))
    made = await post(office, 100)

    async with working(office.app):
        await until_taken(office, 100, seconds=60)

    assert await refusals(office) > 0
    await check_all_taken_once(office, made)


async def test_what_waits_says_for_what_and_holds_no_attempt(office: "Office") -> None:
    await choose(office, notify_a_minute=20)  # seven at once, then one in three seconds
    *first, last = await post(office, 8)
    for each in [*first, last]:
        await office.app.sender.step(each.deliveries[0].id)

    (waiting,) = (await office.one(last)).deliveries
    row = await office.row(deliveries, waiting.id)

    assert (waiting.status, waiting.attempts) == (Status.PENDING, 0)
    assert waiting.failure_reason == "waits: as much as GOV.UK Notify takes in a minute is on its way"
    assert row.lease_until is None
    assert timedelta(0) < row.due_at - office.now <= timedelta(seconds=3)
    sent = await office.step(last)
    assert (sent.status, sent.failure_reason) == (Status.SENDING, None)


async def test_what_is_over_the_cap_for_a_recipient_is_suppressed_and_says_why(office: "Office") -> None:
    await choose(office, same_template_an_hour=2)
    made = [await office.create(office.email()) for _ in range(3)]
    ends = [await office.step(each) for each in made]

    assert [each.status for each in ends] == [Status.SENDING, Status.SENDING, Status.SUPPRESSED]
    assert ends[2].failure_reason == (
        "not sent: 2 of this template went to this recipient within an hour, "
        "which is as many as this service sends"
    )
    assert ends[2].completed_at is not None
    assert len(office.sandbox.sent()) == 2


async def test_the_same_recipient_however_it_is_written_is_one(office: "Office") -> None:
    await choose(office, same_template_an_hour=1)
    text = {
        "channels": (Channel.TEXT,),
        "template_id": office.sandbox.templates["text"],
        "personalisation": {"name": "Amala", "code": "1"},
    }
    first = await office.step(await office.create(office.email(mobile_number="07700 900123", **text)))
    second = await office.step(await office.create(office.email(mobile_number="+447700900123", **text)))

    assert [first.status, second.status] == [Status.SENDING, Status.SUPPRESSED]


async def test_a_text_of_the_same_content_waits_for_the_networks(office: "Office") -> None:
    await choose(office, same_text_an_hour=1)

    async def text(code: str) -> Delivery:
        made = await office.create(
            office.email(
                channels=(Channel.TEXT,),
                mobile_number="07700900123",
                template_id=office.sandbox.templates["text"],
                personalisation={"name": "Amala", "code": code},
            )
        )
        await office.app.sender.step(made.deliveries[0].id)
        return (await office.one(made)).deliveries[0]

    first, same, other = [await text(code) for code in ("1", "1", "2")]

    assert [each.status for each in (first, same, other)] == [Status.SENDING, Status.PENDING, Status.SENDING]
    assert same.failure_reason == "waits: 1 texts of this content went to this number within an hour"
    row = await office.row(deliveries, same.id)
    assert timedelta(minutes=59) < row.due_at - office.now <= HOUR


async def test_a_day_that_the_provider_ends_ends_for_all_that_wait(office: "Office") -> None:
    office.sandbox.limit(Limits(emails=1))
    first, refused, held = await post(office, 3)
    await office.step(first)
    limited = await office.step(refused)
    await office.app.sender.step(held.deliveries[0].id)
    (waiting,) = (await office.one(held)).deliveries

    assert (limited.status, limited.attempts) == (Status.PENDING, 1)
    assert (waiting.status, waiting.attempts) == (Status.PENDING, 0)
    assert waiting.failure_reason == "waits for midnight UTC: GOV.UK Notify takes no more emails today"
    row = await office.row(deliveries, waiting.id)
    tomorrow = datetime.combine(office.now.date() + timedelta(days=1), datetime.min.time(), tzinfo=UTC)
    assert timedelta(0) <= row.due_at - tomorrow < timedelta(minutes=1)


async def test_a_refusal_for_the_rate_empties_the_bucket_for_all(office: "Office") -> None:
    (made,) = await post(office, 1)
    office.sandbox.fail("limited", times=1, method="POST")
    await office.step(made)

    (bucket,) = await office.rows(provider_buckets)
    assert bucket.tokens == 0


async def test_a_test_key_has_no_days(office: "Office") -> None:
    """Notify counts none for it; the key itself does not tell what it is."""
    await choose(office, notify_emails_a_day=1)
    async with office.app.database.transaction() as conn:
        await conn.exec_driver_sql("UPDATE credentials SET key_type = 'test'")
    ends = [await office.step(each) for each in await post(office, 3)]

    assert [each.status for each in ends] == [Status.SENDING] * 3
