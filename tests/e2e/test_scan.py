"""After a whole day nothing personal and no key is left in clear, wherever one looks.

Not in the database's bytes, nor in a log, an address that was asked for, a command's words or the metrics.
What may stand there all the same is marked below, with reasons; and each of it is found, so the search sees.
"""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from postroom.interfaces.tokens import issue_officer_token
from tests.e2e import day as told
from tests.e2e.conftest import SECRETS, Starter, until
from tests.e2e.day import Day, running_day, wrong_requests
from tests.e2e.scanning import forms, found_in, postgres_bytes, spellings, sqlite_bytes

MARKED = {
    ("reference", "database"): "the service's own reference, by which it looks for its notifications",
    ("target", "database"): "the id of what it is about, by which lists are narrowed",
    ("correlation id", "database"): "it goes with everything that a request causes",
    ("correlation id", "log"): "that is what it is for",
}
"""What stands in clear, in which kind of place, and why it may."""


@pytest.fixture(
    params=[
        pytest.param("sqlite_url", marks=pytest.mark.sqlite, id="sqlite"),
        pytest.param("postgres_url", marks=pytest.mark.postgres, id="postgres"),
    ]
)
def day(request: pytest.FixtureRequest, starter: Starter, tmp_path: Path) -> Iterator[Day]:
    with running_day(starter, request.getfixturevalue(request.param), tmp_path / "sandbox.json") as running:
        yield running


def test_nothing_personal_and_no_key_is_left_in_clear(day: Day, tmp_path: Path) -> None:
    live_through(day)
    assert wrong_requests(day) > 300
    by_commands(day)
    metrics = requests.get(f"{day.url}/metrics", timeout=5).content
    time.sleep(0.2)  # Lines of the log are written together.

    places = kept(day) | {
        "log": b"".join(each.read_bytes() for each in sorted(tmp_path.glob("*.err"))),
        "address asked of Notify": day.notify.addresses,
        "address asked of others": day.hooks.addresses.replace(told.HOOK_PATH.encode(), b"").replace(
            told.PUSH_PATH.encode(), b""
        ),
        "said to push services": b"".join(
            json.dumps(each.headers).encode() + each.body for each in pushed(day)
        ),
        "metrics": metrics,
        "commands": "\n".join(day.said_to_users).encode(),
    }
    found = {(name, place.partition(".")[0]) for name, place in found_in(places, everything_told(day))}
    assert found - set(MARKED) == set(), sorted(found)
    assert set(MARKED) - found == set()
    assert {name for name, content in places.items() if len(content) < 100} <= set(kept(day))
    assert followed(places["log"]) >= {"request", "attempt", "webhook"}


def followed(log: bytes) -> set[str]:
    """What the log tells of the request whose correlation id was chosen."""
    lines = [json.loads(line) for line in log.splitlines() if line.startswith(b"{")]
    return {line["event"] for line in lines if line.get("correlation_id") == told.CORRELATION_ID}


def live_through(day: Day) -> None:
    """All that a day has: sent, failed, received, read, decided, called back, listed, replayed, removed."""
    day.run("services", "key", "admit", "demo", "--consumer", "Housing Finance", "--token-id", 42)
    day.keys["officer's token"] = issue_officer_token(
        secret=SECRETS["OFFICER_TOKEN_SECRET"],
        email=told.OFFICER,
        groups=["demo-officers"],
        issued_at=int(time.time()),
        valid_for_seconds=600,
    )
    call_back_and_register(day)
    subscribe_a_browser(day)
    made = [
        day.accepted(
            day.over_all_channels(),
            {"x-correlation-id": told.CORRELATION_ID, "Idempotency-Key": f"for {told.EMAIL}"},
        ),
        day.accepted(day.email(serviceKey=day.keys["raw Notify key"])),
        *fail(day),
    ]
    read_and_act(day, made[0])
    for each in made:
        day.ended(each)
    look_everywhere(day, made)
    receive_wrongly(day)
    assert day.call("DELETE", f"/notifications/{made[1]}").status_code == 204
    until(lambda: sum(each.path.startswith("/hook") for each in day.hooks.asked) > 15, seconds=20)


