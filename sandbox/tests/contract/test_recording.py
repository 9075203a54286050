"""Every recorded answer of the real thing, asked of the sandbox: ids, times and hosts aside, the same."""

import base64
import io
import json
import re
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
import pytest_asyncio
from notifications_python_client import prepare_upload

from notify_sandbox.seed import read_seed
from notify_sandbox.testing import SandboxUnderTest, running_sandbox

HERE = Path(__file__).parent
SAMPLES: dict[str, dict[str, Any]] = {
    sample["case"]: sample for sample in json.loads((HERE / "samples.json").read_text())
}
_CUT = re.compile(
    r"^(?P<start>.*?)(?:\.\.\.<(\d+) characters in all>|<\.\.\. (\d+) characters in all>)$", re.DOTALL
)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
_NAMED = re.compile(r"<(?:template|service|reply_to_id|sms_sender_id) [^>]+>")
_DOCUMENT = re.compile(r"/d/[\w-]{22}/[\w-]{22}\?key=[\w-]{43}")


def made_whole(value: Any) -> Any:
    """A request as it was, where the recording cut its long strings short."""
    if isinstance(value, dict):
        return {name: made_whole(one) for name, one in value.items()}
    if isinstance(value, str) and (cut := _CUT.match(value)):
        length = int(cut[2] or cut[3])
        if cut["start"].startswith(("YWFh", "BUC9")):
            return base64.b64encode(b"a" * (length // 4 * 3 - (1 if length == 2_797_704 else 0))).decode()[
                :length
            ]
        return cut["start"].ljust(length, cut["start"][-1])
    return value


def comparable(value: Any, *, base_url: str) -> Any:
    """Without what differs from run to run: ids, times, hosts and links."""
    if isinstance(value, dict):
        return {name: comparable(one, base_url=base_url) for name, one in value.items()}
    if isinstance(value, list):
        return [comparable(one, base_url=base_url) for one in value]
    if not isinstance(value, str):
        return value
    text = value.replace(base_url, "<base url>")
    for pattern, name in ((_DOCUMENT, "<document>"), (_UUID, "<id>"), (_NAMED, "<id>"), (_MOMENT, "<time>")):
        text = pattern.sub(name, text)
    return text


def cut_like(recorded: Any, answered: Any) -> Any:
    """The answer with its long strings cut as the recording's were."""
    if isinstance(recorded, dict) and isinstance(answered, dict):
        return {name: cut_like(recorded.get(name), one) for name, one in answered.items()}
    if isinstance(recorded, list) and isinstance(answered, list):
        return [cut_like(one, other) for one, other in zip(recorded, answered, strict=False)] + answered[
            len(recorded) :
        ]
    if isinstance(recorded, str) and isinstance(answered, str) and (cut := _CUT.match(recorded)):
        whole = len(answered)
        return answered[: len(cut["start"])] + recorded[len(cut["start"]) :].replace(
            cut[2] or cut[3], str(whole)
        )
    return answered


class Asker:
    """Asks as a client does, with the ids of the running sandbox in place of the recording's."""

    def __init__(self, sandbox: SandboxUnderTest, session: aiohttp.ClientSession) -> None:
        self.sandbox = sandbox
        self.session = session
        self.described = sandbox.described()

    def named(self, text: str) -> str:
        """The id behind a name of the recording."""
        service = self.described["A"]
        names = {
            "<reply_to_id A>": next(iter(service["replyTo"])),
            "<sms_sender_id A>": next(iter(service["senders"])),
        }
        for name, one in self.described.items():
            names[f"<service {name}>"] = one["serviceId"]
            names |= {f"<template {name}.{alias}>": id_ for alias, id_ in one["templates"].items()}
        for name, value in names.items():
            text = text.replace(name, value)
        return text

    def key(self, service: str, key_type: str) -> str:
        return str(self.described[service]["apiKeys"][key_type])

    async def ask(self, case: str, *, service: str = "A", key_type: str = "test", **more: Any) -> Any:
        """Answers with status, media type and body."""
        sample = SAMPLES[case]
        method, path = self.named(sample["request"]).split(" ", 1)
        body = sample["request_body"]
        if isinstance(body, dict):
            body = json.loads(self.named(json.dumps(made_whole(body))))
        token = more.pop("token", None) or bearer(self.key(service, key_type))
        return await self.request(method, more.pop("path", path), body, token=token, **more)

    async def request(
        self, method: str, path: str, body: Any = None, *, token: str, headers: dict[str, str] | None = None
    ) -> tuple[int, str, Any]:
        data = body if isinstance(body, str) else None if body is None else json.dumps(body)
        async with self.session.request(
            method,
            self.sandbox.url + path,
            data=None if data is None else io.BytesIO(data.encode()),
            headers={"Authorization": f"Bearer {token}"} if headers is None else headers,
        ) as answer:
            read = await answer.read()
            kind = answer.headers["Content-Type"]
        return answer.status, kind, json.loads(read)

    async def sent(self, case: str, **more: Any) -> str:
        status, _, body = await self.ask(case, **more)
        assert status == 201
        return str(body["id"])


def bearer(key: str, **changes: Any) -> str:
    claims = {"iss": key[-73:-37], "iat": int(time.time())} | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, key[-36:], algorithm="HS256")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asker() -> AsyncIterator[Asker]:
    async with (
        running_sandbox(seed=read_seed(HERE / "recording.yaml")) as sandbox,
        aiohttp.ClientSession() as session,
    ):
        yield Asker(sandbox, session)


