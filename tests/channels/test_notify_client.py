"""The client against the sandbox: what is sent arrives, and what is asked is answered."""

import asyncio
import socket
from uuid import UUID

import pytest

from notify_sandbox.testing import SandboxUnderTest
from postroom.channels.govuk_notify import (
    NotifyClient,
    NotifyClients,
    NotifyLimited,
    NotifyRefusedKey,
    NotifyUnavailable,
)
from postroom.domain.outcome import Accepted
from postroom.kit.ids import new_id

ADDRESS = {
    "address_line_1": "Amala Okafor",
    "address_line_2": "1 Hillman Street",
    "address_line_3": "London",
    "address_line_4": "E8 1DY",
}


async def send_email(client: NotifyClient, sandbox: SandboxUnderTest, reference: str) -> str:
    outcome = await client.send_email(
        email_address="amala@example.com",
        template_id=sandbox.templates["email"],
        personalisation={"name": "Amala", "ref": "R-1"},
        reference=reference,
    )
    assert isinstance(outcome, Accepted)
    return outcome.notify_id


async def test_an_email_is_sent(client: NotifyClient, sandbox: SandboxUnderTest) -> None:
    reference = new_id()

    notify_id = await send_email(client, sandbox, reference)

    (sent,) = sandbox.sent()
    assert (sent.id, sent.channel, sent.to, sent.reference) == (
        notify_id,
        "email",
        "amala@example.com",
        reference,
    )
    assert sent.subject == "Hello Amala"
    assert sent.body.startswith("Dear Amala,\n\nYour reference is R-1.")


async def test_a_text_is_sent(client: NotifyClient, sandbox: SandboxUnderTest) -> None:
    outcome = await client.send_text(
        phone_number="07700 900123",
        template_id=sandbox.templates["text"],
        personalisation={"name": "Joe", "code": 4711},
        reference="r-1",
    )

    (sent,) = sandbox.sent()
    assert outcome == Accepted(sent.id, template_version=1)
    assert (sent.channel, sent.to, sent.reference) == ("sms", "07700 900123", "r-1")
    assert "Hello Joe, your code is 4711" in sent.body


async def test_a_letter_is_sent(client: NotifyClient, sandbox: SandboxUnderTest) -> None:
    outcome = await client.send_letter(
        template_id=sandbox.templates["letter"], personalisation=ADDRESS | {"name": "Amala"}, reference="r-1"
    )

    (sent,) = sandbox.sent()
    assert outcome == Accepted(sent.id, template_version=1)
    assert (sent.channel, sent.subject, sent.reference) == ("letter", "Letter to Amala", "r-1")


async def test_a_precompiled_letter_is_sent(client: NotifyClient, sandbox: SandboxUnderTest) -> None:
    outcome = await client.send_precompiled_letter(pdf=b"%PDF-1.4\n%%EOF", reference="r-1", postage="first")

    (sent,) = sandbox.sent()
    assert outcome == Accepted(sent.id)
    assert (sent.channel, sent.reference) == ("letter", "r-1")


async def test_a_message_is_read_back(client: NotifyClient, sandbox: SandboxUnderTest) -> None:
    notify_id = await send_email(client, sandbox, "r-1")

    message = await client.notification(notify_id)

    assert message is not None
    assert (message.id, message.type, message.reference) == (notify_id, "email", "r-1")
    assert (message.email_address, message.subject) == ("amala@example.com", "Hello Amala")
    assert message.template is not None
    assert message.template.id == sandbox.templates["email"]


async def test_an_unknown_message_is_none(client: NotifyClient) -> None:
    assert await client.notification(new_id()) is None


async def test_messages_are_found_by_their_reference(client: NotifyClient, sandbox: SandboxUnderTest) -> None:
    reference = new_id()
    first = await send_email(client, sandbox, reference)
    await send_email(client, sandbox, new_id())
    second = await send_email(client, sandbox, reference)

    assert [message.id for message in await client.by_reference(reference)] == [second, first]
    assert await client.by_reference(new_id()) == []


