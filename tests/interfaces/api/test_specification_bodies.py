"""The specification's own bodies: its quotes straightened, one value chosen, valid numbers put in."""

from typing import Any

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")

SERVICE_KEY = "sample-15f6815b-...."
TEMPLATE_ID = "c6a75cc9-1193-..."
UNFINISHED_NUMBER = "0123 456 7890"
BLANK_LINES = {f"addressLine{number}": "" for number in range(1, 8)}
ADDRESS = {"addressLine1": "Joe Bloggs", "addressLine2": "123 High Street", "addressLine3": "SW14 6BH"}
VALUES = {"name": "value", "firstName": "Joe", "lastName": "Bloggs"}


def of_the_specification(notification_type: str, **others: Any) -> dict[str, Any]:
    return {
        "targetId": "7e6041e2-01b6-4c41-9ccd-5b0932616b50",
        "targetType": "MissedServiceChargePayments",
        "notificationType": notification_type,
        "user": "test.user@hackney.gov.uk",
        "message": "3 missed service charge payments have exceeded the tolerance period",
        "serviceKey": SERVICE_KEY,
        "templateId": TEMPLATE_ID,
        "mobileNumber": UNFINISHED_NUMBER,
        "email": "test@example.com",
        "personalisationParams": VALUES | BLANK_LINES,
        "requireAction": "true",
        "requireEmailNotification": False,
        "requireSmsNotification": False,
        "requireLetter": False,
    } | others


async def test_screen_works_with_its_placeholders_as_they_stand(office: Any) -> None:
    body = of_the_specification("Screen")

    item = await office.accepted(body)

    echoed = {name: item[name] for name in body}
    assert echoed == body | {"serviceKey": None, "requireAction": True}
    assert (item["deliveries"], item["sentMessageDetails"], item["isRemovable"]) == ([], None, False)


@pytest.mark.parametrize("target_type", ["FailedDirectDebits", "Estimates", "Actuals"])
async def test_screen_works_with_each_kind_that_it_names(target_type: str, office: Any) -> None:
    item = await office.accepted(of_the_specification("Screen", targetType=target_type))

    assert item["targetType"] == target_type


async def test_the_list_of_kinds_as_it_stands_is_refused_with_the_names_it_may_mean(office: Any) -> None:
    kinds = "FailedDirectDebits,MissedServiceChargePayments,Estimates,Actuals"

    answer = await office.refused(of_the_specification("Screen", targetType=kinds))

    assert list(answer.fields) == ["targetType"]
    assert "Did you mean FailedDirectDebits" in answer.fields["targetType"]


@pytest.mark.parametrize("channel", ["Email", "Text", "Letter"])
async def test_each_channel_works_with_a_real_service_template_and_recipient(
    channel: str, office: Any
) -> None:
    kind = channel.lower()
    filled = VALUES | BLANK_LINES | ADDRESS | {"ref": "X1", "code": "1234"}
    body = of_the_specification(
        channel,
        serviceKey="demo",
        templateId=office.templates[kind],
        mobileNumber="07700 900456",
        personalisationParams=filled,
    )

    item = await office.accepted(body)

    echoed = {name: item[name] for name in body}
    assert echoed == body | {"serviceKey": None, "requireAction": True}
    [delivery] = (await office.ended(item["id"]))["deliveries"]
    [sent] = office.sandbox.sent(reference=delivery["id"])
    assert sent.template_id == office.templates[kind]


async def test_all_four_channels_work_together(office: Any) -> None:
    body = of_the_specification(
        "Screen,Email, Text, Letter",
        serviceKey=office.sandbox.api_key,
        mobileNumber="07700 900456",
        personalisationParams=VALUES | BLANK_LINES | ADDRESS | {"ref": "X1", "code": "1234"},
        templateIds={name: office.templates[name.lower()] for name in ("Email", "Text", "Letter")},
    )
    del body["templateId"]

    item = await office.accepted(body)

    assert item["notificationType"] == "Screen,Email,Text,Letter"
    ended = await office.ended(item["id"])
    assert {each["channel"]: each["status"] for each in ended["deliveries"]} == {
        "Email": "delivered",
        "Text": "delivered",
        "Letter": "received",
    }


async def test_its_number_is_refused_where_a_text_is_to_be_sent(office: Any) -> None:
    body = office.text(mobileNumber=UNFINISHED_NUMBER)

    assert list((await office.refused(body)).fields) == ["mobileNumber"]


async def test_the_target_id_of_its_list_is_kept_as_it_stands(office: Any) -> None:
    target_id = "Ida1029365-62b1-42e4-b71f-3793ac6ea48f"

    await office.accepted(office.screen(targetId=target_id, mobileNumber="09887673562"))

    [item] = (await office.get(f"/notifications?notificationType=Screen&targetId={target_id}")).body
    assert (item["targetId"], item["mobileNumber"]) == (target_id, "09887673562")


@pytest.mark.parametrize("action_type", ["Initiated", "Approved", "Validate", "Rejected", "IsRead"])
async def test_its_patch_works_with_each_action(action_type: str, office: Any) -> None:
    item = await office.accepted(of_the_specification("Screen"))
    note = {"actionNote": "" if action_type not in ("Approved", "Rejected") else "Looked at"}

    answer = await office.patch(item["id"], {"id": item["id"], "actionType": action_type} | note)

    assert answer.status == 200, answer.text
    performed = None if action_type == "IsRead" else action_type
    assert answer.body["performedActionType"] == performed
