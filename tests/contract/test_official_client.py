"""The official client and ours, against the same server: they send the same and read the same."""

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from notifications_python_client.errors import HTTPError
from notifications_python_client.notifications import NotificationsAPIClient

from notify_sandbox.testing import SandboxUnderTest, Sent, running_sandbox
from postroom.channels.govuk_notify import NotifyClient, NotifyClients
from postroom.channels.govuk_notify.answers import NotifyMessage, NotifyTemplate
from postroom.domain.outcome import Accepted, Rejected
from postroom.kit.clock import utc_now
from postroom.kit.ids import new_id

VALUES = {"name": "Amala", "ref": "R-1", "code": "4711"}
ADDRESS = {
    "address_line_1": "Amala Okafor",
    "address_line_2": "1 Hillman Street",
    "address_line_3": "London",
    "address_line_4": "E8 1DY",
}
PDF = b"%PDF-1.4\n%%EOF"


@dataclass(frozen=True)
class Two:
    """Both clients with the same key. The official one blocks, so it works in a thread."""

    sandbox: SandboxUnderTest
    ours: NotifyClient
    official: NotificationsAPIClient

    async def officially(self, name: str, *args: Any, **kwargs: Any) -> Any:
        return await asyncio.to_thread(getattr(self.official, name), *args, **kwargs)

    async def send_both(self, kind: str, reference: str) -> tuple[Sent, Sent]:
        """The same message by each; what the server took from ours, and from theirs."""
        template = self.sandbox.templates.get(kind, "")
        values = VALUES | (ADDRESS if kind == "letter" else {})
        match kind:
            case "email":
                outcome = await self.ours.send_email(
                    email_address="amala@example.com",
                    template_id=template,
                    personalisation=values,
                    reference=reference,
                )
                theirs = await self.officially(
                    "send_email_notification", "amala@example.com", template, values, reference
                )
            case "text":
                outcome = await self.ours.send_text(
                    phone_number="07700900123",
                    template_id=template,
                    personalisation=values,
                    reference=reference,
                )
                theirs = await self.officially(
                    "send_sms_notification", "07700900123", template, values, reference
                )
            case "letter":
                outcome = await self.ours.send_letter(
                    template_id=template, personalisation=values, reference=reference
                )
                theirs = await self.officially("send_letter_notification", template, values, reference)
            case _:
                outcome = await self.ours.send_precompiled_letter(
                    pdf=PDF, reference=reference, postage="first"
                )
                theirs = await self.officially(
                    "send_precompiled_letter_notification", reference, _file(), "first"
                )
        assert isinstance(outcome, Accepted)
        sent = {one.id: one for one in self.sandbox.sent(reference=reference)}
        return sent[outcome.notify_id], sent[theirs["id"]]


def _file() -> Any:

    return io.BytesIO(PDF)


@pytest.fixture
async def two() -> AsyncIterator[Two]:
    async with running_sandbox() as sandbox:
        clients = NotifyClients(clock=utc_now, call_seconds=5)
        official = NotificationsAPIClient(sandbox.api_key, base_url=sandbox.url)
        yield Two(sandbox, clients.of(base_url=sandbox.url, key=sandbox.api_key), official)
        await clients.close()
        official.request_session.close()


def as_ours(message: dict[str, Any]) -> NotifyMessage:
    """What the official client read, in our form."""
    return msgspec.convert(message, NotifyMessage)


def alike(sent: Sent) -> dict[str, Any]:
    """Without what differs from message to message."""
    return {name: value for name, value in msgspec.structs.asdict(sent).items() if name not in DIFFERING}


DIFFERING = {"id", "status", "created_at"}
KINDS = ["email", "text", "letter", "precompiled"]


@pytest.mark.parametrize("kind", KINDS)
async def test_both_send_the_same(two: Two, kind: str) -> None:
    ours, theirs = await two.send_both(kind, "r-1")

    assert ours.id != theirs.id
    assert alike(ours) == alike(theirs)


@pytest.mark.parametrize("kind", KINDS)
async def test_both_read_the_same_message(two: Two, kind: str) -> None:
    reference = new_id()
    for sent in await two.send_both(kind, reference):
        two.sandbox.settle(sent.id, "delivered")

        ours = await two.ours.notification(sent.id)
        theirs = await two.officially("get_notification_by_id", sent.id)

        assert ours is not None
        assert ours == as_ours(theirs)
        assert (ours.id, ours.reference) == (sent.id, reference)


async def test_both_find_the_same_by_reference(two: Two) -> None:
    reference = new_id()
    sent = await two.send_both("email", reference)
    await two.send_both("email", new_id())

    ours = await two.ours.by_reference(reference)
    theirs = await two.officially("get_all_notifications", reference=reference)

    assert [each.id for each in ours] == [each["id"] for each in theirs["notifications"]]
    assert {each.id for each in ours} == {each.id for each in sent}


async def test_both_list_the_same_templates(two: Two) -> None:
    ours = await two.ours.templates()
    theirs = await two.officially("get_all_templates")

    assert ours == [msgspec.convert(each, NotifyTemplate) for each in theirs["templates"]]
    assert {each.id for each in ours} == set(two.sandbox.templates.values())


async def test_both_read_the_same_template_and_preview(two: Two) -> None:
    template_id = two.sandbox.templates["email"]

    ours = await two.ours.template(template_id)
    theirs = await two.officially("get_template", template_id)
    preview = await two.ours.preview(template_id, personalisation=VALUES)
    their_preview = await two.officially("post_template_preview", template_id, VALUES)

    assert ours == msgspec.convert(theirs, NotifyTemplate)
    assert preview is not None
    assert {
        name: getattr(preview, name) for name in ("id", "type", "version", "body", "subject", "html")
    } == {name: their_preview.get(name) for name in ("id", "type", "version", "body", "subject", "html")}


@pytest.mark.parametrize(
    ("email", "values"),
    [
        pytest.param("nobody", VALUES, id="a bad recipient"),
        pytest.param("amala@example.com", {}, id="values missing"),
    ],
)
async def test_both_are_refused_in_the_same_words(two: Two, email: str, values: dict[str, str]) -> None:
    template = two.sandbox.templates["email"]

    ours = await two.ours.send_email(
        email_address=email, template_id=template, personalisation=values, reference="r-1"
    )
    with pytest.raises(HTTPError) as theirs:
        await two.officially("send_email_notification", email, template, values, "r-1")

    assert isinstance(ours, Rejected)
    assert ours.status_code == theirs.value.status_code
    assert ours.reason == theirs.value.message[0]["message"]


async def test_neither_finds_what_is_not_there(two: Two) -> None:
    assert await two.ours.notification(new_id()) is None
    with pytest.raises(HTTPError) as theirs:
        await two.officially("get_notification_by_id", new_id())

    assert theirs.value.status_code == 404


async def test_a_revoked_key_is_refused_to_both(two: Two) -> None:
    two.sandbox.revoke("live")
    template = two.sandbox.templates["email"]

    ours = await two.ours.send_email(
        email_address="amala@example.com", template_id=template, personalisation=VALUES, reference="r-1"
    )
    with pytest.raises(HTTPError) as theirs:
        await two.officially("send_email_notification", "amala@example.com", template, VALUES, "r-1")

    assert isinstance(ours, Rejected)
    assert (ours.status_code, theirs.value.status_code) == (403, 403)