async def test_a_key_of_another_type_does_not_find_them(
    client: NotifyClient, clients: NotifyClients, sandbox: SandboxUnderTest
) -> None:
    """Why a delivery is looked for with the key that sent it."""
    reference = new_id()
    await send_email(client, sandbox, reference)
    other = clients.of(base_url=sandbox.url, key=sandbox.api_keys["team"])

    assert await other.by_reference(reference) == []


async def test_templates_are_listed_with_their_placeholders(
    client: NotifyClient, sandbox: SandboxUnderTest
) -> None:
    listed = {template.id: template for template in await client.templates()}

    assert set(listed) == set(sandbox.templates.values())
    email = listed[sandbox.templates["email"]]
    assert (email.type, email.name, email.subject) == ("email", "An email", "Hello ((name))")
    assert set(email.placeholders) == {"name", "ref"}


async def test_one_template(client: NotifyClient, sandbox: SandboxUnderTest) -> None:
    template = await client.template(sandbox.templates["text"])

    assert template is not None
    assert (template.type, set(template.placeholders)) == ("sms", {"name", "code"})
    assert await client.template(new_id()) is None


async def test_a_preview_is_filled_in(client: NotifyClient, sandbox: SandboxUnderTest) -> None:
    preview = await client.preview(sandbox.templates["text"], personalisation={"name": "Joe", "code": "1"})

    assert preview is not None
    assert preview.body == "Hello Joe, your code is 1"
    assert await client.preview(new_id(), personalisation={}) is None
    with pytest.raises(ValueError, match="a value is missing"):
        await client.preview(sandbox.templates["text"], personalisation={"name": "Joe"})


async def ask(client: NotifyClient, question: str) -> object:
    match question:
        case "notification":
            return await client.notification("0190a000-0000-7000-8000-000000000001")
        case "by_reference":
            return await client.by_reference("r-1")
        case _:
            return await client.templates()


QUESTIONS = ["notification", "by_reference", "templates"]


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("down", NotifyUnavailable),
        ("error", NotifyUnavailable),
        ("rubbish", NotifyUnavailable),
        ("silent", NotifyUnavailable),
        ("limited", NotifyLimited),
    ],
)
async def test_questions_that_are_not_answered(
    client: NotifyClient, sandbox: SandboxUnderTest, question: str, fault: str, error: type[Exception]
) -> None:
    sandbox.fail(fault)

    with pytest.raises(error):
        await ask(client, question)


@pytest.mark.parametrize("question", QUESTIONS)
async def test_a_key_that_is_revoked_is_refused(
    client: NotifyClient, sandbox: SandboxUnderTest, question: str
) -> None:
    sandbox.revoke("live")

    with pytest.raises(NotifyRefusedKey):
        await ask(client, question)


@pytest.mark.parametrize("question", QUESTIONS)
async def test_nobody_listens(clients: NotifyClients, sandbox: SandboxUnderTest, question: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        client = clients.of(base_url=f"http://127.0.0.1:{taken.getsockname()[1]}", key=sandbox.api_key)
        with pytest.raises(NotifyUnavailable):
            await ask(client, question)


async def test_many_at_once_share_one_session(client: NotifyClient, sandbox: SandboxUnderTest) -> None:
    ids = await asyncio.gather(*(send_email(client, sandbox, new_id()) for _ in range(50)))

    assert {str(UUID(notify_id)) for notify_id in ids} == {sent.id for sent in sandbox.sent()}
    assert len(ids) == 50


async def test_one_client_for_each_key_and_address(clients: NotifyClients, sandbox: SandboxUnderTest) -> None:
    keys = sandbox.api_keys
    one = clients.of(base_url=sandbox.url, key=keys["live"])

    assert clients.of(base_url=sandbox.url, key=keys["live"]) is one
    assert clients.of(base_url=sandbox.url, key=keys["team"]) is not one
    assert clients.of(base_url="http://127.0.0.1:1", key=keys["live"]) is not one
