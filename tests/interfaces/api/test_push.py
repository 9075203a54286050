"""Subscribing a browser to popups, and what pages load for it."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from postroom.kit.web_push import from_text, is_point, to_text
from tests.push_service import PushService, running_push_service

if TYPE_CHECKING:
    from tests.interfaces.api.conftest import Office

pytestmark = pytest.mark.asyncio(loop_scope="module")

AMALA, JOE = "amala.officer@hackney.gov.uk", "joe.officer@hackney.gov.uk"
UNKNOWN = "01a20ad8-4a5b-7b53-8f0c-2f9d5b1f7f10"
POINT = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
SECRET = "BTBZMqHH6r4Tts7J_aSIgg"
KEYS = {"p256dh": POINT, "auth": SECRET}
RIGHT = {"endpoint": "https://push.example.com/1", "expirationTime": None, "keys": KEYS}


@pytest_asyncio.fixture(loop_scope="module")
async def service() -> AsyncIterator[PushService]:
    async with running_push_service() as running:
        yield running


async def subscribe(office: "Office", body: Any, *, who: str = AMALA) -> Any:
    return await office.call("POST", "/push/subscriptions", body=body, token=office.token(who))


async def browsers(office: "Office", who: str = AMALA) -> list[Any]:
    answer = await office.get("/push", token=office.token(who))
    assert answer.status == 200, answer.text
    return list(answer.body["subscriptions"])


async def test_a_browser_is_subscribed_shown_and_unsubscribed(office: "Office") -> None:
    asked = await office.get("/push", token=office.token(AMALA))
    assert is_point(from_text(asked.body["publicKey"]))
    assert asked.headers["Cache-Control"] == "no-store"
    assert asked.body["subscriptions"] == []

    made = await subscribe(office, RIGHT)
    again = await subscribe(office, RIGHT | {"expirationTime": (time.time() + 600) * 1000})
    assert (made.status, again.status) == (201, 201)
    assert set(made.body) == {"id", "createdDate", "confirmedDate", "expiresDate"}
    assert again.body["id"] == made.body["id"]
    assert await browsers(office) == [again.body]
    assert await browsers(office, JOE) == []
    assert "push.example.com" not in made.text, "nobody reads the address back"

    def remove(who: str, path: str, body: Any = None) -> Any:
        return office.call("DELETE", path, body=body, token=office.token(who))

    path, named = f"/push/subscriptions/{made.body['id']}", {"endpoint": RIGHT["endpoint"]}
    assert (await remove(JOE, path)).status == 404
    assert (await remove(JOE, "/push/subscriptions", named)).status == 404
    assert (await remove(AMALA, "/push/subscriptions", named)).status == 204
    assert (await remove(AMALA, "/push/subscriptions", named)).status == 404
    other = (await subscribe(office, RIGHT)).body["id"]
    assert (await remove(AMALA, f"/push/subscriptions/{other}")).status == 204
    assert await browsers(office) == []


@pytest.mark.parametrize(
    ("changed", "faults"),
    [
        pytest.param({"endpoint": "ftp://push.example.com/1"}, {"endpoint"}, id="not http"),
        pytest.param({"endpoint": "https://"}, {"endpoint"}, id="no host"),
        pytest.param({"endpoint": "https://u:p@push.example.com/1"}, {"endpoint"}, id="a password"),
        pytest.param({"endpoint": "https://push.example.com/" + "x" * 2_000}, {"endpoint"}, id="too long"),
        pytest.param({"endpoint": None}, {"endpoint"}, id="no address"),
        pytest.param({"endpoint": 7}, {"endpoint"}, id="a number"),
        pytest.param({"keys": None}, {"keys.p256dh", "keys.auth"}, id="no keys"),
        pytest.param({"keys": []}, {"keys"}, id="a list"),
        pytest.param({"keys": KEYS | {"more": "x"}}, {"keys"}, id="a key more"),
        pytest.param({"keys": {"auth": SECRET}}, {"keys.p256dh"}, id="no public key"),
        pytest.param({"keys": {"p256dh": POINT}}, {"keys.auth"}, id="no secret"),
        pytest.param(
            {"keys": KEYS | {"p256dh": to_text(b"\4" + bytes(64))}}, {"keys.p256dh"}, id="beside the curve"
        ),
        pytest.param({"keys": KEYS | {"p256dh": POINT[:-4]}}, {"keys.p256dh"}, id="a short point"),
        pytest.param({"keys": KEYS | {"auth": to_text(bytes(15))}}, {"keys.auth"}, id="a short secret"),
        pytest.param({"keys": KEYS | {"auth": "not base64!"}}, {"keys.auth"}, id="no base64url"),
        pytest.param({"expirationTime": "soon"}, {"expirationTime"}, id="a word"),
        pytest.param({"expirationTime": 1}, {"expirationTime"}, id="long ago"),
        pytest.param({"expirationTime": 1e300}, {"expirationTime"}, id="never"),
        pytest.param({"more": 1}, {"more"}, id="a field more"),
        pytest.param(
            {"endpoint": "no", "expirationTime": -1, "keys": {"p256dh": "", "auth": ""}},
            {"endpoint", "expirationTime", "keys.p256dh", "keys.auth"},
            id="all at once",
        ),
    ],
)
async def test_every_field_at_fault_is_named(
    office: "Office", changed: dict[str, Any], faults: set[str]
) -> None:
    answer = await subscribe(office, RIGHT | changed)

    assert answer.status == 400, answer.text
    assert set(answer.fields) == faults
    assert await browsers(office) == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/push", None),
        ("POST", "/push/subscriptions", RIGHT),
        ("DELETE", "/push/subscriptions", {"endpoint": "https://push.example.com/1"}),
        ("DELETE", f"/push/subscriptions/{UNKNOWN}", None),
    ],
)
async def test_officers_alone_have_browsers(office: "Office", method: str, path: str, body: Any) -> None:
    await office.problem(403, method, path, body=body)
    await office.problem(401, method, path, body=body, anonymous=True)


async def test_a_subscription_that_is_not_named_is_not_removed(office: "Office") -> None:
    token = office.token(AMALA)
    answer = await office.call("DELETE", "/push/subscriptions", body={}, token=token)
    assert set(answer.fields) == {"endpoint"}
    assert (await office.call("DELETE", "/push/subscriptions/one", token=token)).status == 400


async def test_what_is_posted_is_pushed_by_the_worker(office: "Office", service: PushService) -> None:
    browser = service.browser()
    await subscribe(office, browser.subscription)
    made = await office.accepted(office.screen(user=AMALA))

    end = time.monotonic() + 10
    while not browser.shown:
        assert time.monotonic() < end
        await asyncio.sleep(0.02)
    assert [each["id"] for each in browser.shown] == [made["id"]]
    assert (await office.get("/push", token=office.token(AMALA))).body["publicKey"] in service.keys
    await office.call(
        "DELETE", "/push/subscriptions", body={"endpoint": browser.endpoint}, token=office.token(AMALA)
    )


@pytest.mark.parametrize("path", ["/push.js", "/push-worker.js"])
async def test_any_page_loads_the_scripts_and_asks_for_them_anew(office: "Office", path: str) -> None:
    answer = await office.get(path, anonymous=True, headers={"Origin": "https://front-end.example"})

    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers.getall("Access-Control-Allow-Origin") == ["*"]
    assert answer.headers.get("Service-Worker-Allowed") == ("/" if path == "/push-worker.js" else None)
    known = await office.get(path, anonymous=True, headers={"If-None-Match": answer.headers["ETag"]})
    assert (known.status, known.text) == (304, "")
