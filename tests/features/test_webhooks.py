"""Services are called back: signed, in order, again where they do not answer, and none waits for another."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from aiohttp import web
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from postroom.domain.caller import ServiceCaller
from postroom.domain.errors import Conflict, Invalid, NotFound
from postroom.features.notifications.subjects import subjects_of
from postroom.features.webhooks.attempts import AttemptFilters, WebhookAttempt, find_attempts
from postroom.features.webhooks.caller import Caller
from postroom.features.webhooks.dispatch import Dispatcher
from postroom.features.webhooks.endpoints import (
    Endpoint,
    find_endpoint,
    remove_endpoint,
    rotate_secret,
    set_endpoint,
)
from postroom.features.webhooks.forget import forget_feedback
from postroom.features.webhooks.resend import resend_one, resend_since
from postroom.features.webhooks.retry import WAITS, Outcome
from postroom.features.webhooks.tables import feedback_events, webhook_calls, webhook_endpoints

if TYPE_CHECKING:
    from tests.features.conftest import Office

HOUR = timedelta(hours=1)


@dataclass
class Receiver:
    """A service's own end: keeps what it was sent, and answers as it is told to."""

    url: str = ""
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0
    asked: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.asked.append(({name.lower(): value for name, value in request.headers.items()}, body))
        await asyncio.sleep(self.delay)
        if 200 <= self.status < 300:
            self.taken.append(msgspec.json.decode(body))
        return web.Response(status=self.status, headers=self.headers)

    @property
    def types(self) -> list[str]:
        return [each["type"] for each in self.taken]


@pytest.fixture
async def receivers() -> AsyncIterator[Callable[[], Receiver]]:
    made: list[Receiver] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        return await made[int(request.match_info["number"])].answer(request)

    app = web.Application()
    app.router.add_post("/{number}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]

    def receiver() -> Receiver:
        made.append(Receiver(url=f"http://127.0.0.1:{port}/{len(made)}"))
        return made[-1]

    yield receiver
    await runner.cleanup()


@pytest.fixture
def receiver(receivers: Callable[[], Receiver]) -> Receiver:
    return receivers()


@pytest.fixture
async def dispatcher(office: "Office") -> AsyncIterator[Dispatcher]:
    """One that may call receivers on this machine."""
    async with open_dispatcher(office) as opened:
        yield opened


@asynccontextmanager
async def open_dispatcher(
    office: "Office", *, call_seconds: float = 5, **settings: Any
) -> AsyncIterator[Dispatcher]:
    caller = Caller(private=True, call_seconds=call_seconds)
    opened = Dispatcher(
        database=office.app.database,
        vault=office.app.vault,
        subjects=subjects_of,
        caller=caller,
        clock=office.clock,
        **settings,
    )
    try:
        yield opened
    finally:
        await opened.close()
        await caller.close()


async def call_back(dispatcher: Dispatcher) -> None:
    """Publish what is recorded and make the calls that are due, and those that come due by them."""
    await dispatcher.publish_all()
    while await dispatcher.start_due():
        await dispatcher.idle()


async def set_for(office: "Office", caller: ServiceCaller, url: str) -> str:
    async with office.app.database.transaction() as conn:
        secret = await set_endpoint(
            conn, caller.service_id, url, vault=office.app.vault, private=True, now=office.now
        )
    return secret or ""


async def endpoint_of(office: "Office", caller: ServiceCaller) -> Endpoint:
    async with office.app.database.reading() as conn:
        return await find_endpoint(conn, caller.service_id, vault=office.app.vault)


async def log_of(office: "Office", caller: ServiceCaller, **filters: Any) -> list[WebhookAttempt]:
    """Every try, the first first."""
    async with office.app.database.reading() as conn:
        found, _ = await find_attempts(
            conn, AttemptFilters(service_id=caller.service_id, limit=200, **filters)
        )
    return found[::-1]


async def test_the_official_library_verifies_ours(
    office: "Office", dispatcher: Dispatcher, receiver: Receiver
) -> None:
    secret = await set_for(office, office.repairs, receiver.url)
    made = await office.create(
        office.email(reference="Rate é 7", target_id="t-9", target_type="Repair", correlation_id="c-1")
    )
    await call_back(dispatcher)

    ((headers, body),) = receiver.asked
    verified = Webhook(secret).verify(body, headers)
    assert verified == receiver.taken[0]
    assert headers["webhook-id"] == verified["id"]
    assert headers["content-type"] == "application/json"
    assert verified["type"] == "created"
    data = verified["data"]
    assert data["notificationId"] == made.id
    assert (data["reference"], data["targetId"], data["targetType"]) == ("Rate é 7", "t-9", "Repair")
    assert data["actor"] == "service"
    assert b"amala" not in body.lower()
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body + b" ", headers)