def check(case: str, answer: tuple[int, str, Any], base_url: str) -> None:
    sample = SAMPLES[case]
    status, kind, body = answer
    expected = comparable(sample["response_body"], base_url=base_url)
    assert comparable(cut_like(sample["response_body"], body), base_url=base_url) == expected
    assert (status, kind) == (sample["status"], sample["content_type"])


SERVICE_OF = re.compile(r"<template ([A-I])\.")
# Cases that need more than to be asked: who asks, or what was there before.
KEYS = {
    "err-daily-limit-live-key": ("D", "live"),
    "err-letter-trial-mode-live-key": ("I", "live"),
    "err-team-key-other-recipient": ("A", "team"),
    "err-template-of-another-service": ("A", "test"),
    "err-trial-mode-other-recipient": ("C", "live"),
    "ok-get-test-notification-with-live-key": ("A", "live"),
    "ok-simulated-email-live-key": ("A", "live"),
    "ok-simulated-email-with-file-live-key": ("A", "live"),
}
OF_A_SENT_ONE = {
    "err-get-simulated-notification": ("ok-simulated-email-live-key", 30),
    "err-letter-pdf-not-ready": ("ok-send-letter", 0),
    "ok-get-email": ("ok-send-email", 30),
    "ok-get-email-just-created": ("ok-send-email", 2),
    "ok-get-email-with-file": ("ok-send-email-with-file", 30),
    "ok-get-letter": ("ok-send-letter", 70),
    "ok-get-precompiled-letter": ("ok-send-precompiled-letter", 0),
    "ok-get-sms": ("ok-send-sms", 30),
    "ok-get-test-notification-with-live-key": ("ok-send-email", 30),
}
APART = {
    name
    for name in SAMPLES
    if name.startswith(("err-auth-", "ok-auth-", "ok-list", "ok-daily", "err-daily", "client-"))
} | {"err-rate-limit", "ok-status", "err-get-notification-of-another-service"}


def asked_by(case: str) -> tuple[str, str]:
    if case in KEYS:
        return KEYS[case]
    named = SERVICE_OF.search(json.dumps(SAMPLES[case]["request_body"]) + SAMPLES[case]["request"])
    return (named[1] if named else "A"), "test"


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", sorted(SAMPLES.keys() - APART))
async def test_the_sandbox_answers_as_recorded(case: str, asker: Asker) -> None:
    service, key_type = asked_by(case)
    more = {}
    if case in OF_A_SENT_ONE:
        sending, seconds = OF_A_SENT_ONE[case]
        of, with_key = asked_by(sending)
        sent = await asker.sent(sending, service=of, key_type=with_key)
        asker.sandbox.advance(seconds)
        more["path"] = f"/v2/notifications/{sent}" + (
            "/pdf" if SAMPLES[case]["request"].endswith("/pdf") else ""
        )

    answer = await asker.ask(case, service=service, key_type=key_type, **more)

    check(case, answer, asker.sandbox.url)


@pytest.mark.asyncio(loop_scope="module")
async def test_another_services_message_is_not_found(asker: Asker) -> None:
    sent = await asker.sent("ok-send-email")
    case = "err-get-notification-of-another-service"

    check(case, await asker.ask(case, service="B", path=f"/v2/notifications/{sent}"), asker.sandbox.url)


def tokens(asker: Asker) -> dict[str, dict[str, str]]:
    """What was sent to be let in, by case; no header at all where there is none."""
    key, now = asker.key("A", "test"), int(time.time())
    revoked = next(one for one in asker.sandbox.service.keys if one.revoked_at is not None)
    service_id = key[-73:-37]
    tokens = {
        "err-auth-future-iat": bearer(key, iat=now + 40),
        "err-auth-iat-not-integer": bearer(key, iat="soon"),
        "err-auth-missing-iat": bearer(key, iat=None),
        "err-auth-missing-iss": bearer(key, iss=None),
        "err-auth-revoked-key": bearer(f"x-{service_id}-{revoked.secret}"),
        "err-auth-service-without-keys": bearer(key, iss=asker.described["G"]["serviceId"]),
        "err-auth-unknown-service": bearer(key, iss=str(uuid.uuid4())),
        "err-auth-wrong-algorithm-HS512": jwt.encode(
            {"iss": service_id, "iat": now}, key[-36:] * 2, algorithm="HS512"
        ),
        "err-auth-wrong-secret": bearer(f"x-{service_id}-{uuid.uuid4()}"),
        "ok-auth-iat-minus-29": bearer(key, iat=now - 29),
    }
    return {case: {"Authorization": f"Bearer {token}"} for case, token in tokens.items()} | {
        "err-auth-none": {},
        "err-auth-wrong-scheme": {"Authorization": "Basic abc"},
    }


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", sorted(name for name in SAMPLES if "-auth-" in name))
async def test_who_is_let_in(case: str, asker: Asker) -> None:
    answer = await asker.ask(case, headers=tokens(asker)[case])

    check(case, answer, asker.sandbox.url)


