"""Section 3 of the acceptance tables: every field of POST /notifications, taken as it should be."""

from typing import Any

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADDRESS = {"addressLine1": "Joe Bloggs", "addressLine2": "123 High Street", "addressLine3": "SW14 6BH"}
FOUR_BYTES = "Zoë 🐝 <script>alert(1)</script>\n\tsecond line"


@pytest.mark.parametrize(
    ("field", "given", "kept"),
    [
        ("targetId", "Ida1029365-62b1-42e4-b71f-3793ac6ea48f", "Ida1029365-62b1-42e4-b71f-3793ac6ea48f"),
        ("targetId", "A b/c?d=é", "A b/c?d=é"),
        ("targetId", "x" * 128, "x" * 128),
        ("targetType", "FailedDirectDebits", "FailedDirectDebits"),
        ("targetType", "MissedServiceCharge", "MissedServiceChargePayments"),
        ("targetType", "estimates", "Estimates"),
        ("targetType", "GasSafetyCheck2", "GasSafetyCheck2"),
        ("targetType", "X" * 64, "X" * 64),
        ("targetType", None, None),
        ("user", "Test.User@Hackney.gov.uk", "test.user@hackney.gov.uk"),
        ("user", "group:finance", "group:finance"),
        ("user", "patch:E2-north", "patch:e2-north"),
        ("user", None, None),
        ("message", FOUR_BYTES, FOUR_BYTES),
        ("message", "m" * 5_000, "m" * 5_000),
        ("reference", "r" * 128, "r" * 128),
        ("requireAction", "true", True),
        ("requireAction", "False", False),
        ("requireAction", True, True),
        ("requireAction", None, False),
        ("mobileNumber", "0123 456 7890", "0123 456 7890"),
        ("personalisationParams", {"any": [1, None, 2.5, True, "é"]}, {"any": [1, None, 2.5, True, "é"]}),
    ],
)
async def test_screen_keeps(field: str, given: object, kept: object, office: Any) -> None:
    item = await office.accepted(office.screen(**{field: given}))

    assert item[field] == kept
    assert (await office.get(f"/notifications/{item['id']}")).body[field] == kept


@pytest.mark.parametrize(
    ("given", "canonical", "delivered_by"),
    [
        ("Email", "Email", ["Email"]),
        ("eMAIL", "Email", ["Email"]),
        ("Screen,Email", "Screen,Email", ["Email"]),
        (" Email , screen,", "Screen,Email", ["Email"]),
        (["Email", "Screen"], "Screen,Email", ["Email"]),
        (["email,email", "EMAIL"], "Email", ["Email"]),
    ],
)
async def test_notification_type_makes_one_notification(
    given: object, canonical: str, delivered_by: list[str], office: Any
) -> None:
    before = await office.counts()

    item = await office.accepted(office.email(notificationType=given, targetId="T1", message="Look"))

    after = await office.counts()
    assert item["notificationType"] == canonical
    assert [each["channel"] for each in item["deliveries"]] == delivered_by
    assert {name: after[name] - before[name] for name in after} == {
        "notifications": 1,
        "deliveries": 1,
        "audit_entries": 1,
        "credentials": 0,
    }


async def test_user_may_be_left_out_and_the_default_group_sees_it(office: Any) -> None:
    item = await office.accepted(office.screen())
    path = f"/notifications/{item['id']}"

    seen = await office.get(path, token=office.token(groups=("demo-officers",)))
    unseen = await office.get(path, token=office.token(groups=("others",)))

    assert (seen.status, unseen.status) == (200, 404)


@pytest.mark.parametrize(
    ("user", "email", "groups", "status"),
    [
        ("Joe@Hackney.gov.uk", "joe@hackney.gov.uk", (), 200),
        ("joe@hackney.gov.uk", "JOE@hackney.gov.uk", (), 200),
        ("joe@hackney.gov.uk", "ann@hackney.gov.uk", ("demo-officers",), 404),
        ("group:finance", "ann@hackney.gov.uk", ("finance",), 200),
        ("group:finance", "ann@hackney.gov.uk", ("demo-officers",), 404),
    ],
)
async def test_user_decides_who_sees_it(
    user: str, email: str, groups: tuple[str, ...], status: int, office: Any
) -> None:
    item = await office.accepted(office.screen(user=user))

    got = await office.get(f"/notifications/{item['id']}", token=office.token(email, groups=groups))

    assert got.status == status


async def test_message_is_a_preview_for_an_email_and_may_be_left_out(office: Any) -> None:
    without = await office.accepted(office.email())
    with_one = await office.accepted(office.email(message="Your payment is late"))

    assert (without["message"], with_one["message"]) == (None, "Your payment is late")


@pytest.mark.parametrize("template", ["email", "Welcome"])
async def test_template_id_is_an_id_or_a_name_that_the_service_registered(template: str, office: Any) -> None:
    named = office.templates.get(template, template)

    item = await office.accepted(office.email(templateId=named))

    assert (item["templateId"], item["templateIds"], item["templateUnchecked"]) == (
        office.templates["email"],
        {"Email": office.templates["email"]},
        False,
    )


@pytest.mark.parametrize("fault", ["down", "silent", "rubbish"])
async def test_template_is_taken_unchecked_while_notify_is_away(fault: str, office: Any, calm: None) -> None:
    fresh_key = office.sandbox.mint_key("live", name=f"away-{fault}")
    office.sandbox.fail(fault)

    item = await office.accepted(office.email(serviceKey=fresh_key))

    assert item["templateUnchecked"] is True
    office.sandbox.heal()
    [delivery] = (await office.ended(item["id"], seconds=20))["deliveries"]
    assert delivery["status"] == "delivered"
    assert len(office.sandbox.sent(reference=delivery["id"])) == 1


