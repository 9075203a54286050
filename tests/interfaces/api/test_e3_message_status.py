"""E3 and section 5: GET /message-status/{service}/{notificationId}."""

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from postroom.channels.govuk_notify.token import TokenMaker

pytestmark = pytest.mark.asyncio(loop_scope="module")

GOLDEN = json.loads(Path(__file__).with_name("message_status.json").read_text())
NO_ID = "00000000-0000-4000-8000-000000000000"
UNKNOWN_KEY = "sample-15f6815b-0000-4000-8000-000000000000-5a4db0c5-0000-4000-8000-000000000000"
ADDRESS = {f"addressLine{number}": f"Line {number}" for number in range(1, 7)} | {"addressLine7": "SW14 6BH"}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


async def test_e3_golden_file(office: Any) -> None:
    """A message of the specification's content is answered with the specification's sample."""
    notify_id = await sent_past_us(office, "edward@example.com", GOLDEN["template"]["id"])

    answer = await until_status(office, notify_id, "delivered")

    moments = {"completedAt": answer["completedAt"], "sentAt": answer["sentAt"]}
    assert all(_MOMENT.fullmatch(each) for each in moments.values())
    path = f"{office.sandbox.url}/v2/template/{GOLDEN['template']['id']}/version/1"
    expected = GOLDEN | {"id": notify_id, "template": GOLDEN["template"] | {"path": path}} | moments
    assert list(answer.items()) == list(expected.items())


@pytest.mark.parametrize("channel", ["email", "text", "letter"])
async def test_e3_takes_our_id_the_deliverys_and_notifys(channel: str, office: Any) -> None:
    body = getattr(office, channel)()
    if channel == "letter":
        body["personalisationParams"] = {"name": "Joe"} | ADDRESS
    item = await office.ended((await office.accepted(body))["id"])
    [delivery] = item["deliveries"]

    by_id = [
        (await office.get(f"/message-status/demo/{each}")).body
        for each in (item["id"], delivery["id"], delivery["notifyId"].upper())
    ]

    assert by_id == [by_id[0]] * 3
    assert set(by_id[0]) == set(GOLDEN)
    assert (by_id[0]["id"], by_id[0]["reference"]) == (delivery["notifyId"], delivery["id"])
    expected = {
        "email": {"type": "email", "status": "delivered", "emailAddress": "joe@example.com"},
        "text": {"type": "sms", "status": "delivered", "phoneNumber": "07700 900456"},
        "letter": {"type": "letter", "status": "received", "postage": "second"}
        | {f"line{number}": f"Line {number}" for number in range(1, 7)}
        | {"line7": "SW14 6BH"},
    }
    wanted = dict.fromkeys(("emailAddress", "phoneNumber", "postage", "line1", "line7"))
    wanted |= expected[channel]
    assert {name: by_id[0][name] for name in wanted} == wanted


async def test_e3_of_several_channels_the_first_answers(office: Any) -> None:
    body = office.letter(notificationType="Letter,Text", mobileNumber="07700 900456")
    body["personalisationParams"]["code"] = "1"
    body["templateIds"] = {"Text": office.templates["text"], "Letter": body.pop("templateId")}
    item = await office.ended((await office.accepted(body))["id"])

    assert (await office.get(f"/message-status/demo/{item['id']}")).body["type"] == "sms"


@pytest.mark.parametrize("status", ["permanent-failure", "temporary-failure", "technical-failure"])
async def test_e3_tells_notifys_own_status(status: str, office: Any) -> None:
    office.sandbox.end_as(f"e3-{status}@example.com", status)
    item = await office.accepted(office.email(email=f"e3-{status}@example.com"))
    await office.ended(item["id"])

    assert (await office.get(f"/message-status/demo/{item['id']}")).body["status"] == status


async def test_e3_what_is_not_yet_sent_is_created(office: Any, calm: None) -> None:
    office.sandbox.fail("down", path="/v2/notifications", method="POST")
    item = await office.accepted(office.email(email="waits@example.com"))
    [delivery] = item["deliveries"]

    answer = (await office.get(f"/message-status/demo/{item['id']}")).body

    assert set(answer) == set(GOLDEN)
    assert (answer["id"], answer["status"], answer["type"], answer["emailAddress"], answer["sentAt"]) == (
        delivery["id"],
        "created",
        "email",
        "waits@example.com",
        None,
    )
    office.sandbox.heal()
    await office.ended(item["id"], seconds=20)


