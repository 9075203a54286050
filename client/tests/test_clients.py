"""Both clients ask for the same and read the same, on a network that is only played."""

import asyncio
import inspect
import json
import logging
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from postroom_client import (
    AsyncPostroom,
    NewNotification,
    NotFound,
    Postroom,
    RetryPolicy,
    Template,
    Unavailable,
    UnexpectedAnswer,
)

KEY = "postroom_key-of-the-demo"
POLICY = RetryPolicy(first_wait_seconds=0.001, longest_wait_seconds=0.002, total_seconds=5)
MADE = {"id": "n-1", "notificationType": "Email", "createdDate": "2026-11-25T09:30:00Z"}
TEMPLATE = {"id": "t-1", "type": "Email", "version": 1, "body": "Hello"}

Answers = Callable[[httpx.Request], httpx.Response]


def sync_call(answers: Answers, call: Callable[[Any], Any], **caller: Any) -> Any:
    with Postroom(
        "http://postroom.example/api/v1/", transport=httpx.MockTransport(answers), **_who(caller)
    ) as client:
        result = call(client)
        return list(result) if inspect.isgenerator(result) else result


def async_call(answers: Answers, call: Callable[[Any], Any], **caller: Any) -> Any:
    async def main() -> Any:
        async with AsyncPostroom(
            "http://postroom.example/api/v1/", transport=httpx.MockTransport(answers), **_who(caller)
        ) as client:
            result = call(client)
            return [each async for each in result] if inspect.isasyncgen(result) else await result

    return asyncio.run(main())


def _who(caller: dict[str, Any]) -> dict[str, Any]:
    return {"policy": POLICY, "service": "demo", **(caller or {"key": KEY})}


both = pytest.mark.parametrize("call_with", [sync_call, async_call], ids=["sync", "async"])


@both
def test_who_calls_stands_in_a_header_and_the_path_below_the_address(call_with: Any) -> None:
    seen = []

    def answers(request: httpx.Request) -> httpx.Response:
        seen.append((request.method, str(request.url), request.headers))
        return httpx.Response(200, json=[TEMPLATE])

    [template] = call_with(answers, lambda client: client.templates(refresh=True))

    [(method, url, headers)] = seen
    assert (method, url) == ("GET", "http://postroom.example/api/v1/templates/demo?refresh=true")
    assert headers["x-api-key"] == KEY
    assert headers["user-agent"].startswith("postroom-client/")
    assert template == Template(id="t-1", type="Email", version=1, body="Hello")


@both
def test_an_officer_comes_with_a_token(call_with: Any) -> None:
    def answers(request: httpx.Request) -> httpx.Response:
        assert (request.headers["authorization"], "x-api-key" in request.headers) == ("Bearer abc", False)
        return httpx.Response(200, json=MADE)

    assert call_with(answers, lambda client: client.mark_read("n-1"), token="abc").id == "n-1"


@pytest.mark.parametrize("client", [Postroom, AsyncPostroom])
@pytest.mark.parametrize("who", [{}, {"key": "a", "token": "b"}])
def test_a_caller_is_one_and_is_named(client: Any, who: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="key or an officer's token"):
        client("http://postroom.example", **who)


@pytest.mark.parametrize("client", [Postroom, AsyncPostroom])
@pytest.mark.parametrize(
    "who", [{"key": ""}, {"key": "secret\n"}, {"token": " secret"}, {"key": "sécret"}], ids=repr
)
def test_a_key_that_no_header_can_hold_is_refused_and_not_told(client: Any, who: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"^A key or token is printable ASCII without spaces\.$"):
        client("http://postroom.example", **who)


@both
@pytest.mark.parametrize(
    "failure", [httpx.ConnectError("no"), httpx.ReadTimeout("no"), httpx.RemoteProtocolError("no")], ids=repr
)
def test_a_send_is_repeated_with_the_same_key_and_body(call_with: Any, failure: Exception) -> None:
    seen: list[tuple[str, bytes]] = []

    def answers(request: httpx.Request) -> httpx.Response:
        seen.append((request.headers["idempotency-key"], request.content))
        if len(seen) < 3:
            raise failure
        return httpx.Response(201, json=MADE)

    made = call_with(answers, lambda client: client.send_email(to="joe@example.com", template="t"))

    assert made.id == "n-1"
    assert len(seen) == 3
    assert len(set(seen)) == 1
    assert json.loads(seen[0][1])["serviceKey"] == "demo"