async def test_a_rotation_misses_nothing(
    office: "Office", dispatcher: Dispatcher, receiver: Receiver
) -> None:
    former = await set_for(office, office.repairs, receiver.url)
    async with office.app.database.transaction() as conn:
        new = await rotate_secret(conn, office.repairs.service_id, vault=office.app.vault, now=office.now)
    await office.create(office.screen())
    await call_back(dispatcher)

    ((headers, body),) = receiver.asked
    Webhook(former).verify(body, headers)
    Webhook(new).verify(body, headers)
    assert len(headers["webhook-signature"].split()) == 2

    office.clock.ahead += timedelta(hours=25)
    await office.create(office.screen())
    await call_back(dispatcher)
    assert len(receiver.asked[-1][0]["webhook-signature"].split()) == 1


async def test_a_receiver_that_is_down_for_an_hour_gets_everything_in_order(
    office: "Office", dispatcher: Dispatcher, receiver: Receiver
) -> None:
    await set_for(office, office.repairs, receiver.url)
    receiver.status = 502
    down_until = office.now + HOUR
    made = [await office.create(office.email()) for _ in range(3)]
    for each in made:
        delivery = await office.step(each)
        await office.receive(delivery, "delivered")
    while office.now < down_until:
        await call_back(dispatcher)
        office.clock.ahead += timedelta(minutes=4)
    assert receiver.taken == []
    tried = [attempt for attempt in await log_of(office, office.repairs) if attempt.status_code == 502]
    assert len(tried) == len(receiver.asked) == 3 * 4
    assert {attempt.notification_id for attempt in tried} == {each.id for each in made}

    receiver.status = 200
    office.clock.ahead += 2.3 * HOUR
    await call_back(dispatcher)

    for each in made:
        mine = [item for item in receiver.taken if item["data"]["notificationId"] == each.id]
        assert [item["type"] for item in mine] == ["created", "sent", "delivered"]
        sequences = [item["data"]["sequence"] for item in mine]
        assert sequences == sorted(sequences)
    assert (await endpoint_of(office, office.repairs)).failing_since is None


async def test_a_call_is_tried_eight_times_with_one_id_and_then_given_up_for_the_next(
    office: "Office", dispatcher: Dispatcher, receiver: Receiver
) -> None:
    await set_for(office, office.repairs, receiver.url)
    receiver.status = 500
    made = await office.create(office.email())
    await office.step(made)
    for wait in WAITS:
        await call_back(dispatcher)
        office.clock.ahead += wait * 1.11
    receiver.status = 500
    await dispatcher.start_due()
    await dispatcher.idle()
    receiver.status = 200
    await call_back(dispatcher)

    tries = await log_of(office, office.repairs)
    assert [each.number for each in tries] == [1, 2, 3, 4, 5, 6, 7, 8, 1]
    assert [each.outcome for each in tries] == [
        *[Outcome.TRY_AGAIN] * 7,
        Outcome.GIVEN_UP,
        Outcome.DELIVERED,
    ]
    assert len({headers["webhook-id"] for headers, _ in receiver.asked[:8]}) == 1
    assert receiver.types == ["sent"]
    assert (await endpoint_of(office, office.repairs)).waiting == 0


@pytest.mark.parametrize(
    ("headers", "waited"),
    [
        ({"Retry-After": "120"}, timedelta(seconds=120)),
        ({"Retry-After": "999999"}, HOUR),
        ({"Retry-After": "soon"}, timedelta(seconds=5)),
        ({}, timedelta(seconds=5)),
    ],
)
async def test_retry_after_is_obeyed_up_to_an_hour(
    office: "Office",
    dispatcher: Dispatcher,
    receiver: Receiver,
    headers: dict[str, str],
    waited: timedelta,
) -> None:
    await set_for(office, office.repairs, receiver.url)
    receiver.status, receiver.headers = 429, headers
    await office.create(office.screen())
    await call_back(dispatcher)

    (call,) = await office.rows(webhook_calls)
    (attempt,) = await log_of(office, office.repairs)
    assert waited <= call.due_at - attempt.at <= waited * 1.11