async def test_e3_a_simulated_message_is_answered_from_what_we_know(office: Any) -> None:
    to = "simulate-delivered@notifications.service.gov.uk"
    item = await office.ended((await office.accepted(office.email(email=to)))["id"])

    answer = (await office.get(f"/message-status/demo/{item['deliveries'][0]['notifyId']}")).body

    assert (answer["status"], answer["emailAddress"]) == ("delivered", to)


async def test_e3_takes_a_raw_key_in_the_path(office: Any) -> None:
    item = await office.ended((await office.accepted(office.email()))["id"])
    notify_id = item["deliveries"][0]["notifyId"]

    answer = await office.get(f"/message-status/{office.sandbox.api_key}/{notify_id}")

    assert (answer.status, answer.body["id"]) == (200, notify_id)


@pytest.mark.parametrize("message_id", ["x", "123", NO_ID + "0", "00000000000040008000000000000000"])
async def test_e3_an_id_that_is_none_is_400_and_named(message_id: str, office: Any) -> None:
    problem = await office.problem(400, "GET", f"/message-status/demo/{message_id}")

    assert [error["field"] for error in problem["errors"]] == ["notificationId"]


@pytest.mark.parametrize("service", ["demo", "nobody", "{key}"])
async def test_e3_an_unknown_message_or_service_is_404_and_says_so(service: str, office: Any) -> None:
    named = service.format(key=office.sandbox.api_key)

    problem = await office.problem(404, "GET", f"/message-status/{named}/{NO_ID}")

    assert problem["reason"] == "unknown"


async def test_e3_a_screen_notification_is_404_with_its_reason(office: Any) -> None:
    item = await office.accepted(office.screen())

    problem = await office.problem(404, "GET", f"/message-status/demo/{item['id']}")

    assert problem["reason"] == "screen-only"


async def test_e3_another_service_is_forbidden_and_its_messages_are_not_there(office: Any) -> None:
    item = await office.ended((await office.accepted(office.email()))["id"])
    notify_id = item["deliveries"][0]["notifyId"]

    await office.problem(403, "GET", f"/message-status/other/{notify_id}")
    await office.problem(403, "GET", f"/message-status/demo/{notify_id}", key=office.other_key)
    await office.problem(404, "GET", f"/message-status/other/{item['id']}", key=office.other_key)


async def test_e3_an_officer_may_not_ask(office: Any) -> None:
    await office.problem(403, "GET", f"/message-status/demo/{NO_ID}", token=office.token())


async def test_e3_a_key_that_notify_rejects_is_424(office: Any) -> None:
    problem = await office.problem(424, "GET", f"/message-status/{UNKNOWN_KEY}/{NO_ID}")

    assert problem["detail"] == "service key rejected"
    assert UNKNOWN_KEY not in json.dumps(problem)


@pytest.mark.parametrize("fault", ["limited", "down", "error", "rubbish", "silent"])
async def test_e3_a_provider_that_does_not_answer_is_503_with_retry_after(
    fault: str, office: Any, calm: None
) -> None:
    office.sandbox.fail(fault, path="/v2/notifications")

    answer = await office.get(f"/message-status/demo/{NO_ID}")

    assert (answer.status, answer.headers["Retry-After"]) == (503, "30" if fault == "limited" else "5")


async def sent_past_us(office: Any, email: str, template_id: str) -> str:
    """A message that the service sent to Notify by itself."""
    token = TokenMaker(office.sandbox.api_key).token(now=time.time())
    async with office.session.post(
        f"{office.sandbox.url}/v2/notifications/email",
        json={"email_address": email, "template_id": template_id},
        headers={"Authorization": f"Bearer {token}"},
    ) as answer:
        sent: str = (await answer.json())["id"]
        return sent


async def until_status(office: Any, notify_id: str, status: str) -> Any:
    end = time.monotonic() + 5
    while (answer := (await office.get(f"/message-status/demo/{notify_id}")).body)["status"] != status:
        assert time.monotonic() < end, answer
    return answer
