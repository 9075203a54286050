"""Section 3 and bad input: what is refused, by which field, with nothing kept and nothing sent."""

import json
from typing import Any

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")

LINES = {"addressLine1": "Joe Bloggs", "addressLine2": "123 High Street", "addressLine3": "SW14 6BH"}
NAMED = {"name": "Joe"}
NO_ID = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(autouse=True)
async def _nothing_is_sent(office: Any) -> Any:
    yield
    assert office.sandbox.sent() == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"targetId": ""}, "targetId"),
        ({"targetId": "x" * 129}, "targetId"),
        ({"targetId": None}, "targetId"),
        ({"targetId": "a\nb"}, "targetId"),
        ({"targetType": "failed direct debits"}, "targetType"),
        ({"targetType": "gasSafety"}, "targetType"),
        ({"targetType": "X" * 65}, "targetType"),
        ({"targetType": ""}, "targetType"),
        ({"notificationType": "All"}, "notificationType"),
        ({"notificationType": "Screen,Pigeon"}, "notificationType"),
        ({"notificationType": ""}, "notificationType"),
        ({"notificationType": []}, "notificationType"),
        ({"notificationType": None}, "notificationType"),
        ({"notificationType": 7}, "notificationType"),
        ({"notificationType": [["Screen"]]}, "notificationType"),
        ({"user": "joe"}, "user"),
        ({"user": ""}, "user"),
        ({"user": "joe@@hackney.gov.uk"}, "user"),
        ({"user": "group:"}, "user"),
        ({"user": "team:finance"}, "user"),
        ({"user": "a@hackney.gov.uk,b@hackney.gov.uk"}, "user"),
        ({"message": ""}, "message"),
        ({"message": None}, "message"),
        ({"message": "m" * 5_001}, "message"),
        ({"message": "a\x00b"}, "message"),
        ({"message": "a\x1bb"}, "message"),
        ({"message": 5}, "message"),
        ({"reference": ""}, "reference"),
        ({"reference": "r" * 129}, "reference"),
        ({"reference": "a\x7fb"}, "reference"),
        ({"requireAction": "yes"}, "requireAction"),
        ({"requireAction": 1}, "requireAction"),
        ({"requireAction": []}, "requireAction"),
        ({"requireEmailNotification": "maybe"}, "requireEmailNotification"),
        ({"personalisationParams": []}, "personalisationParams"),
        ({"personalisationParams": "x"}, "personalisationParams"),
        ({"personalisationParams": {"name": {"nested": 1}}}, "personalisationParams.name"),
        ({"personalisationParams": {"name": [["deep"]]}}, "personalisationParams.name"),
        ({"personalisationParams": {"name": "a\x00b"}}, "personalisationParams.name"),
        ({"personalisationParams": {"na\x00me": "a"}}, "personalisationParams.na�me"),
        ({"personalisationParams": {"name": "x" * 524_289}}, "personalisationParams"),
        ({"templateId": "t" * 129}, "templateId"),
        ({"templateIds": {"Screen": NO_ID}}, "templateIds.Screen"),
        ({"templateIds": {"Email": 5}}, "templateIds"),
        ({"mobileNumber": 7}, "mobileNumber"),
        ({"mobileNumber": "0\n7"}, "mobileNumber"),
        ({"email": ["joe@example.com"]}, "email"),
        ({"id": NO_ID}, "id"),
        ({"createdDate": "2026-01-01"}, "createdDate"),
        ({"TargetId": "x"}, "TargetId"),
        ({"performedActionDoneBy": "me"}, "performedActionDoneBy"),
    ],
    ids=repr,
)
async def test_screen_is_refused_by(changes: dict[str, object], field: str, office: Any) -> None:
    answer = await office.refused(office.screen(**changes))

    assert list(answer.fields) == [field]


