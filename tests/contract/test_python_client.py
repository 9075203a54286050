"""The Python client against the real API, blocking and awaited: every operation, and what goes wrong."""

import asyncio
import json
import os
import re
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from postroom.features.limits import ServiceLimits
from postroom.features.notifications.tables import deliveries
from postroom.features.services import RegisteredService, Registration, register_again
from postroom_client import (
    AsyncPostroom,
    Attempt,
    Conflict,
    Count,
    DeadLetter,
    Delivery,
    Event,
    Forbidden,
    Health,
    Invalid,
    KeyMisused,
    MessageStatus,
    NewNotification,
    NotFound,
    Notification,
    Postroom,
    Preview,
    Replayed,
    RetryPolicy,
    Stale,
    Template,
    TemplateVersion,
    TimelineEntry,
    TooMany,
    Unauthenticated,
    Unavailable,
    Validation,
    Webhook,
)
from postroom_client import email as email_of

if TYPE_CHECKING:
    from tests.contract.conftest import FlakyProxy
    from tests.interfaces.api.conftest import Office

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOP = Path(__file__).parents[2]
NOBODY = "00000000-0000-4000-8000-000000000000"
POLICY = RetryPolicy(call_seconds=5, total_seconds=10, first_wait_seconds=0.01)


class Asker:
    """Either client, asked in the same words. The blocking one works in a thread."""

    def __init__(self, client: Any) -> None:
        self.client = client

    async def ask(self, operation: str, *args: Any, **kwargs: Any) -> Any:
        method = getattr(self.client, operation)
        if isinstance(self.client, Postroom):
            return await asyncio.to_thread(method, *args, **kwargs)
        return await method(*args, **kwargs)

    def list(self, **filters: Any) -> AsyncIterator[Any]:
        return self.each("list", **filters)

    async def each(self, listing: str, **filters: Any) -> AsyncIterator[Any]:
        if isinstance(self.client, AsyncPostroom):
            async for item in getattr(self.client, listing)(**filters):
                yield item
            return
        items = getattr(self.client, listing)(**filters)
        while (item := await asyncio.to_thread(next, items, None)) is not None:
            yield item

    async def close(self) -> None:
        await self.ask("close")


@pytest_asyncio.fixture(loop_scope="module", params=[Postroom, AsyncPostroom], ids=["sync", "async"])
async def connect(request: pytest.FixtureRequest, office: "Office") -> AsyncIterator[Callable[..., Asker]]:
    """Makes clients of a kind, of the demo service unless it is said otherwise."""
    made: list[Asker] = []

    def make(url: str | None = None, **caller: Any) -> Asker:
        whose = caller if "token" in caller else {"key": office.key, "service": "demo"} | caller
        made.append(Asker(request.param(url or office.url, **{"policy": POLICY} | whose)))
        return made[-1]

    yield make
    for asker in made:
        await asker.close()


@pytest.fixture
def client(connect: Callable[..., Asker]) -> Asker:
    return connect()


def email(office: "Office", **others: Any) -> dict[str, Any]:
    """An email that is right, but for what is given."""
    values = {"name": "Joe", "ref": "X1"}
    return {
        "to": "joe@example.com",
        "template": office.templates["email"],
        "personalisation": values,
    } | others


async def test_an_email_is_sent_and_followed_to_its_end(office: "Office", client: Asker) -> None:
    sent = await client.ask("send_email", **email(office, reference="r-1", target_id="t-1"))

    assert (sent.channels, sent.email, sent.reference) == (("Email",), "joe@example.com", "r-1")
    assert (sent.target_id, sent.personalisation_params) == ("t-1", {"name": "Joe", "ref": "X1"})
    assert datetime.now(UTC) - sent.created_date < timedelta(minutes=1)
    assert [delivery.status for delivery in sent.deliveries] == ["pending"]

    await office.ended(sent.id)
    [delivery] = (await client.ask("get", sent.id)).deliveries
    assert (delivery.status, delivery.has_ended) == ("delivered", True)
    [message] = office.sandbox.sent(reference=delivery.id)
    assert message.id == delivery.notify_id


