"""The rules behind the recorded answers, in cases that were not recorded."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from notify_sandbox.asking import Asker
from notify_sandbox.model import Channel, KeyType, Limits
from notify_sandbox.seed import Seed, SeedKey, SeedService, SeedTemplate
from notify_sandbox.testing import SandboxUnderTest, running_sandbox

pytestmark = pytest.mark.asyncio(loop_scope="module")
ADDRESS = {"address_line_1": "Amala Bird", "address_line_2": "123 High Street", "address_line_3": "E8 1EA"}
EMAIL, SMS, LETTER = "/v2/notifications/email", "/v2/notifications/sms", "/v2/notifications/letter"

TEMPLATES = [
    SeedTemplate(alias="email", type=Channel.EMAIL, subject="About ((it))", body="Dear ((name))"),
    SeedTemplate(alias="maybe", type=Channel.EMAIL, subject="S", body="Hello.((extra?? There is more.))"),
    SeedTemplate(alias="empty", type=Channel.TEXT, body="((nothing))"),
    SeedTemplate(alias="text", type=Channel.TEXT, body="Hello ((name))"),
    SeedTemplate(alias="file", type=Channel.EMAIL, subject="File", body="((link))"),
    SeedTemplate(alias="gone", type=Channel.EMAIL, subject="S", body="B", archived=True),
    SeedTemplate(alias="letter", type=Channel.LETTER, subject="S", body="Dear ((name))"),
]
SERVICES = [
    SeedService(
        name="Housing", templates=TEMPLATES, team=("amala@example.gov.uk",), guest_list=("+447700900456",)
    ),
    SeedService(name="Trial", trial_mode=True, templates=TEMPLATES, guest_list=("joe@example.com",)),
    SeedService(name="Email only", permissions=("email",), templates=TEMPLATES, contact_link=None),
    SeedService(name="At home", permissions=("email", "sms", "letter"), templates=TEMPLATES),
    SeedService(name="Archived", active=False, templates=TEMPLATES),
]


class Desk:
    def __init__(self, sandbox: SandboxUnderTest, session: aiohttp.ClientSession) -> None:
        self.sandbox = sandbox
        self.session = session

    def asker(self, service: str = "Housing", key_type: str = "live") -> Asker:
        key = self.sandbox.described()[service]["apiKeys"][key_type]
        return Asker(self.session, url=self.sandbox.url, key=key)

    def template(self, alias: str, service: str = "Housing") -> str:
        return str(self.sandbox.described()[service]["templates"][alias])

    async def send(
        self, alias: str, service: str = "Housing", key_type: str = "live", **body: Any
    ) -> tuple[int, Any]:
        """Sends a template of a service to somebody, with all that it needs unless `body` says otherwise."""
        path, usual = {
            "text": (SMS, {"phone_number": "07700900123", "personalisation": {"name": "Joe"}}),
            "empty": (SMS, {"phone_number": "07700900123", "personalisation": {"nothing": " "}}),
            "letter": (LETTER, {"personalisation": {**ADDRESS, "name": "Joe"}}),
        }.get(
            alias,
            (EMAIL, {"email_address": "joe@example.com", "personalisation": {"name": "Joe", "it": "it"}}),
        )
        whole = {"template_id": self.template(alias, service), **usual, **body}
        return await self.asker(service, key_type).post(path, whole)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk() -> AsyncIterator[Desk]:
    async with running_sandbox(seed=Seed(services=SERVICES)) as sandbox, aiohttp.ClientSession() as session:
        yield Desk(sandbox, session)


def only_error(body: dict[str, Any]) -> tuple[str, str]:
    [error] = body["errors"]
    return error["error"], error["message"]


@pytest.mark.parametrize(
    ("alias", "body", "message"),
    [
        ("email", {"reference": "x" * 1001}, f"reference {'x' * 1001} is too long"),
        ("email", {"email_reply_to_id": None}, "email_reply_to_id is not a valid UUID"),
        ("email", {"scheduled_for": 5}, "scheduled_for 5 is not of type string, null"),
        (
            "email",
            {"scheduled_for": "2100-01-01T00:00"},
            "scheduled_for datetime can only be 24 hours in the future",
        ),
        ("email", {"one_click_unsubscribe_url": 1}, "one_click_unsubscribe_url is not a valid https url"),
        ("email", {"a": 1, "b": 2}, "Additional properties are not allowed (a, b were unexpected)"),
        ("email", {"sanitise_content_for": "name"}, "sanitise_content_for name is not of type array"),
        ("email", {"personalisation": [1]}, "personalisation [1] is not of type object"),
        ("text", {"sms_sender_id": "nope"}, "sms_sender_id is not a valid UUID"),
        (
            "text",
            {"email_address": "x"},
            "Additional properties are not allowed (email_address was unexpected)",
        ),
        ("letter", {"reference": True}, "reference True is not of type string"),
    ],
)
async def test_the_shape_of_a_request(alias: str, body: dict[str, Any], message: str, desk: Desk) -> None:
    status, answer = await desk.send(alias, **body)

    assert (status, only_error(answer)) == (400, ("ValidationError", message))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("[1]", "[1] is not of type object"),
        ('"word"', "word is not of type object"),
        ("null", "email_address is a required property"),
    ],
)
async def test_bodies_that_are_no_object(body: str, message: str, desk: Desk) -> None:
    status, answer = await desk.asker().post(EMAIL, body)

    assert (status, answer["errors"][0]["message"]) == (400, message)


@pytest.mark.parametrize(
    ("alias", "more", "status", "error"),
    [
        ("gone", {}, 400, ("BadRequestError", "Template has been deleted")),
        ("empty", {}, 400, ("BadRequestError", "Your message is empty.")),
        (
            "text",
            {"service": "Email only"},
            400,
            ("BadRequestError", "Service is not allowed to send text messages"),
        ),
        ("letter", {"key_type": "team"}, 403, ("BadRequestError", "Cannot send letters with a team api key")),
        ("email", {"service": "Archived"}, 403, ("AuthError", "Invalid token: service is archived")),
        (
            "letter",
            {"service": "At home", "personalisation": {**ADDRESS, "name": "Joe", "address_line_3": "France"}},
            400,
            ("ValidationError", "Must be a real UK postcode"),
        ),
        (
            "letter",
            {
                "personalisation": {
                    "addressLine1": "A",
                    "addressLine2": "B",
                    "addressLine3": "E8 1EA",
                    "name": "J",
                }
            },
            400,
            ("ValidationError", "Address must be at least 3 lines"),
        ),
        (
            "text",
            {"service": "At home", "phone_number": "+33612345678"},
            400,
            ("BadRequestError", "Cannot send to international mobile numbers"),
        ),
    ],
)
async def test_what_is_refused(
    alias: str, more: dict[str, Any], status: int, error: tuple[str, str], desk: Desk
) -> None:
    got, answer = await desk.send(alias, **more)

    assert (got, only_error(answer)) == (status, error)


@pytest.mark.parametrize(
    ("service", "key_type", "to", "status"),
    [
        ("Housing", "team", "AMALA@example.gov.uk", 201),
        ("Housing", "team", "joe@example.com", 400),
        ("Housing", "test", "joe@example.com", 201),
        ("Trial", "live", "joe@example.com", 201),
        ("Trial", "live", "amala@example.gov.uk", 400),
        ("Trial", "test", "amala@example.gov.uk", 201),
    ],
)
async def test_whom_a_key_reaches(service: str, key_type: str, to: str, status: int, desk: Desk) -> None:
    assert (await desk.send("email", service, key_type, email_address=to))[0] == status


async def test_a_team_key_reaches_a_number_however_it_is_written(desk: Desk) -> None:
    statuses = [
        (await desk.send("text", key_type="team", phone_number=to))[0]
        for to in ("07700 900 456", "447700900456", "07700900457")
    ]

    assert statuses == [201, 201, 400]


async def test_checks_come_in_notifys_order(desk: Desk) -> None:
    """Everything is wrong; what is mended lets the next fault show."""
    unknown = "00000000-0000-0000-0000-000000000005"
    asker = desk.asker("Trial")
    body: dict[str, Any] = {"email_address": "no", "template_id": unknown, "email_reply_to_id": unknown}
    seen = []
    for mended in (
        {},
        {"email_address": "stranger@example.com"},
        {"template_id": desk.template("text", "Trial")},
        {"template_id": desk.template("gone", "Trial")},
        {"template_id": desk.template("email", "Trial")},
        {"personalisation": {"name": "Joe", "it": "it"}},
        {"email_reply_to_id": next(iter(desk.sandbox.service.reply_to), None)},
    ):
        body = {name: value for name, value in (body | mended).items() if value is not None}
        seen.append(
            only_error((await asker.post(EMAIL, body))[1])[1].partition(" – ")[0].partition(" in database")[0]
        )

    assert seen == [
        "email_address Not a valid email address",
        "Template not found",
        "sms template is not suitable for email notification",
        "Template has been deleted",
        "Missing personalisation: it, name",
        f"email_reply_to_id {unknown} does not exist",
        "Can’t send to this recipient when service is in trial mode",
    ]


@pytest.mark.parametrize(
    ("value", "body"), [("yes", "Hello. There is more."), (False, "Hello."), ("no", "Hello.")]
)
async def test_a_conditional_placeholder(value: object, body: str, desk: Desk) -> None:
    _, answer = await desk.send("maybe", personalisation={"extra": value})

    assert answer["content"]["body"] == body


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


FILES = "'.csv', '.doc', '.docx', '.jpeg', '.jpg', '.json', '.odt', '.pdf', '.png', '.rtf', '.txt', '.xlsx'"


@pytest.mark.parametrize(
    ("file", "error"),
    [
        ({"file": encoded(b"plain text"), "filename": "a.txt"}, None),
        ({"file": encoded(b'{"a": 1}'), "filename": "a.json"}, None),
        ({"file": encoded(b"a,b\n1,2\n"), "is_csv": True}, None),
        ({"file": encoded(b"%PDF-1.7\n%...."), "filename": "a.PDF"}, None),
        (
            {"file": encoded(b"plain text"), "filename": "a.gif"},
            ("BadRequestError", f"Unsupported file type '.gif'. Supported types are: {FILES}"),
        ),
        (
            {"file": encoded(b"plain text"), "filename": "a" * 100 + ".txt"},
            ("BadRequestError", "`filename` cannot be longer than 100 characters"),
        ),
        (
            {"file": encoded(b"plain text"), "retention_period": "79 weeks"},
            (
                "ValidationError",
                "retention_period Unsupported value for retention_period: 79 weeks. "
                "Supported periods are from 1 to 78 weeks.",
            ),
        ),
    ],
)
async def test_files(file: dict[str, Any], error: tuple[str, str] | None, desk: Desk) -> None:
    status, answer = await desk.send("file", personalisation={"link": file})

    assert (status, error and only_error(answer)) == (400 if error else 201, error)


async def test_files_need_a_contact(desk: Desk) -> None:
    file = {"file": encoded(b"plain text"), "filename": "a.txt"}
    _, answer = await desk.send("file", "Email only", personalisation={"link": file})

    service_id = desk.sandbox.described()["Email only"]["serviceId"]
    assert only_error(answer)[1] == (
        "Send files by email has not been set up - add contact details for your service at "
        f"{desk.sandbox.url}/services/{service_id}/service-settings/send-files-by-email"
    )


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/v2/templates?type=pigeon", 400, "type pigeon is not one of [sms, email, letter]"),
        (
            "/v2/notifications?colour=red",
            400,
            "Additional properties are not allowed (colour was unexpected)",
        ),
        ("/v2/notifications?template_type=fax", 400, "template_type fax is not one of [sms, email, letter]"),
        ("/v2/received-text-messages?older_than=x", 400, "older_than is not a valid UUID"),
    ],
)
async def test_queries(path: str, status: int, message: str, desk: Desk) -> None:
    got, answer = await desk.asker().get(path)

    assert (got, only_error(answer)[1]) == (status, message)


async def test_template_versions_that_are_not_there(desk: Desk) -> None:
    path = f"/v2/template/{desk.template('email')}/version"
    answers = [await desk.asker().get(f"{path}/{version}") for version in ("0", "2", "one")]

    assert [answer[0] for answer in answers] == [400, 404, 404]
    assert only_error(answers[0][1])[1] == "version 0 is less than the minimum of 1"
    assert answers[2][1].keys() == {"message", "result"}


async def test_only_letters_have_a_pdf(desk: Desk) -> None:
    _, sent = await desk.send("email")
    status, answer = await desk.asker().get(f"/v2/notifications/{sent['id']}/pdf")

    assert (status, only_error(answer)) == (400, ("BadRequestError", "Notification is not a letter"))


async def test_messages_go_after_their_retention(desk: Desk) -> None:
    _, sent = await desk.send("email", reference="old")
    desk.sandbox.advance(7 * 86_400 - 5)
    kept, _ = await desk.asker().get(f"/v2/notifications/{sent['id']}")
    desk.sandbox.advance(10)
    gone, _ = await desk.asker().get(f"/v2/notifications/{sent['id']}")
    _, listed = await desk.asker().get("/v2/notifications?reference=old")

    assert (kept, gone, listed["notifications"]) == (200, 404, [])
    assert desk.sandbox.controls.world.forget_expired() > 0
    assert [one.reference for one in desk.sandbox.sent(reference="old")] == []


async def test_a_sandbox_takes_in_no_foreign_key() -> None:
    foreign = SeedKey(name="live", type=KeyType.LIVE, secret="8ba1a3a0-7a2f-4f0c-8a5a-2f2d8f6f2f10")
    seed = Seed(services=[SeedService(name="Housing", keys=[foreign], limits=Limits())])
    with pytest.raises(ValueError, match="5a4db0c5"):
        async with running_sandbox(seed=seed):
            pass