async def test_410_switches_the_endpoint_off_and_setting_it_on_again(
    office: "Office", dispatcher: Dispatcher, receiver: Receiver
) -> None:
    await set_for(office, office.repairs, receiver.url)
    receiver.status = 410
    for _ in range(3):
        await office.create(office.screen())
    await call_back(dispatcher)
    off = await endpoint_of(office, office.repairs)
    assert (off.off_reason, off.waiting) == ("gone", 0)
    asked = len(receiver.asked)
    await office.create(office.screen())
    await call_back(dispatcher)
    assert len(receiver.asked) == asked
    with pytest.raises(Conflict):
        await resend_since(
            office.app.database, datetime.now(UTC), service_id=office.repairs.service_id, now=office.now
        )

    receiver.status = 200
    assert await set_for(office, office.repairs, receiver.url) == ""
    await office.create(office.screen())
    await call_back(dispatcher)
    assert receiver.types == ["created"]


async def test_an_endpoint_that_fails_for_five_days_is_switched_off(
    office: "Office", dispatcher: Dispatcher, receiver: Receiver
) -> None:
    await set_for(office, office.repairs, receiver.url)
    receiver.status = 500
    for _ in range(6):
        assert (await endpoint_of(office, office.repairs)).off_at is None
        await office.create(office.screen())
        await call_back(dispatcher)
        office.clock.ahead += timedelta(days=1)

    off = await endpoint_of(office, office.repairs)
    assert (off.off_reason, off.off_at is None) == ("failing", False)


async def test_redirects_are_not_followed(
    office: "Office", dispatcher: Dispatcher, receivers: Callable[[], Receiver]
) -> None:
    first, second = receivers(), receivers()
    await set_for(office, office.repairs, first.url)
    first.status, first.headers = 307, {"Location": second.url}
    await office.create(office.screen())
    await call_back(dispatcher)

    assert (len(first.asked), second.asked) == (1, [])
    assert [each.outcome for each in await log_of(office, office.repairs)] == [Outcome.TRY_AGAIN]


async def test_a_slow_endpoint_delays_no_other(office: "Office", receivers: Callable[[], Receiver]) -> None:
    slow, quick = receivers(), receivers()
    slow.delay = 1.5
    await set_for(office, office.repairs, slow.url)
    await set_for(office, office.housing, quick.url)
    for _ in range(20):
        await office.create(office.screen())
    async with open_dispatcher(office, slots=4, call_seconds=1) as dispatcher:
        stop = asyncio.Event()
        running = asyncio.create_task(dispatcher.run(stop=stop))
        await asyncio.sleep(0.3)
        for _ in range(5):
            await office.create(office.screen(), caller=office.housing)
        began = asyncio.get_running_loop().time()
        while len(quick.taken) < 5:
            assert asyncio.get_running_loop().time() - began < 4
            await asyncio.sleep(0.02)
        # Were they in one line, the quick ones would come after all twenty: five rounds of a second each.
        asked = len(slow.asked)
        stop.set()
        await running

    assert 0 < asked < 20
    assert {each.error for each in await log_of(office, office.repairs)} <= {"timeout"}


async def test_several_workers_call_once_and_in_order(postgres_office: "Office", receiver: Receiver) -> None:
    office = postgres_office
    await set_for(office, office.repairs, receiver.url)
    made = [await office.create(office.email()) for _ in range(10)]
    for each in made:
        await office.step(each)
    async with open_dispatcher(office) as one, open_dispatcher(office) as another:
        for _ in range(4):
            await asyncio.gather(call_back(one), call_back(another))

    ids = [headers["webhook-id"] for headers, _ in receiver.asked]
    assert len(ids) == len(set(ids)) == 20
    for each in made:
        mine = [item["type"] for item in receiver.taken if item["data"]["notificationId"] == each.id]
        assert mine == ["created", "sent"]


async def test_what_a_killed_worker_had_in_hand_is_called_again_with_its_id(
    office: "Office", dispatcher: Dispatcher, receiver: Receiver
) -> None:
    await set_for(office, office.repairs, receiver.url)
    await office.create(office.screen())
    async with open_dispatcher(office) as killed:
        await killed.publish_all()
        receiver.delay = 5
        await killed.start_due()
        while not receiver.asked:  # noqa: ASYNC110 - it is the receiver that is waited for
            await asyncio.sleep(0.01)
    await call_back(dispatcher)
    assert len(receiver.asked) == 1

    receiver.delay = 0
    office.clock.ahead += timedelta(seconds=31)
    await call_back(dispatcher)

    first, second = (headers["webhook-id"] for headers, _ in receiver.asked)
    assert first == second
    assert receiver.types[-1:] == ["created"]