async def test_a_text_a_letter_and_a_screen_are_sent(office: "Office", client: Asker) -> None:
    text = await client.ask(
        "send_text",
        to="07700 900456",
        template=office.templates["text"],
        personalisation={"name": "Joe", "code": "1234"},
    )
    letter = await client.ask(
        "send_letter",
        address=["Joe Bloggs", "123 High Street", "SW14 6BH"],
        template=office.templates["letter"],
        personalisation={"name": "Joe"},
    )
    screen = await client.ask(
        "send_screen",
        target_id="t-1",
        message="Direct Debit failed",
        target_type="FailedDirectDebits",
        user="group:finance",
        require_action=True,
    )

    assert [each.channels for each in (text, letter, screen)] == [("Text",), ("Letter",), ("Screen",)]
    assert (screen.user, screen.require_action, screen.deliveries) == ("group:finance", True, ())
    await office.ended(text.id)
    await office.until(letter.id, lambda item: item["deliveries"][0]["notifyId"] is not None)


async def test_one_goes_over_several_channels(office: "Office", client: Asker) -> None:
    new = NewNotification(
        channels=["Screen", "Email"],
        target_id="t-1",
        message="Your repair is booked",
        email="joe@example.com",
        template=office.templates["email"],
        personalisation={"name": "Joe", "ref": "X1"},
    )

    made = await client.ask("notify", new)

    assert made.channels == ("Screen", "Email")
    assert [delivery.channel for delivery in made.deliveries] == ["Email"]


async def test_the_same_request_with_the_same_key_counts_once(office: "Office", client: Asker) -> None:
    key = f"once-{time.time_ns()}"

    first = await client.ask("send_email", **email(office, idempotency_key=key))
    again = await client.ask("send_email", **email(office, idempotency_key=key))
    with pytest.raises(KeyMisused):
        await client.ask("send_email", **email(office, idempotency_key=key, to="amala@example.com"))

    assert (again.id, first.replayed, again.replayed) == (first.id, False, True)


async def test_many_are_sent_and_each_has_its_answer(office: "Office", client: Asker) -> None:
    target, key = f"many-{time.time_ns()}", f"many-{time.time_ns()}"
    right = email_of(**email(office, target_id=target))
    wrong = email_of(**email(office, target_id=target, to="no address"))

    result = await client.ask("send_many", [right, wrong, right], idempotency_key=key)
    again = await client.ask("send_many", [right, wrong, right], idempotency_key=key)

    assert [item.status for item in result.items] == [201, 400, 201]
    [refused] = result.refused
    assert isinstance(refused.error, Invalid)
    assert set(refused.error.errors) == {"email"}
    assert [each.id for each in again.accepted] == [each.id for each in result.accepted]
    assert [each.replayed for each in (*result.accepted, *again.accepted)] == [False, False, True, True]
    assert await client.ask("count", target_id=target) == Count(count=2, is_exact=True)


async def test_actions_hold_to_the_version_that_was_read(client: Asker) -> None:
    made = await client.ask("send_screen", target_id="t-1", message="Approve", require_action=True)
    read = await client.ask("get", made.id)
    begun = await client.ask("act", made.id, "Initiated", etag=read.etag)

    with pytest.raises(Stale):
        await client.ask("approve", made.id, note="Fine", etag=read.etag)
    with pytest.raises(Conflict):
        await client.ask("remove", made.id)
    approved = await client.ask("approve", made.id, note="Fine", etag=begun.etag)
    with pytest.raises(Conflict):
        await client.ask("reject", made.id, note="Late")

    assert (begun.performed_action_type, approved.performed_action_type) == ("Initiated", "Approved")
    assert (approved.action_note, approved.performed_action_done_by) == ("Fine", "demo")
    assert approved.performed_action_date is not None


async def test_an_officer_reads_rejects_and_removes(
    office: "Office", client: Asker, connect: Callable[..., Asker]
) -> None:
    officer = connect(token=office.token("amala.officer@hackney.gov.uk"))
    made = await client.ask("send_screen", target_id="t-1", message="x", user="amala.officer@hackney.gov.uk")

    read = await officer.ask("mark_read", made.id)
    unread = await officer.ask("mark_unread", made.id)
    rejected = await officer.ask("reject", made.id, note="Not ours")
    await officer.ask("remove", made.id)
    with pytest.raises(NotFound) as caught:
        await officer.ask("get", made.id)

    assert (read.is_read_status, unread.is_read_status) == (True, False)
    assert rejected.performed_action_done_by == "amala.officer@hackney.gov.uk"
    assert caught.value.reason == "unknown"


