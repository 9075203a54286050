"""The official Python client against the sandbox: every method that it has."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from notifications_python_client import NotificationsAPIClient, prepare_upload
from notifications_python_client.errors import HTTPError

from notify_sandbox.model import Limits
from notify_sandbox.testing import SandboxUnderTest, running_sandbox

ADDRESS = {"address_line_1": "Amala Bird", "address_line_2": "123 High Street", "address_line_3": "E8 1EA"}
Call = Callable[..., Any]


class Client:
    """The client is not asynchronous; the sandbox shares the test's loop."""

    def __init__(self, sandbox: SandboxUnderTest, key_type: str = "live") -> None:
        self._client = NotificationsAPIClient(sandbox.api_keys[key_type], base_url=sandbox.url)

    def __getattr__(self, name: str) -> Call:
        method = getattr(self._client, name)

        async def call(*given: Any, **named: Any) -> Any:
            return await asyncio.to_thread(method, *given, **named)

        return call

    async def all_of(self, name: str, **named: Any) -> list[dict[str, Any]]:
        return await asyncio.to_thread(lambda: list(getattr(self._client, name)(**named)))


@pytest.fixture
async def client(sandbox: SandboxUnderTest) -> Client:
    return Client(sandbox)


async def test_an_email_with_everything(client: Client, sandbox: SandboxUnderTest) -> None:
    answer = await client.send_email_notification(
        "amala@example.com",
        sandbox.templates["email"],
        personalisation={"name": "Amala [x](https://evil.example)", "ref": ["one", "two"]},
        reference="ref-1",
        email_reply_to_id=next(iter(sandbox.service.reply_to)),
        one_click_unsubscribe_url="https://example.gov.uk/unsubscribe",
        sanitise_content_for=["name"],
    )

    assert answer["reference"] == "ref-1"
    assert answer["content"]["one_click_unsubscribe_url"] == "https://example.gov.uk/unsubscribe"
    assert answer["sanitised_content"] == {
        "name": {"unsanitised": "Amala [x](https://evil.example)", "sanitised": r"Amala \[x\]\(\)"}
    }
    assert r"Dear Amala \[x\]\(\)," in answer["content"]["body"]


async def test_a_file_by_email_can_be_fetched(client: Client, sandbox: SandboxUnderTest) -> None:
    file = prepare_upload(io.BytesIO(b"hello,world\n"), filename="report.csv", retention_period="4 weeks")
    answer = await client.send_email_notification(
        "amala@example.com", sandbox.templates["email_file"], personalisation={"link_to_file": file}
    )
    link = answer["content"]["body"].removeprefix("Download: ")

    async with aiohttp.ClientSession() as session:
        async with session.get(link) as page:
            fetched = (page.status, await page.read(), page.headers["Content-Disposition"])
        async with session.get(link[:-3] + "AAA") as page:
            with_a_wrong_key = page.status

    assert fetched == (200, b"hello,world\n", 'attachment; filename="report.csv"')
    assert with_a_wrong_key == 404


async def test_a_text_and_its_end(client: Client, sandbox: SandboxUnderTest) -> None:
    answer = await client.send_sms_notification(
        "07700 900456",
        sandbox.templates["text"],
        personalisation={"name": "Joe", "code": 7},
        reference="ref-2",
    )
    sandbox.advance(60)
    found = await client.get_notification_by_id(answer["id"])

    assert answer["content"] == {"body": "Hello Joe, your code is 7", "from_number": "development"}
    assert (found["status"], found["phone_number"]) == ("delivered", "07700 900456")


async def test_a_letter_and_its_pdf(client: Client, sandbox: SandboxUnderTest) -> None:
    answer = await client.send_letter_notification(
        sandbox.templates["letter"], {**ADDRESS, "name": "Amala"}, "ref-3"
    )
    with pytest.raises(HTTPError) as too_early:
        await client.get_pdf_for_letter(answer["id"])
    sandbox.advance(60)
    found = await client.get_notification_by_id(answer["id"])
    pdf = await client.get_pdf_for_letter(answer["id"])

    assert too_early.value.message[0]["error"] == "PDFNotReadyError"
    assert (found["status"], found["line_1"], found["postage"]) == ("received", "Amala Bird", "second")
    assert pdf.read().startswith(b"%PDF-")