def call_back_and_register(day: Day) -> None:
    hook = day.call("PUT", "/webhook", {"url": day.hooks.url + told.HOOK_PATH})
    assert hook.status_code == 201
    rotated = day.call("POST", "/webhook/rotate")
    day.keys |= {"webhook secret": hook.json()["secret"], "new webhook secret": rotated.json()["secret"]}
    key = day.run("services", "key", "add", "demo", "--scope", "members:write", "--json", reveals=True)
    day.keys["key for members"] = key["apiKey"]
    members = {"members": [told.MEMBER, told.OFFICER]}
    registered = day.call("PUT", "/groups/demo-officers/members", members, {"x-api-key": key["apiKey"]})
    assert registered.status_code == 204


def subscribe_a_browser(day: Day) -> None:
    keys = {"p256dh": told.BROWSER_KEY, "auth": told.BROWSER_SECRET}
    browser = {"endpoint": day.hooks.url + told.PUSH_PATH, "keys": keys}
    officer = {"Authorization": "Bearer " + day.keys["officer's token"]}
    assert day.call("POST", "/push/subscriptions", browser, officer).status_code == 201
    screen = {"notificationType": "Screen", "user": told.OFFICER, "message": told.MESSAGE}
    day.accepted(screen | {"targetId": told.TARGET, "targetType": "Tenure"})
    until(lambda: len(pushed(day)) > 0, seconds=20)


def pushed(day: Day) -> list[Any]:
    return [each for each in day.hooks.asked if each.path == told.PUSH_PATH]


def fail(day: Day) -> list[str]:
    """What is refused, bounces, is not heard of or is answered with too many words."""
    outcome = {"recipient": told.STRANGER, "status": "permanent-failure"}
    requests.post(f"{day.sandbox_url}/sandbox/outcomes", json=outcome, timeout=5).raise_for_status()
    made = [day.accepted(day.email(email=told.STRANGER))]
    fault = {"kind": "reset-after-accepting", "path": "/v2/notifications/sms", "times": 1}
    requests.post(f"{day.sandbox_url}/sandbox/faults", json=fault, timeout=5).raise_for_status()
    text = {
        "notificationType": "Text",
        "templateId": day.templates["text"],
        "mobileNumber": told.OTHER_MOBILE,
    }
    params = {"name": told.NAME, "code": told.CODE}
    made.append(day.accepted(text | {"serviceKey": "demo", "personalisationParams": params}))
    day.ended(made[-1])
    hand_on = day.notify.answer

    def refuse(asked: Any) -> Any:
        if asked.method == "GET":
            return hand_on(asked)
        key, number = day.keys["Notify key"], told.OTHER_MOBILE.replace("0", "+44 ", 1)
        words = f"Can't send to {told.EMAIL}, {told.NAME}, {told.MEMBER} or {number} with {key}"
        content = {"status_code": 400, "errors": [{"error": "BadRequestError", "message": words}]}
        return 400, {"Content-Type": "application/json"}, json.dumps(content).encode()

    day.notify.answer = refuse
    made.append(day.accepted(day.email()))
    day.ended(made[-1])
    day.notify.answer = hand_on
    return made


def read_and_act(day: Day, notification_id: str) -> None:
    path = f"/notifications/{notification_id}"
    for token in ("officer's token", "token of Cognito"):
        officer = {"Authorization": f"Bearer {day.keys[token]}"}
        got = day.call("GET", path, headers=officer)
        assert got.status_code == 200
        if token == "officer's token":
            for action in ("IsRead", "Initiated", "Approved"):
                body = {"actionType": action, "actionNote": told.NOTE}
                assert day.call("PATCH", path, body, officer).status_code == 200
        assert day.call("GET", f"/notifications?user={told.OFFICER}", headers=officer).status_code == 200
    service = {"Authorization": f"Bearer {day.keys['service token']}"}
    assert day.call("GET", path, headers=service).status_code == 200