async def test_a_message_its_template_and_all_templates(office: "Office", client: Asker) -> None:
    sent = await client.ask("send_email", **email(office))
    await office.ended(sent.id)

    message = await client.ask("message_status", sent.id)
    template = await client.ask("template", office.templates["email"])
    templates = await client.ask("templates", refresh=True)

    assert (message.status, message.type, message.email_address) == ("delivered", "email", "joe@example.com")
    assert message.template.id == template.id == office.templates["email"]
    assert (template.type, sorted(template.placeholders)) == ("Email", ["name", "ref"])
    assert set(office.templates.values()) <= {each.id for each in templates}


async def test_health(client: Asker) -> None:
    assert await client.ask("health") == Health(status="ok", checks={"database": "ok"})


async def test_pages_lose_and_repeat_nothing_while_more_arrive(client: Asker) -> None:
    target = f"paged-{time.time_ns()}"
    made = [(await client.ask("send_screen", target_id=target, message="x")).id for _ in range(7)]

    listed = []
    async for item in client.list(target_id=target, page_size=2):
        listed.append(item.id)
        await client.ask("send_screen", target_id=target, message="newer")

    assert listed == made[::-1]


async def test_filters_choose(client: Asker) -> None:
    target = f"filtered-{time.time_ns()}"
    first = await client.ask("send_screen", target_id=target, message="x", require_action=True, reference="a")
    second = await client.ask("send_screen", target_id=target, message="x", user="amala@hackney.gov.uk")
    await client.ask("approve", first.id, note="Fine")

    async def found(**filters: Any) -> list[str]:
        return [item.id async for item in client.list(target_id=target, **filters)]

    assert await found() == [second.id, first.id]
    assert await found(channels=["Screen", "Email"], is_read=False) == [second.id, first.id]
    assert await found(channels="Email") == []
    assert await found(require_action=True) == [first.id]
    assert await found(performed_action_type="Approved") == [first.id]
    assert await found(user="amala@hackney.gov.uk") == [second.id]
    assert await found(reference="a") == [first.id]
    assert await found(created_from=second.created_date) == [second.id]
    assert await found(created_to=datetime(2020, 1, 1, tzinfo=UTC)) == []


async def test_what_is_wrong_is_told_by_field_and_nothing_of_what_was_sent(client: Asker) -> None:
    with pytest.raises(Invalid) as caught:
        await client.ask(
            "send_email",
            to="joe.private@",
            template="no such",
            personalisation={"name": "Private"},
            user="private@",
        )

    assert {"email", "templateId", "user"} <= set(caught.value.errors)
    assert caught.value.correlation_id
    assert "private" not in str(caught.value).lower()


async def test_strangers_and_trespassers_are_refused(office: "Office", connect: Callable[..., Asker]) -> None:
    with pytest.raises(Unauthenticated):
        await connect(key="postroom_wrong").ask("get", NOBODY)
    with pytest.raises(Forbidden):
        await connect(service="other").ask("send_email", **email(office))
    with pytest.raises(NotFound):
        await connect().ask("get", NOBODY)
    nowhere = connect("http://127.0.0.1:1", policy=RetryPolicy(total_seconds=0))
    with pytest.raises(Unavailable) as caught:
        await nowhere.ask("get", NOBODY)

    assert caught.value.may_have_happened is False


async def test_an_answer_that_is_lost_makes_no_second_notification(
    office: "Office", proxy: "FlakyProxy", connect: Callable[..., Asker]
) -> None:
    client, target = connect(proxy.url), f"lost-{time.time_ns()}"
    proxy.to_lose = 2

    made = await client.ask("send_email", **email(office, target_id=target))

    assert proxy.statuses == [201, 201, 201]
    assert made.replayed is True
    assert [item.id async for item in client.list(target_id=target)] == [made.id]


async def test_nor_does_one_of_many(
    office: "Office", proxy: "FlakyProxy", connect: Callable[..., Asker]
) -> None:
    client, target = connect(proxy.url), f"lost-{time.time_ns()}"
    proxy.to_lose = 1

    result = await client.ask("send_many", [email_of(**email(office, target_id=target))] * 20)

    assert proxy.statuses == [207, 207]
    assert {each.replayed for each in result.accepted} == {True}
    listed = [item.id async for item in client.list(target_id=target)]
    assert sorted(listed) == sorted(each.id for each in result.accepted)


