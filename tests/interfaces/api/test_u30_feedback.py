"""Need 30: the service that asked is told what became of it, by a feed and by signed calls."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import pytest_asyncio
from aiohttp import web
from standardwebhooks.webhooks import Webhook

from postroom.features.limits import ServiceLimits
from postroom.interfaces.worker import end_what_expired
from postroom_client.webhooks import verify_webhook

if TYPE_CHECKING:
    from tests.interfaces.api.conftest import Office

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNKNOWN = "01a20ad8-4a5b-7b53-8f0c-2f9d5b1f7f10"


@dataclass
class Receiver:
    url: str = ""
    status: int = 204
    asked: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.asked.append((headers, await request.read()))
        return web.Response(status=self.status)

    def told(self, notification_id: str) -> list[str]:
        bodies = [msgspec.json.decode(body) for _, body in self.asked]
        return [body["type"] for body in bodies if body["data"]["notificationId"] == notification_id]


@pytest_asyncio.fixture(loop_scope="module")
async def receiver(office: "Office") -> AsyncIterator[Receiver]:
    made = Receiver()
    app = web.Application()
    app.router.add_post("/hook", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield made
    await office.call("DELETE", "/webhook")
    await runner.cleanup()


async def true(condition: Callable[[], bool], *, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.02)


async def feed_of(office: "Office", notification_id: str, *, until: str, **how: Any) -> list[Any]:
    """The events of a notification once the last of them is there."""
    end = time.monotonic() + 10
    while True:
        events: list[Any] = []
        since = "0"
        while some := (await office.get(f"/feedback?since={since}&limit=200", **how)).body:
            events += [each for each in some if each["data"]["notificationId"] == notification_id]
            since = some[-1]["cursor"]
        if any(each["type"] == until for each in events):
            return events
        assert time.monotonic() < end, events
        await asyncio.sleep(0.05)


async def test_u30_the_feed_tells_of_a_whole_life(office: "Office") -> None:
    made = await office.accepted(office.email(reference="R-30", targetId="t-30", targetType="Repair"))
    await office.ended(made["id"])
    await office.delete(made["id"])

    events = await feed_of(office, made["id"], until="removed")

    assert [each["type"] for each in events] == ["created", "sent", "delivered", "removed"]
    assert {tuple(each["data"]) for each in events} == {
        (
            "notificationId",
            "sequence",
            "deliveryId",
            "channel",
            "status",
            "reason",
            "action",
            "actor",
            "reference",
            "targetId",
            "targetType",
            "correlationId",
        )
    }
    assert {each["data"]["reference"] for each in events} == {"R-30"}
    assert "joe@example.com" not in str(events)
    sequences = [each["data"]["sequence"] for each in events]
    assert sequences == sorted(set(sequences))


async def test_u30_a_signed_call_tells_of_the_same(office: "Office", receiver: Receiver) -> None:
    made_webhook = await office.call("PUT", "/webhook", body={"url": receiver.url})
    assert made_webhook.status == 201
    secret = made_webhook.body["secret"]
    made = await office.accepted(office.email())
    await office.ended(made["id"])
    await true(lambda: len(receiver.told(made["id"])) == 3)

    for headers, body in receiver.asked:
        Webhook(secret).verify(body, headers)
        assert verify_webhook(body, headers, secrets=[secret]).id == headers["webhook-id"]
    assert receiver.told(made["id"]) == ["created", "sent", "delivered"]
    events = await feed_of(office, made["id"], until="delivered")
    bodies = [msgspec.json.decode(body) for _, body in receiver.asked]
    assert events == [each for each in bodies if each["data"]["notificationId"] == made["id"]]


async def test_u30_every_kind_of_event_is_called_and_verified(office: "Office", receiver: Receiver) -> None:
    key = await office.register("once-an-hour", ServiceLimits(same_template_an_hour=1))
    secret = (await office.call("PUT", "/webhook", body={"url": receiver.url}, key=key)).body["secret"]
    officer = "told.officer@hackney.gov.uk"
    token = office.token(officer)
    screen = office.screen(user=officer)
    email = office.email(serviceKey="once-an-hour", email="once@example.com")

    async def act(body: Any, *actions: str) -> str:
        made = await office.accepted(body, key=key)
        for action in actions:
            note = "Yes" if action == "Approved" else None
            done = await office.patch(made["id"], {"actionType": action, "actionNote": note}, token=token)
            assert done.status == 200, done.text
        return str(made["id"])

    lives = {
        await act(screen | {"requireAction": True}, "IsSeen", "IsRead", "Approved"): (
            ["created", "seen", "read", "actioned"]
        ),
        await act(screen | {"threadKey": "lift"}): ["created", "removed"],
        await act(screen | {"threadKey": "lift"}): ["created"],
        await act(screen | {"expiresAt": (office.app.clock() + timedelta(seconds=1)).isoformat()}): (
            ["created", "expired"]
        ),
        await act(email): ["created", "sent"],  # and, by a poll much later, delivered
    }
    await true(lambda: ["created", "sent"] in map(receiver.told, lives))
    lives |= {await act(email): ["created", "suppressed"]}
    await asyncio.sleep(1)
    await end_what_expired(office.app)

    number = sum(map(len, lives.values()))
    with contextlib.suppress(AssertionError):  # Which of them is missing is said by the next line.
        await true(lambda: sum(len(receiver.told(each)) for each in lives) == number)
    assert {each: receiver.told(each) for each in lives} == lives
    for headers, body in receiver.asked:
        Webhook(secret).verify(body, headers)
    await office.call("DELETE", "/webhook", key=key)


async def test_a_correlation_id_goes_with_all_that_a_request_causes(
    office: "Office", receiver: Receiver
) -> None:
    await office.call("PUT", "/webhook", body={"url": receiver.url})
    made = await office.accepted(office.email(), headers={"x-correlation-id": "from-the-front-end"})
    await office.ended(made["id"])
    await office.patch(made["id"], {"actionType": "IsRead"}, headers={"x-correlation-id": "from-her-desk"})
    await true(lambda: len(receiver.told(made["id"])) == 4)
    events = await feed_of(office, made["id"], until="read")

    told = {each["type"]: each["data"]["correlationId"] for each in events}
    assert told == dict.fromkeys(("created", "sent", "delivered"), "from-the-front-end") | {
        "read": "from-her-desk"
    }
    called = {
        msgspec.json.decode(body)["type"]: headers["x-correlation-id"] for headers, body in receiver.asked
    }
    assert called == told


async def test_a_webhook_is_shown_without_its_secret_rotated_and_removed(
    office: "Office", receiver: Receiver
) -> None:
    first = (await office.call("PUT", "/webhook", body={"url": receiver.url})).body
    again = await office.call("PUT", "/webhook", body={"url": receiver.url + "?other"})
    shown = await office.get("/webhook")
    rotated = await office.call("POST", "/webhook/rotate")

    assert (again.status, again.body["secret"]) == (200, None)
    assert (shown.status, shown.body["secret"], shown.body["isOn"]) == (200, None, True)
    assert shown.body["url"] == receiver.url + "?other"
    assert rotated.body["secret"] not in (None, first["secret"])
    assert rotated.body["formerSecretUntil"] is not None
    await office.problem(404, "GET", "/webhook", key=office.other_key)
    assert (await office.call("DELETE", "/webhook")).status == 204
    for method, path in (("GET", "/webhook"), ("DELETE", "/webhook"), ("POST", "/webhook/rotate")):
        await office.problem(404, method, path)


async def test_tries_are_listed_and_events_sent_again(office: "Office", receiver: Receiver) -> None:
    await office.call("PUT", "/webhook", body={"url": receiver.url})
    made = await office.accepted(office.screen())
    await true(lambda: receiver.told(made["id"]) == ["created"])
    (event,) = await feed_of(office, made["id"], until="created")

    async def tries() -> list[Any]:
        found: list[Any] = (await office.get(f"/webhook/attempts?eventId={event['id']}")).body
        return found

    async def tried(times: int) -> list[Any]:
        end = time.monotonic() + 10
        while len(found := await tries()) < times:
            assert time.monotonic() < end
            await asyncio.sleep(0.02)
        return found

    (first,) = await tried(1)
    assert (first["statusCode"], first["outcome"], first["error"]) == (204, "delivered", None)
    assert first["notificationId"] == made["id"]
    again = await office.call("POST", f"/feedback/{event['id']}/resend")
    assert (again.status, again.body) == (200, {"resent": 1})
    await tried(2)
    many = await office.call("POST", "/feedback/resend", body={"since": event["timestamp"]})
    assert many.body["resent"] >= 1
    newest = (await tried(3))[0]
    page = await office.get("/webhook/attempts?limit=1")
    assert 'rel="next"' in page.headers["Link"]
    assert (await office.get(f"/webhook/attempts?eventId={event['id']}&outcome=gone")).body == []
    assert newest["eventId"] == event["id"]
    assert len({headers["webhook-id"] for headers, _ in receiver.asked if event["id"] in str(headers)}) == 1


async def test_pages_of_the_feed_continue_by_their_link(office: "Office") -> None:
    for _ in range(3):
        last = await office.accepted(office.screen())
    await feed_of(office, last["id"], until="created")

    page = await office.get("/feedback?limit=2")

    cursor = page.body[-1]["cursor"]
    assert page.headers["Link"] == f'</feedback?limit=2&since={cursor}>; rel="next"'
    assert (await office.get("/feedback?since=999999999999999999")).body == []
    assert "Link" not in (await office.get("/feedback?since=999999999999999999")).headers


@pytest.mark.parametrize(
    ("method", "path", "body", "fields"),
    [
        ("GET", "/feedback?since=x", None, {"since"}),
        ("GET", "/feedback?since=-1&limit=201", None, {"since", "limit"}),
        ("GET", "/feedback?sinse=1", None, {"sinse"}),
        ("PUT", "/webhook", {}, {"url"}),
        ("PUT", "/webhook", {"url": 1, "secret": "mine"}, {"url", "secret"}),
        ("PUT", "/webhook", {"url": "ftp://example.com"}, {"url"}),
        ("POST", "/feedback/resend", {}, {"since"}),
        ("POST", "/feedback/resend", {"since": "yesterday"}, {"since"}),
        ("POST", "/feedback/resend", {"since": 1}, {"since"}),
        ("POST", "/feedback/x/resend", None, {"id"}),
        ("GET", "/webhook/attempts?outcome=x&eventId=y&cursor=z", None, {"outcome", "eventId", "cursor"}),
    ],
)
async def test_each_field_at_fault_is_named(
    office: "Office", method: str, path: str, body: Any, fields: set[str]
) -> None:
    answer = await office.call(method, path, body=body)

    assert answer.status == 400
    assert set(answer.fields) == fields


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/feedback"),
        ("POST", "/feedback/resend"),
        ("POST", f"/feedback/{UNKNOWN}/resend"),
        ("PUT", "/webhook"),
        ("GET", "/webhook"),
        ("DELETE", "/webhook"),
        ("POST", "/webhook/rotate"),
        ("GET", "/webhook/attempts"),
    ],
)
async def test_only_a_service_may(office: "Office", method: str, path: str) -> None:
    await office.problem(403, method, path, token=office.token())
    await office.problem(401, method, path, anonymous=True)


async def test_what_cannot_be_sent_again(office: "Office", receiver: Receiver) -> None:
    await office.problem(409, "POST", f"/feedback/{UNKNOWN}/resend")
    await office.problem(409, "POST", "/feedback/resend", body={"since": "2026-01-01"})
    await office.call("PUT", "/webhook", body={"url": receiver.url})
    await office.problem(404, "POST", f"/feedback/{UNKNOWN}/resend")