def look_everywhere(day: Day, made: list[str]) -> None:
    key, template = day.keys["raw Notify key"], day.templates["email"]
    values = {"personalisationParams": {"name": told.NAME, "ref": told.LINK}}
    for status, method, path, body in (
        (200, "GET", f"/message-status/{key}/{made[1]}", None),
        (200, "GET", f"/message-status/demo/{made[0]}", None),
        (200, "GET", f"/templates/{key}", None),
        (200, "POST", f"/templates/{key}/{template}/preview", values),
        (200, "GET", f"/notifications/{made[0]}/timeline", None),
        (200, "GET", f"/notifications?reference={told.REFERENCE}&targetId={told.TARGET}", None),
        (200, "POST", "/notifications?validateOnly=true", day.over_all_channels()),
        (207, "POST", "/notifications/bulk", [day.email(), day.email(email="no address of hers")]),
        (200, "GET", "/feedback", None),
        (200, "GET", "/dead-letters", None),
        (200, "GET", "/webhook/attempts", None),
        (409, "POST", "/notifications", day.email(personalisationParams={"name": told.NAME})),
    ):
        headers = {"Idempotency-Key": f"for {told.EMAIL}"} if status == 409 else None
        answer = day.call(method, path, body, headers)
        assert answer.status_code == (422 if status == 409 else status), (path, answer.text)


def receive_wrongly(day: Day) -> None:
    """Receipts with a stranger's token, of what nobody sent, and such as are none."""
    receipt = {"id": told.NO_ID, "to": told.EMAIL, "status": "delivered", "reference": told.NAME}
    for key, body in (("receipt token", receipt), ("API key", receipt), ("receipt token", [told.EMAIL])):
        day.call("POST", "/receipts/govuk-notify", body, {"Authorization": f"Bearer {day.keys[key]}"})


def by_commands(day: Day) -> None:
    """What whoever runs it asks, and what is asked wrongly."""
    for arguments in (
        ("services", "list"),
        ("services", "key", "list", "demo"),
        ("dead-letters", "list"),
        ("webhooks", "log", "demo"),
        ("ledger",),
    ):
        day.run(*arguments)
    for arguments in (
        ("services", "key", "add", told.EMAIL),
        ("webhooks", "show", day.keys["raw Notify key"]),
    ):
        day.run(*arguments, status=2, reveals=True)
    day.run("serve", status=2, DATABASE_URL=f"mysql://{told.EMAIL}:password@host")


def kept(day: Day) -> dict[str, bytes]:
    url = day.environment["DATABASE_URL"]
    return sqlite_bytes(url) if url.startswith("sqlite") else asyncio.run(postgres_bytes(url))


def everything_told(day: Day) -> dict[str, str]:
    """What Postroom was told, by a name."""
    numbers = {told.MOBILE, told.OTHER_MOBILE}
    personal = {
        "surname": "Quillfeather",
        "surname with accents": "Ångström-Ñandú",
        "email": told.EMAIL,
        "name in the email": told.EMAIL.partition("@")[0],
        "officer": told.OFFICER,
        "member": told.MEMBER,
        "stranger": told.STRANGER,
        "street": told.STREET,
        "town": told.TOWN,
        "code": told.CODE,
        "message": told.MESSAGE,
        "note": told.NOTE,
        "link": told.LINK,
        "words of a receiver": told.SAID_BY_A_RECEIVER,
        "address of a webhook": told.HOOK_PATH,
        "address of a browser": told.PUSH_PATH,
        "public key of a browser": told.BROWSER_KEY,
        "secret of a browser": told.BROWSER_SECRET,
        "reference": told.REFERENCE,
        "target": told.TARGET,
        "correlation id": told.CORRELATION_ID,
    }
    personal |= {f"number {each}": each for number in numbers for each in spellings(number)}
    keys = day.keys | {f"secret part of {name}": key[-36:] for name, key in day.keys.items()}
    signatures = {
        f"signature of {name}": key.rpartition(".")[2]
        for name, key in day.keys.items()
        if key.count(".") == 2
    }
    return personal | keys | signatures


def test_the_search_sees_every_form() -> None:
    for form in forms("Zoë O'Kane"):
        assert found_in({"somewhere": b"x" * 7 + form + b"y"}, {"her": "Zoë O'Kane"}) == {
            ("her", "somewhere")
        }
    assert found_in({"somewhere": b"nobody" * 9}, {"her": "Zoë O'Kane"}) == set()