async def test_an_action_whose_answer_is_lost_is_not_done_twice(
    proxy: "FlakyProxy", connect: Callable[..., Asker]
) -> None:
    client = connect(proxy.url)
    made = await client.ask("send_screen", target_id="t-1", message="x", require_action=True)
    proxy.to_lose, proxy.statuses = 1, []

    with pytest.raises(Unavailable) as caught:
        await client.ask("act", made.id, "Initiated")

    assert caught.value.may_have_happened is True
    assert proxy.statuses == [200]
    assert (await client.ask("get", made.id)).performed_action_type == "Initiated"


async def test_a_removal_whose_answer_is_lost_is_a_removal(
    proxy: "FlakyProxy", connect: Callable[..., Asker]
) -> None:
    client = connect(proxy.url)
    made = await client.ask("send_screen", target_id="t-1", message="x")
    proxy.to_lose, proxy.statuses = 1, []

    await client.ask("remove", made.id)

    assert proxy.statuses == [204, 404]


async def test_who_is_over_the_limit_waits_as_long_as_is_asked(
    office: "Office", proxy: "FlakyProxy", connect: Callable[..., Asker]
) -> None:
    """Of 30 calls a minute one is given back every two seconds."""
    name = f"hasty{time.time_ns()}"
    key = await office.register(name, ServiceLimits(calls_a_minute=30))
    patient = connect(proxy.url, key=key, service=name)
    hasty = connect(key=key, service=name, policy=RetryPolicy(total_seconds=0))
    while (await office.get("/notifications", key=key)).status != 429:
        pass

    with pytest.raises(TooMany) as caught:
        await hasty.ask("send_screen", target_id="t-1", message="x")
    await patient.ask("send_screen", target_id="t-1", message="x")

    assert caught.value.retry_after in (1, 2)
    assert proxy.statuses == [429, 201]


async def test_the_example_of_the_readme_sends_an_email(office: "Office") -> None:
    [example] = re.findall(r"(?s)```python\n(from os .*?)```", (TOP / "client" / "README.md").read_text())
    await _name_template(office)

    told = await _run(example, POSTROOM_URL=office.url, POSTROOM_KEY=office.key)

    notification_id, status = told.split()
    assert len(example.splitlines()) <= 11
    assert status == "pending"
    assert (await office.ended(notification_id))["deliveries"][0]["status"] == "delivered"


async def _name_template(office: "Office") -> None:
    """As the demo names it."""
    demo = Registration(
        name="demo",
        notify_key=office.sandbox.api_key,
        notify_base_url=office.sandbox.url,
        template_names={"email": office.templates["email"]},
    )
    async with office.app.database.transaction() as conn:
        await register_again(
            conn,
            demo,
            vault=office.app.vault,
            receipt_token=office.receipt_token,
            now=office.app.clock(),
        )
    # A service is remembered for some seconds as it was.
    async with asyncio.timeout(15):
        while "email" not in (await _demo(office)).template_names:  # noqa: ASYNC110 - as it says
            await asyncio.sleep(0.2)


async def _demo(office: "Office") -> RegisteredService:
    found = await office.app.directory.by_id(office.service_id)
    assert found is not None
    return found


async def _run(example: str, **environment: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", example, env=os.environ | environment, stdout=asyncio.subprocess.PIPE
    )
    told, _ = await process.communicate()
    assert process.returncode == 0
    return told.decode()


async def test_a_notification_is_judged_shown_and_followed(office: "Office", client: Asker) -> None:
    wanted = email_of(**email(office))
    judged = await client.ask("validate", wanted)
    shown = await client.ask(
        "preview", office.templates["email"], personalisation={"name": "Zoë", "ref": "X1"}
    )
    with pytest.raises(Invalid) as caught:
        await client.ask("validate", email_of(**email(office, personalisation={"name": "Joe"})))
    sent = await client.ask("notify", wanted)
    await office.ended(sent.id)
    lines = await client.ask("timeline", sent.id)

    assert judged == Validation(valid=True)
    assert (shown.type, "Zoë" in shown.body, "Zoë" in repr(shown)) == ("Email", True, False)
    assert set(caught.value.errors) == {"personalisationParams.ref"}
    assert [line.at for line in lines] == sorted(line.at for line in lines)
    assert {line.kind for line in lines} >= {"accepted", "receipt"}
    assert all(line.text for line in lines)


