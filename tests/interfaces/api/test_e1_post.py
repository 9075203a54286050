"""E1: POST /notifications."""

import asyncio
from typing import Any

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_e1_answers_201_with_location_etag_and_the_whole_resource(office: Any) -> None:
    answer = await office.post(office.email(reference="order-1"))

    item = answer.body
    assert answer.status == 201
    assert answer.headers["Location"] == f"/notifications/{item['id']}"
    assert answer.headers["Content-Type"] == "application/json"
    got = await office.get(answer.headers["Location"])
    # The same state; what a GET shows of it, deliveries too, comes behind.
    assert got.headers["ETag"].startswith(answer.headers["ETag"].removesuffix('"') + "-")
    changing = {"deliveries", "sentMessageDetails"}
    assert {k: v for k, v in got.body.items() if k not in changing} == {
        k: v for k, v in item.items() if k not in changing
    }
    assert got.body.keys() == item.keys()


async def test_e1_accepts_without_calling_the_provider(office: Any, calm: None) -> None:
    await office.accepted(office.email())
    office.sandbox.fail("slow", seconds=0.7)

    answer = await asyncio.wait_for(office.post(office.email()), 0.5)

    assert [each["status"] for each in answer.body["deliveries"]] == ["pending"]
    assert answer.body["sentMessageDetails"] == ["Email pending"]


async def test_e1_names_every_field_at_fault_at_once_whatever_is_wrong_with_it(office: Any) -> None:
    answer = await office.refused(
        {
            "notificationType": "Screen,Email,Text,Letter",
            "targetType": "failed direct debits",
            "user": "nobody",
            "message": ["not", "text"],
            "reference": 7,
            "email": "joe@@example.com",
            "mobileNumber": "0123 456 7890",
            "requireAction": "perhaps",
            "requireLetter": 1,
            "templateIds": {"Pigeon": "x"},
            "emial": "joe@example.com",
        }
    )

    assert set(answer.fields) == {
        "targetId",
        "targetType",
        "user",
        "message",
        "reference",
        "email",
        "mobileNumber",
        "requireAction",
        "requireLetter",
        "templateIds.Pigeon",
        "emial",
        "serviceKey",
        "templateId",
        "templateIds.Text",
        "templateIds.Letter",
        "personalisationParams.addressLine1",
    }
    assert answer.fields["emial"] == "There is no such field. Did you mean email?"


async def test_e1_a_screen_notification_makes_no_delivery(office: Any) -> None:
    item = await office.accepted(office.screen())

    assert item["deliveries"] == []
    assert item["sentMessageDetails"] is None


async def test_e1_requests_at_the_same_time_are_all_kept_and_sent_once(office: Any) -> None:
    to = [f"officer-{number}@example.com" for number in range(40)]

    items = await asyncio.gather(*(office.accepted(office.email(email=each)) for each in to))

    ended = [await office.ended(item["id"]) for item in items]
    assert [[each["status"] for each in item["deliveries"]] for item in ended] == [["delivered"]] * 40
    assert [len(office.sandbox.sent(to=each)) for each in to] == [1] * 40


async def test_f1_an_email_goes_out_once_with_its_delivery_as_reference(office: Any) -> None:
    item = await office.accepted(office.email(email="F1.Amala@example.com"))

    ended = await office.ended(item["id"])
    [delivery] = ended["deliveries"]
    [sent] = office.sandbox.sent(to="F1.Amala@example.com")
    assert (sent.channel, sent.reference, sent.template_id) == (
        "email",
        delivery["id"],
        office.templates["email"],
    )
    assert sent.personalisation == {"name": "Joe", "ref": "X1"}
    assert (delivery["status"], delivery["notifyId"], delivery["attempts"]) == ("delivered", sent.id, 1)
    assert ended["sentMessageDetails"] == [f"Email delivered {delivery['completedAt']}"]


async def test_f2_a_text_goes_out_once(office: Any) -> None:
    item = await office.accepted(office.text(mobileNumber="07700 900 777"))

    ended = await office.ended(item["id"])
    [delivery] = ended["deliveries"]
    [sent] = office.sandbox.sent(reference=delivery["id"])
    assert (sent.channel, sent.to, delivery["status"]) == ("sms", "07700 900 777", "delivered")
    assert sent.personalisation == {"name": "Joe", "code": "1234"}
    assert ended["mobileNumber"] == "07700 900 777"


async def test_f3_a_letter_goes_out_once_with_its_address_in_notifys_words(office: Any) -> None:
    item = await office.accepted(office.letter())

    [delivery] = (await office.ended(item["id"]))["deliveries"]
    [sent] = office.sandbox.sent(reference=delivery["id"])
    assert (sent.channel, delivery["status"]) == ("letter", "received")
    assert sent.personalisation == {
        "name": "Joe",
        "address_line_1": "Joe Bloggs",
        "address_line_2": "123 High Street",
        "address_line_3": "SW14 6BH",
    }


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("permanent-failure", "the address or number does not exist or does not take messages"),
        ("temporary-failure", "the address or number could not be reached for three days"),
        ("technical-failure", "the provider or its carrier failed"),
    ],
)
async def test_f1_a_failure_is_told_with_its_reason(status: str, reason: str, office: Any) -> None:
    office.sandbox.end_as(f"{status}@example.com", status)

    ended = await office.ended((await office.accepted(office.email(email=f"{status}@example.com")))["id"])

    [delivery] = ended["deliveries"]
    assert (delivery["status"], delivery["failureReason"]) == (status, reason)
    assert ended["sentMessageDetails"] == [f"Email {status} {delivery['completedAt']} ({reason})"]


async def test_a_simulated_recipient_ends_as_delivered(office: Any) -> None:
    item = await office.accepted(office.email(email="simulate-delivered@notifications.service.gov.uk"))

    [delivery] = (await office.ended(item["id"]))["deliveries"]
    assert (delivery["status"], delivery["failureReason"]) == ("delivered", "simulated")


@pytest.mark.parametrize("fault", ["down", "error", "limited", "rubbish", "silent"])
async def test_what_a_failing_provider_does_not_take_waits_and_arrives_later_once(
    fault: str, office: Any, calm: None
) -> None:
    to = f"{fault}@example.com"
    office.sandbox.fail(fault, path="/v2/notifications", times=2)

    item = await office.accepted(office.email(email=to))

    [delivery] = (await office.ended(item["id"], seconds=20))["deliveries"]
    assert delivery["status"] == "delivered"
    assert [sent.reference for sent in office.sandbox.sent(to=to)] == [delivery["id"]]


@pytest.mark.parametrize(
    "fault", ["timeout-after-accepting", "reset-after-accepting", "error-after-accepting"]
)
async def test_what_the_provider_took_without_saying_so_is_not_sent_again(
    fault: str, office: Any, calm: None
) -> None:
    to = f"{fault}@example.com"
    office.sandbox.fail_receipts("late", times=1, seconds=4)
    office.sandbox.fail(fault, path="/v2/notifications/email", times=1)

    item = await office.accepted(office.email(email=to))

    [delivery] = (await office.ended(item["id"], seconds=20))["deliveries"]
    assert delivery["status"] == "delivered"
    assert [sent.reference for sent in office.sandbox.sent(to=to)] == [delivery["id"]]