async def test_events_are_sent_again_one_or_all_since_a_moment(
    office: "Office", dispatcher: Dispatcher, receiver: Receiver
) -> None:
    await set_for(office, office.repairs, receiver.url)
    await office.create(office.screen())
    await asyncio.sleep(0.005)
    since = datetime.now(UTC)
    await office.create(office.screen())
    await office.create(office.screen(), caller=office.housing)
    await call_back(dispatcher)
    first, second = (headers["webhook-id"] for headers, _ in receiver.asked)

    async with office.app.database.transaction() as conn:
        await resend_one(conn, first, service_id=office.repairs.service_id, now=office.now)
    await call_back(dispatcher)
    assert receiver.asked[-1][0]["webhook-id"] == first

    assert (
        await resend_since(office.app.database, since, service_id=office.repairs.service_id, now=office.now)
        == 1
    )
    await call_back(dispatcher)
    assert [headers["webhook-id"] for headers, _ in receiver.asked] == [first, second, first, second]


async def test_another_services_event_is_not_sent_again(
    office: "Office", dispatcher: Dispatcher, receiver: Receiver
) -> None:
    await set_for(office, office.repairs, receiver.url)
    await office.create(office.screen(), caller=office.housing)
    await call_back(dispatcher)
    (event,) = await office.rows(feedback_events)

    with pytest.raises(NotFound):
        async with office.app.database.transaction() as conn:
            await resend_one(conn, event.id, service_id=office.repairs.service_id, now=office.now)
    with pytest.raises(Conflict):
        async with office.app.database.transaction() as conn:
            await resend_one(conn, event.id, service_id=office.housing.service_id, now=office.now)


async def test_an_inner_address_is_refused_when_it_is_dialled(office: "Office", receiver: Receiver) -> None:
    await set_for(office, office.repairs, receiver.url.replace("127.0.0.1", "localhost"))
    await office.create(office.screen())
    await call_back(office.app.dispatcher)

    assert receiver.asked == []
    assert [each.error for each in await log_of(office, office.repairs)] == ["address-refused"]


@pytest.mark.parametrize(
    "url",
    [
        "http://repairs.example.gov.uk/hook",
        "ftp://repairs.example.gov.uk/",
        "https://",
        "https://localhost/hook",
        "https://127.0.0.1/hook",
        "https://[::1]/hook",
        "https://169.254.169.254/latest",
        "https://joe:secret@repairs.example.gov.uk/",
        "https://repairs.example.gov.uk/#part",
        "https://repairs.example.gov.uk:99999/",
        "https://repairs.example.gov.uk/a b",
        "https://" + "a" * 2000,
        "repairs",
    ],
)
async def test_an_address_that_cannot_be_called_is_refused(sqlite_office: "Office", url: str) -> None:
    office = sqlite_office
    with pytest.raises(Invalid):
        async with office.app.database.transaction() as conn:
            await set_endpoint(
                conn, office.repairs.service_id, url, vault=office.app.vault, private=False, now=office.now
            )
    assert await office.rows(webhook_endpoints) == []


async def test_address_and_secrets_are_sealed(office: "Office") -> None:
    secret = await set_for(office, office.repairs, "https://repairs.example.gov.uk/hook?token=of-repairs")
    (row,) = await office.rows(webhook_endpoints)

    assert secret.encode() not in row.sealed
    assert b"of-repairs" not in row.sealed
    assert secret.startswith("whsec_")
    assert "of-repairs" not in repr(await endpoint_of(office, office.repairs))


async def test_what_is_removed_is_called_no_more(
    office: "Office", dispatcher: Dispatcher, receiver: Receiver
) -> None:
    await set_for(office, office.repairs, receiver.url)
    receiver.status = 500
    await office.create(office.screen())
    await call_back(dispatcher)
    async with office.app.database.transaction() as conn:
        await remove_endpoint(conn, office.repairs.service_id)

    assert await office.rows(webhook_calls) == []
    with pytest.raises(NotFound):
        await endpoint_of(office, office.repairs)


async def test_feedback_and_its_log_are_given_up_after_a_month(
    office: "Office", dispatcher: Dispatcher, receiver: Receiver
) -> None:
    await set_for(office, office.repairs, receiver.url)
    await office.create(office.screen())
    await call_back(dispatcher)

    assert await forget_feedback(office.app.database, now=office.now + timedelta(days=29)) == 0
    assert await forget_feedback(office.app.database, now=office.now + timedelta(days=31)) == 2