async def test_the_feed_goes_on_from_its_cursor(office: "Office", client: Asker) -> None:
    before = [event async for event in client.each("feedback")]
    made = [await client.ask("send_screen", target_id="t-1", message="x") for _ in range(3)]
    found: list[Event] = []
    async with asyncio.timeout(10):
        while len(found) < 3:
            since = (found or before or [None])[-1]
            async for event in client.each("feedback", since=since and since.cursor, page_size=2):
                found += [event] if event.data["notificationId"] in {each.id for each in made} else []
            await asyncio.sleep(0.02)

    assert [event.data["notificationId"] for event in found] == [each.id for each in made]
    assert {event.type for event in found} == {"created"}
    assert all(event.id and event.cursor for event in found)


async def test_a_webhook_is_set_shown_rotated_and_removed(client: Asker) -> None:
    made = await client.ask("set_webhook", "http://127.0.0.1:9/hook?token=mine")
    shown = await client.ask("webhook")
    rotated = await client.ask("rotate_webhook_secret")
    await client.ask("remove_webhook")

    assert (made.secret[:6], shown.secret, shown.is_on) == ("whsec_", None, True)
    assert rotated.secret not in (None, made.secret)
    assert rotated.former_secret_until > datetime.now(UTC)
    assert "mine" not in repr(made)
    assert made.secret not in repr(made)
    with pytest.raises(NotFound):
        await client.ask("webhook")


async def test_dead_letters_are_listed_explained_and_replayed(office: "Office", client: Asker) -> None:
    sent = await client.ask("send_email", **email(office, reference="dead-1"))
    await office.ended(sent.id)
    [delivery] = sent.deliveries
    async with office.app.database.transaction() as conn:
        await conn.execute(
            deliveries.update()
            .where(deliveries.c.id == delivery.id)
            .values(status="dead", reason="given up in a test", open_attempt=None)
        )
    letters = [each async for each in client.each("dead_letters", reference="dead-1", page_size=1)]
    [letter] = [each for each in letters if each.id == delivery.id]

    assert await client.ask("dead_letter", delivery.id) == letter
    assert (letter.notification_id, letter.explanation != "") == (sent.id, True)
    assert [attempt.number for attempt in letter.attempts] == [1]
    with pytest.raises(TypeError):
        await client.ask("replay_many", templateid="x")
    by_one = await client.ask("replay", delivery.id, may_send_twice=True)
    assert by_one == Replayed(replayed=1)
    with pytest.raises(NotFound):
        await client.ask("dead_letter", NOBODY)
    assert (await client.ask("replay_many", reference="none such", cause="given-up")).replayed == 0


@pytest.mark.parametrize(
    ("schema", "model", "not_shown"),
    [
        ("NotificationBody", NewNotification, {"serviceKey"}),
        ("NotificationItem", Notification, {"serviceKey"}),
        ("DeliveryItem", Delivery, set()),
        ("MessageStatusItem", MessageStatus, set()),
        ("TemplatePath", TemplateVersion, set()),
        ("TemplateItem", Template, set()),
        ("Health", Health, set()),
        ("CountItem", Count, set()),
        ("ValidationItem", Validation, set()),
        ("PreviewItem", Preview, set()),
        ("TimelineItem", TimelineEntry, set()),
        ("DeadLetterItem", DeadLetter, set()),
        ("AttemptItem", Attempt, set()),
        ("ReplayedItem", Replayed, set()),
        ("WebhookItem", Webhook, set()),
        ("FeedbackItem", Event, {"id"}),
    ],
)
async def test_the_client_knows_every_field_of_the_api(schema: str, model: Any, not_shown: set[str]) -> None:
    document = json.loads((TOP / "docs" / "openapi.json").read_text())
    wire_names = {each.metadata.get("wire", _camel(each.name)) for each in fields(model)}

    assert set(document["components"]["schemas"][schema]["properties"]) - not_shown == wire_names - {None}


def _camel(name: str) -> str:
    return re.sub("_([a-z])", lambda found: found[1].upper(), name)