async def test_a_printed_letter_passes_as_a_letter_of_its_own(
    client: Client, sandbox: SandboxUnderTest
) -> None:
    printed = await client.send_letter_notification(sandbox.templates["letter"], {**ADDRESS, "name": "Amala"})
    sandbox.advance(60)
    pdf = (await client.get_pdf_for_letter(printed["id"])).read()
    answer = await client.send_precompiled_letter_notification("ref-4", io.BytesIO(pdf), "first")
    sandbox.advance(60)
    found = await client.get_notification_by_id(answer["id"])
    kept = (await client.get_pdf_for_letter(answer["id"])).read()

    assert answer == {"id": answer["id"], "postage": "first", "reference": "ref-4"}
    assert (found["status"], found["subject"], found["postage"]) == ("received", "Pre-compiled PDF", "first")
    assert kept == pdf


async def test_lists_and_their_pages(client: Client, sandbox: SandboxUnderTest) -> None:
    template = sandbox.templates["email_plain"]
    ids = [
        (await client.send_email_notification("a@example.com", template, reference="many"))["id"]
        for _ in range(3)
    ]
    page = await client.get_all_notifications(reference="many", template_type="email", older_than=ids[2])
    everything = await client.all_of("get_all_notifications_iterator", reference="many")

    assert [one["id"] for one in page["notifications"]] == [ids[1], ids[0]]
    assert [one["id"] for one in everything] == ids[::-1]


async def test_received_texts(client: Client, sandbox: SandboxUnderTest) -> None:
    for text in ("first", "second"):
        sandbox.controls.receive_text(sandbox.service, sender="447700900456", text=text)
    listed = await client.get_received_texts()
    everything = await client.all_of("get_received_texts_iterator")

    assert [one["content"] for one in listed["received_text_messages"]] == ["second", "first"]
    assert sorted(listed["received_text_messages"][0]) == [
        "content",
        "created_at",
        "id",
        "notify_number",
        "service_id",
        "user_number",
    ]
    assert [one["content"] for one in everything] == ["second", "first"]


async def test_templates_versions_and_preview(client: Client, sandbox: SandboxUnderTest) -> None:
    template = sandbox.templates["text"]
    sandbox.edit_template(template, body="Dear ((name)): ((code))")
    current = await client.get_template(template)
    first = await client.get_template_version(template, 1)
    listed = await client.get_all_templates("sms")
    preview = await client.post_template_preview(template, {"name": "Joe", "code": 7})

    assert (current["version"], first["version"]) == (2, 1)
    assert (current["body"], first["body"]) == (
        "Dear ((name)): ((code))",
        "Hello ((name)), your code is ((code))",
    )
    assert [one["id"] for one in listed["templates"]] == [template]
    assert preview["body"] == "Dear Joe: 7"


async def test_a_call_that_the_real_thing_does_not_answer_either(
    client: Client, sandbox: SandboxUnderTest
) -> None:
    with pytest.raises(HTTPError) as refused:
        await client.get_all_template_versions(sandbox.templates["text"])

    assert refused.value.status_code == 404


@pytest.fixture
async def tiny() -> AsyncIterator[SandboxUnderTest]:
    async with running_sandbox(
        limits=Limits(per_minute=3_000, emails=1, texts=1, international_texts=1)
    ) as running:
        yield running


async def test_the_client_sees_limits_as_429(tiny: SandboxUnderTest) -> None:
    client = Client(tiny)
    await client.send_email_notification("a@example.com", tiny.templates["email_plain"])
    with pytest.raises(HTTPError) as refused:
        await client.send_email_notification("a@example.com", tiny.templates["email_plain"])

    assert (refused.value.status_code, refused.value.message) == (
        429,
        [{"error": "TooManyRequestsError", "message": "Exceeded send limits (email: 1) for today"}],
    )


async def test_texts_abroad_have_a_limit_of_their_own(tiny: SandboxUnderTest) -> None:
    tiny.limit(Limits(texts=5, international_texts=1))
    client = Client(tiny)
    values = {"name": "Joe", "code": 7}
    sent = await client.send_sms_notification("+12025550104", tiny.templates["text"], values)
    with pytest.raises(HTTPError) as refused:
        await client.send_sms_notification("+12025550104", tiny.templates["text"], values)
    await client.send_sms_notification("07700900456", tiny.templates["text"], values)
    tiny.advance(60)

    assert refused.value.message[0]["message"] == "Exceeded send limits (international_sms: 1) for today"
    assert (await client.get_notification_by_id(sent["id"]))["status"] == "sent"