@pytest.mark.parametrize(
    "number", ["07700 900456", "+44 7700 900456", "(07700) 900-456", "00447700900456", "+33 6 12 34 56 78"]
)
async def test_mobile_number_is_taken_as_notify_takes_it(number: str, office: Any) -> None:
    item = await office.accepted(office.text(mobileNumber=number))

    [delivery] = (await office.ended(item["id"]))["deliveries"]
    assert item["mobileNumber"] == number
    assert delivery["status"] in ("delivered", "sent")


@pytest.mark.parametrize(
    "email", ["joe+bins@example.com", "o'hara@example.com", "joe@example.photography", "  joe@example.com "]
)
async def test_email_is_taken_as_notify_takes_it(email: str, office: Any) -> None:
    item = await office.accepted(office.email(email=email))

    [delivery] = (await office.ended(item["id"]))["deliveries"]
    assert (item["email"], delivery["status"]) == (email.strip(), "delivered")


@pytest.mark.parametrize(
    "values",
    [
        {"name": "Joe", "ref": "X1"},
        {"NAME": "Joe", "R E F": "X1"},
        {"n_a-me": "Joe", "Ref": "X1"},
        {"name": 7, "ref": 2.5},
        {"name": True, "ref": ["one", "two"]},
    ],
)
async def test_personalisation_is_matched_whatever_its_case_and_spacing(values: Any, office: Any) -> None:
    item = await office.accepted(office.email(personalisationParams=values))

    assert (item["personalisationParams"], item["warnings"]) == (values, [])
    [delivery] = (await office.ended(item["id"]))["deliveries"]
    assert delivery["status"] == "delivered"


async def test_personalisation_that_no_template_uses_is_warned_of(office: Any) -> None:
    values = {"name": "Joe", "ref": "X1", "city": "London"}

    item = await office.accepted(office.email(personalisationParams=values))

    assert item["warnings"] == ["city is not used by the template"]
    assert item["personalisationParams"] == values


async def test_personalisation_may_hold_a_file_whose_content_is_never_shown(office: Any) -> None:
    body = office.email(
        templateId=office.templates["email_file"],
        personalisationParams={"link_to_file": {"file": "SGVsbG8=", "filename": "hello.txt"}},
    )

    item = await office.accepted(body)

    ended = await office.ended(item["id"])
    assert [each["status"] for each in ended["deliveries"]] == ["delivered"]
    assert ended["personalisationParams"] == {"link_to_file": {"filename": "hello.txt"}}


@pytest.mark.parametrize(
    ("lines", "written"),
    [
        (ADDRESS, ["Joe Bloggs", "123 High Street", "SW14 6BH"]),
        (
            {"addressLine1": "Joe", "address_line_2": "", "Address Line 3": "1 Road", "postcode": "sw146bh"},
            ["Joe", "1 Road", "sw146bh"],
        ),
        (
            {f"addressLine{n}": f"Line {n}" for n in range(1, 7)} | {"addressLine7": "SW14 6BH"},
            ["Line 1", "Line 2", "Line 3", "Line 4", "Line 5", "Line 6", "SW14 6BH"],
        ),
        (
            {"addressLine1": "Zoé", "addressLine2": "1 Rue", "addressLine3": "France"},
            ["Zoé", "1 Rue", "France"],
        ),
    ],
)
async def test_address_lines_become_notifys(lines: Any, written: list[str], office: Any) -> None:
    names = {"name": "Joe", "firstName": "Ignored", "lastName": "Too"}

    item = await office.accepted(office.letter(personalisationParams=names | lines))

    [delivery] = (await office.ended(item["id"]))["deliveries"]
    [sent] = office.sandbox.sent(reference=delivery["id"])
    address = {f"address_line_{number}": line for number, line in enumerate(written, start=1)}
    assert sent.personalisation == names | address


@pytest.mark.parametrize(
    ("flag", "channel", "needs"),
    [
        ("requireEmailNotification", "Email", {"email": "flag@example.com"}),
        ("requireSmsNotification", "Text", {"mobileNumber": "07700 900457"}),
        ("requireLetter", "Letter", {}),
    ],
)
async def test_each_require_flag_adds_its_delivery(
    flag: str, channel: str, needs: dict[str, str], office: Any
) -> None:
    values = {"name": "Joe", "ref": "X1", "code": "1"} | ADDRESS
    body = office.screen(serviceKey="demo", personalisationParams=values, **needs)
    body |= {flag: "true", "templateIds": {channel: office.templates[channel.lower()]}}

    item = await office.accepted(body)

    flags = ("requireEmailNotification", "requireSmsNotification", "requireLetter")
    assert item["notificationType"] == "Screen"
    assert [name for name in flags if item[name]] == [flag]
    [delivery] = (await office.ended(item["id"]))["deliveries"]
    assert (delivery["channel"], delivery["status"]) == (
        channel,
        "received" if channel == "Letter" else "delivered",
    )


async def test_a_require_flag_beside_its_own_type_makes_one_delivery(office: Any) -> None:
    item = await office.accepted(office.email(requireEmailNotification=True))

    assert [each["channel"] for each in item["deliveries"]] == ["Email"]


async def test_one_delivery_that_fails_does_not_stop_the_others(office: Any) -> None:
    office.sandbox.end_as("gone@example.com", "permanent-failure")
    body = office.text(email="gone@example.com", requireEmailNotification=True)
    body["personalisationParams"]["ref"] = "X1"
    body["templateIds"] = {"Email": office.templates["email"]}

    ended = await office.ended((await office.accepted(body))["id"])

    assert {each["channel"]: each["status"] for each in ended["deliveries"]} == {
        "Text": "delivered",
        "Email": "permanent-failure",
    }
