"""Delivery receipts, as a service's callback sees them."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest

from notify_sandbox.catching import CallbackServer, until
from notify_sandbox.settings import Timing
from notify_sandbox.testing import SandboxUnderTest, running_sandbox

RECORDED = json.loads((Path(__file__).parent / "contract" / "callbacks.json").read_text())


async def send(sandbox: SandboxUnderTest, kind: str, to: str, *, key_type: str = "live") -> str:
    key = sandbox.api_keys[key_type]
    token = jwt.encode({"iss": key[-73:-37], "iat": int(time.time())}, key[-36:], algorithm="HS256")
    body: dict[str, Any] = {
        ("email_address" if kind == "email" else "phone_number"): to,
        "template_id": sandbox.templates["email" if kind == "email" else "text"],
        "personalisation": {"name": "Amala", "ref": "X1", "code": 1},
        "reference": "my-ref",
    }
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{sandbox.url}/v2/notifications/{kind}", json=body, headers={"Authorization": f"Bearer {token}"}
        ) as answer,
    ):
        assert answer.status == 201, await answer.text()
        return str((await answer.json())["id"])


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda one: one["case"])
async def test_a_receipt_is_as_recorded(
    recorded: dict[str, Any], sandbox: SandboxUnderTest, callback: CallbackServer
) -> None:
    kind, to = recorded["body"]["notification_type"], recorded["body"]["to"]
    sent = await send(sandbox, kind, to, key_type="test")
    [body] = await callback.wait_for(1)

    assert callback.tokens == ["Bearer a-token"]
    assert body.keys() == recorded["body"].keys()
    same = ("to", "status", "notification_type", "template_version")
    assert {name: body[name] for name in same} == {name: recorded["body"][name] for name in same}
    assert (body["id"], body["reference"]) == (sent, "my-ref")
    assert body["created_at"] < body["sent_at"] < body["completed_at"]


@pytest.mark.parametrize(
    ("answers", "tries"),
    [
        ([204], 1),
        ([400], 1),
        ([500, 429, 503, 204], 4),
        ([500] * 6, 6),
    ],
)
async def test_what_is_tried_again(answers: list[int], tries: int, callback: CallbackServer) -> None:
    callback.answers = list(answers)
    async with running_sandbox(
        callback_url=callback.url, timing=Timing(final=0.02, receipt_retry=0.01)
    ) as sandbox:
        sent = await send(sandbox, "email", "amala@example.com")
        await until(lambda: sandbox.receipts(sent) == [str(answer) for answer in answers])
        sandbox.advance(10_000)
        await until(lambda: sandbox.receipt_ends(sent) == ["given up" if tries == 6 else str(answers[-1])])

    assert len(callback.bodies) == tries


async def test_the_pause_before_another_try_is_five_minutes(
    sandbox: SandboxUnderTest, callback: CallbackServer
) -> None:
    callback.answers = [500, 204]
    await send(sandbox, "email", "amala@example.com")
    await callback.wait_for(1)
    sandbox.advance(290)
    sandbox_is_patient = len(callback.bodies)
    sandbox.advance(10)
    await callback.wait_for(2)

    assert sandbox_is_patient == 1


async def test_no_receipt_for_a_simulated_recipient_or_a_letter(
    sandbox: SandboxUnderTest, callback: CallbackServer
) -> None:
    await send(sandbox, "email", "simulate-delivered@notifications.service.gov.uk")
    await send(sandbox, "email", "amala@example.com")
    await callback.wait_for(1)

    assert [one["to"] for one in callback.bodies] == ["amala@example.com"]
    assert [one.to for one in sandbox.sent()] == ["amala@example.com"]


async def test_receipts_that_go_wrong(sandbox: SandboxUnderTest, callback: CallbackServer) -> None:
    sandbox.fail_receipts("lost", times=1)
    lost = await send(sandbox, "email", "lost@example.com")
    await until(lambda: sandbox.receipt_ends(lost) == ["lost"])
    sandbox.fail_receipts("doubled", times=1)
    await send(sandbox, "email", "twice@example.com")
    await callback.wait_for(2)
    sandbox.fail_receipts("late", times=1, seconds=0.2)
    await send(sandbox, "email", "late@example.com")
    await send(sandbox, "email", "quick@example.com")
    await callback.wait_for(4)

    assert [one["to"] for one in callback.bodies] == [
        "twice@example.com",
        "twice@example.com",
        "quick@example.com",
        "late@example.com",
    ]


async def test_a_message_that_bounces_late(sandbox: SandboxUnderTest, callback: CallbackServer) -> None:
    sent = await send(sandbox, "email", "amala@example.com")
    await callback.wait_for(1)
    sandbox.settle(sent, "permanent-failure")
    await callback.wait_for(2)
    sandbox.send_receipt_again(sent)
    await callback.wait_for(3)

    assert [one["status"] for one in callback.bodies] == [
        "delivered",
        "permanent-failure",
        "permanent-failure",
    ]


async def test_a_receipt_asked_for_again_while_one_is_on_its_way(
    sandbox: SandboxUnderTest, callback: CallbackServer
) -> None:
    sandbox.fail_receipts("late", times=1, seconds=0.3)
    sent = await send(sandbox, "email", "amala@example.com")
    sandbox.advance(1)
    await asyncio.sleep(0.05)
    sandbox.send_receipt_again(sent)
    await callback.wait_for(2)
    await until(lambda: sandbox.receipt_ends(sent) == ["204", "204"])
    await send(sandbox, "email", "joe@example.com")
    await callback.wait_for(3)

    assert [one["to"] for one in callback.bodies] == [
        "amala@example.com",
        "amala@example.com",
        "joe@example.com",
    ]


async def test_a_recipient_whose_messages_end_badly(
    sandbox: SandboxUnderTest, callback: CallbackServer
) -> None:
    sandbox.end_as("+447700900456", "temporary-failure")
    await send(sandbox, "sms", "07700 900 456")
    [body] = await callback.wait_for(1)

    assert body["status"] == "temporary-failure"


async def test_courses_and_receipts_go_on_after_a_restart(tmp_path: Path, callback: CallbackServer) -> None:
    slow = Timing(sending=0.01, final=0.5)
    async with running_sandbox(callback_url=callback.url, data=tmp_path, timing=slow) as first:
        sent = await send(first, "email", "amala@example.com")
        first_saw = list(callback.bodies)
    async with running_sandbox(callback_url=callback.url, data=tmp_path, timing=slow) as second:
        await callback.wait_for(1)
        [kept] = second.sent()
        await until(lambda: second.receipt_ends(sent) == ["204"])
    async with running_sandbox(callback_url=callback.url, data=tmp_path, timing=slow) as third:
        third.advance(10_000)
        after = third.receipt_ends(sent)

    assert first_saw == []
    assert (kept.id, kept.status, len(callback.bodies)) == (sent, "delivered", 1)
    assert after == ["204"]