@pytest.mark.asyncio(loop_scope="module")
async def test_the_limits_of_a_day_and_of_a_minute(asker: Asker) -> None:
    asker.sandbox.advance(86_400 - asker.sandbox.now() % 86_400)
    for case in ("ok-daily-limit-1", "ok-daily-limit-2", "err-daily-limit-live-key"):
        asker.sandbox.advance(60)
        check(case, await asker.ask(case, service="D", key_type="live"), asker.sandbox.url)

    case, answer = "err-rate-limit", (201, "", None)
    for _ in range(4):
        answer = await asker.ask(case, service="D", key_type="test")
    check(case, answer, asker.sandbox.url)


@pytest.mark.asyncio(loop_scope="module")
async def test_the_status_page_has_the_same_fields(asker: Asker) -> None:
    status, kind, body = await asker.ask("ok-status", headers={})
    sample = SAMPLES["ok-status"]

    assert (status, kind) == (sample["status"], sample["content_type"])
    assert {name: type(value) for name, value in body.items()} == {
        name: type(value) for name, value in sample["response_body"].items()
    }


async def play_the_recording(asker: Asker) -> None:
    """Sends what the recorded lists show: each kind of message, with each key, to each end."""
    asker.sandbox.forget()
    for _ in range(2):
        for case in ("ok-send-email", "ok-send-sms", "ok-send-letter", "ok-send-letter-international"):
            await asker.sent(case)
        await asker.sent("ok-send-email-with-file")
        await asker.sent("ok-send-sms-international")
        await asker.sent("ok-send-precompiled-letter")
    for template, field, to in (
        ("email", "email_address", "perm-fail@simulator.notify"),
        ("sms", "phone_number", "07700900003"),
    ):
        body = {
            field: to,
            "template_id": asker.described["A"]["templates"][template],
            "personalisation": {"name": "A", "code": 1, "ref": 1},
        }
        token = bearer(asker.key("A", "test"))
        assert (await asker.request("POST", f"/v2/notifications/{template}", body, token=token))[0] == 201
    for case in ("ok-send-email", "ok-send-sms", "ok-send-letter", "ok-send-sms-international"):
        await asker.sent(case, key_type="live")
    asker.sandbox.advance(30)


def signature(one: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """The fields and types of a listed message; which may be null depends on how far it has come."""
    nullable = ("reference", "completed_at", "sent_at", "cost_in_pounds", "one_click_unsubscribe_url")
    return tuple(
        (name, "any" if name in nullable else type(value).__name__) for name, value in sorted(one.items())
    )


LISTS = sorted(name for name in SAMPLES if name.startswith("ok-list"))


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", LISTS)
async def test_lists_have_the_same_shape(case: str, asker: Asker) -> None:
    await play_the_recording(asker)
    key_type = "live" if "live-key" in case else "test"
    path = SAMPLES[case]["request"].split(" ", 1)[1]
    if "older-than" in case:
        everything = await asker.request("GET", "/v2/notifications", token=bearer(asker.key("A", key_type)))
        newest = everything[2]["notifications"][0]["id"]
        path = f"/v2/notifications?older_than={newest}"

    status, kind, body = await asker.ask(case, key_type=key_type, path=path)

    sample = SAMPLES[case]["response_body"]
    assert (status, kind) == (200, "application/json")
    assert body.keys() == sample.keys()
    assert body["links"].keys() == sample["links"].keys()
    url = asker.sandbox.url
    assert comparable(body["links"], base_url=url) == comparable(sample["links"], base_url=url)
    listed = {(one["type"], signature(one)) for one in body["notifications"]}
    assert listed == {(one["type"], signature(one)) for one in sample["notifications"]}
    if "filtered" in case:
        assert [comparable(one, base_url=url) for one in body["notifications"]] == [
            comparable(one, base_url=url) for one in sample["notifications"]
        ]


def test_the_client_itself_refuses_a_big_file() -> None:
    with pytest.raises(ValueError, match="larger than 2MB"):
        prepare_upload(io.BytesIO(b"a" * (2 * 1024 * 1024 + 1)))


def test_every_recorded_case_is_played() -> None:
    played = (SAMPLES.keys() - APART) | set(LISTS) | {name for name in SAMPLES if "-auth-" in name}
    played |= {
        "ok-daily-limit-1",
        "ok-daily-limit-2",
        "err-daily-limit-live-key",
        "err-rate-limit",
        "ok-status",
    }
    played |= {"err-get-notification-of-another-service", "client-prepare_upload-over-2MB"}

    assert played == SAMPLES.keys()
    assert len(played) == 121
    assert base64.b64decode(made_whole("YWFhYWFh...<2797568 characters in all>"))