@both
@pytest.mark.parametrize(
    ("failure", "may_have_happened"),
    [(httpx.ConnectTimeout("no"), False), (httpx.ProxyError("no"), False), (httpx.ReadError("no"), True)],
    ids=["connect", "proxy", "read"],
)
def test_a_lost_call_says_whether_it_may_have_arrived(
    call_with: Any, failure: Exception, may_have_happened: bool
) -> None:
    def answers(_: httpx.Request) -> httpx.Response:
        raise failure

    with pytest.raises(Unavailable) as caught:
        call_with(
            answers,
            lambda client: client.approve("n-1", note="Fine"),
            key=KEY,
            policy=RetryPolicy(total_seconds=0),
        )

    assert caught.value.may_have_happened is may_have_happened
    assert caught.value.__cause__ is failure


@both
def test_a_list_goes_through_its_pages_as_they_are_reached(call_with: Any) -> None:
    seen: list[str] = []

    def answers(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.params.get("cursor", "first"))
        link = {"link": f'</notifications?cursor={len(seen)}>; rel="next"'} if len(seen) < 3 else {}
        return httpx.Response(200, json=[MADE | {"id": f"n-{len(seen)}"}], headers=link)

    found = call_with(answers, lambda client: client.list(target_id="t"))

    assert [each.id for each in found] == ["n-1", "n-2", "n-3"]
    assert seen == ["first", "1", "2"]


def test_a_list_that_is_left_asks_for_no_more() -> None:
    seen = []

    def answers(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=[MADE], headers={"link": '</notifications?cursor=1>; rel="next"'})

    with Postroom("http://postroom.example", key=KEY, transport=httpx.MockTransport(answers)) as client:
        assert next(client.list()).id == "n-1"

    assert len(seen) == 1


@both
def test_a_redirect_is_not_followed(call_with: Any) -> None:
    def answers(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "postroom.example"
        return httpx.Response(307, headers={"location": "http://elsewhere.example/"})

    with pytest.raises(UnexpectedAnswer):
        call_with(answers, lambda client: client.get("n-1"))


@both
def test_keys_and_people_reach_no_log_and_no_error(call_with: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    def answers(_: httpx.Request) -> httpx.Response:
        return httpx.Response(404, text=f"{KEY} joe@example.com")

    with pytest.raises(NotFound) as caught:
        call_with(answers, lambda client: client.list(user="joe@example.com"))

    for told in (str(caught.value), repr(caught.value), caplog.text):
        assert KEY not in told
        assert "joe" not in told


def test_both_have_the_same_methods_with_their_words() -> None:
    methods = {name for name in dir(Postroom) if not name.startswith("_")}

    assert methods == {name for name in dir(AsyncPostroom) if not name.startswith("_")}
    assert inspect.getdoc(Postroom.send_many) == inspect.getdoc(AsyncPostroom.send_many)
    assert (
        inspect.getdoc(Postroom.send_letter)
        == "A letter to an address of 3 to 7 lines, whose last is the postcode."
    )


def test_a_notification_of_any_kind_goes_by_notify() -> None:
    seen = []

    def answers(request: httpx.Request) -> httpx.Response:
        seen.append(json.loads(request.content))
        return httpx.Response(201, json=MADE)

    new = NewNotification(
        channels=["Screen", "Email"], target_id="t", message="m", template="t", email="a@b.uk"
    )
    sync_call(answers, lambda client: client.notify(new))

    assert seen[0]["notificationType"] == ["Screen", "Email"]


@pytest.mark.parametrize(
    ("method", "shown"),
    [
        ("send_screen", ["target_id", "message", "options"]),
        ("get", ["notification_id"]),
        ("templates", ["refresh"]),
        ("count", ["filters"]),
    ],
)
def test_help_shows_a_method_as_it_is_called(method: str, shown: list[str]) -> None:
    client = Postroom("http://postroom.example", key=KEY, transport=httpx.MockTransport(httpx.Response))

    assert list(inspect.signature(getattr(client, method)).parameters) == shown