@pytest.mark.parametrize(
    ("channel", "changes", "fields"),
    [
        ("email", {"email": None}, ["email"]),
        ("email", {"email": ""}, ["email"]),
        ("email", {"email": '"joe"@example.com'}, ["email"]),
        ("email", {"email": "joe..b@example.com"}, ["email"]),
        ("email", {"email": "joe@localhost"}, ["email"]),
        ("email", {"email": "joe@example.com\x00"}, ["email"]),
        ("email", {"templateId": None}, ["templateId"]),
        ("email", {"templateId": "No such name"}, ["templateId"]),
        ("email", {"templateId": NO_ID}, ["templateId"]),
        ("email", {"templateId": "text"}, ["templateId"]),
        (
            "email",
            {"personalisationParams": None},
            ["personalisationParams.name", "personalisationParams.ref"],
        ),
        ("email", {"personalisationParams": {"ref": "X1"}}, ["personalisationParams.name"]),
        ("email", {"personalisationParams": {"name": None, "ref": "X1"}}, ["personalisationParams.name"]),
        (
            "email",
            {"personalisationParams": {"name": "J", "ref": {"file": "not base64", "filename": "a.txt"}}},
            ["personalisationParams.ref"],
        ),
        (
            "email",
            {"personalisationParams": {"name": "J", "ref": {"file": "aGk=", "filename": "a.exe"}}},
            ["personalisationParams.ref"],
        ),
        ("email", {"requireSmsNotification": True}, ["mobileNumber", "templateIds.Text"]),
        (
            "email",
            {"requireLetter": "true"},
            ["personalisationParams.addressLine1", "templateIds.Letter"],
        ),
        ("text", {"mobileNumber": None}, ["mobileNumber"]),
        ("text", {"mobileNumber": "0123 456 7890"}, ["mobileNumber"]),
        ("text", {"mobileNumber": "020 7946 0123"}, ["mobileNumber"]),
        ("text", {"mobileNumber": "07700"}, ["mobileNumber"]),
        ("text", {"mobileNumber": "07700 900456 7890123"}, ["mobileNumber"]),
        ("text", {"mobileNumber": "seven"}, ["mobileNumber"]),
        ("text", {"requireEmailNotification": True}, ["email", "templateIds.Email"]),
        (
            "text",
            {"personalisationParams": {"name": "J", "code": {"file": "aGk=", "filename": "a.txt"}}},
            ["personalisationParams.code"],
        ),
        ("letter", {"personalisationParams": NAMED}, ["personalisationParams.addressLine1"]),
        (
            "letter",
            {"personalisationParams": NAMED | LINES | {"addressLine2": ""}},
            ["personalisationParams.addressLine1"],
        ),
        (
            "letter",
            {"personalisationParams": NAMED | LINES | {"addressLine3": "Nowhere"}},
            ["personalisationParams.addressLine1"],
        ),
        (
            "letter",
            {"personalisationParams": NAMED | LINES | {"addressLine2": "[Flat 1"}},
            ["personalisationParams.addressLine1"],
        ),
        ("letter", {"personalisationParams": LINES}, ["personalisationParams.name"]),
    ],
    ids=repr,
)
async def test_what_is_carried_is_refused_by(
    channel: str, changes: dict[str, object], fields: list[str], office: Any
) -> None:
    named = office.templates.get(str(changes.get("templateId")))
    body = getattr(office, channel)(**changes | ({"templateId": named} if named else {}))

    answer = await office.refused(body)

    assert sorted(answer.fields) == fields


@pytest.mark.parametrize(
    ("number", "message"),
    [
        ("0123 456 7890", "Not a UK mobile number."),
        ("07700", "Not enough digits."),
    ],
)
async def test_a_wrong_number_is_told_in_plain_words(number: str, message: str, office: Any) -> None:
    answer = await office.refused(office.text(mobileNumber=number))

    assert answer.fields == {"mobileNumber": message}


async def test_one_template_cannot_serve_two_channels(office: Any) -> None:
    body = office.email(notificationType="Email,Text", mobileNumber="07700 900456")

    assert list((await office.refused(body)).fields) == ["templateIds.Text"]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"{]",
        b"\xff\xfe",
        b'{"message": "\xc3\x28"}',
        b'{"message": "\\ud800"}',
        b'{"message": "a" "b"}',
        b"{'message': 'x'}",
        "{“notificationType”: “Screen”}".encode(),
        b'{"message": NaN}',
        b"[" * 100_000,
        b'{"personalisationParams": ' + b'{"a": ' * 50_000 + b"1" + b"}" * 50_001,
        b"null",
        b"[]",
        b'"Screen"',
        b"7",
        b"true",
    ],
    ids=lambda raw: repr(raw[:30]),
)
async def test_what_is_no_json_object_is_refused(raw: bytes, office: Any) -> None:
    answer = await office.refused(raw=raw)

    assert list(answer.fields) == ["body"]


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "🐝"]
)
async def test_a_body_is_read_as_json_whatever_it_is_said_to_be(content_type: str, office: Any) -> None:
    raw = json.dumps(office.screen(message="")).encode()

    answer = await office.refused(raw=raw, headers={"Content-Type": content_type})

    assert list(answer.fields) == ["message"]


@pytest.mark.parametrize(
    ("size", "with_file", "status"),
    [
        (1024 * 1024 + 1, False, 413),
        (3 * 1024 * 1024, False, 413),
        (8 * 1024 * 1024, False, 413),
        (5 * 1024 * 1024, True, 413),
        (2 * 1024 * 1024, True, 400),
    ],
)
async def test_a_body_over_its_size_is_413(size: int, with_file: bool, status: int, office: Any) -> None:
    file = {"file": "!" * (size if with_file else 10), "filename": "a.txt"}
    filler = "" if with_file else "x" * size
    body = office.email(
        message=filler, personalisationParams={"name": "J", "ref": file if with_file else "X1"}
    )

    await office.refused(body, status=status)


async def test_a_body_of_one_mebibyte_is_read(office: Any) -> None:
    raw = json.dumps(office.screen(message="")).encode()

    answer = await office.refused(raw=raw + b" " * (1024 * 1024 - len(raw)))

    assert list(answer.fields) == ["message"]


async def test_many_unknown_fields_are_all_named_and_shown_without_control_characters(office: Any) -> None:
    unknown = {f"extra{number}": number for number in range(50)}

    answer = await office.refused(office.screen(**unknown, **{"\x1b[31mred": 1}))

    assert set(answer.fields) == {*unknown, "�[31mred"}
