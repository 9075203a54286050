"""What the guides for moving over say, done: before and after send the same, and every body is taken."""

import asyncio
import contextlib
import io
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import requests
from notifications_python_client import NotificationsAPIClient

from postroom.channels.govuk_notify.receipts import _STATUS
from postroom.features.services import Registration, issue_key, register, set_trusted_params
from postroom.kit.ids import new_id

if TYPE_CHECKING:
    from tests.interfaces.api.conftest import Office

pytestmark = pytest.mark.asyncio(loop_scope="module")

GUIDES = Path(__file__).parents[2] / "docs" / "guides"
GENERAL = GUIDES / "move-from-govuk-notify.md"
BODIES = [
    (path.stem, number, json.loads(body))
    for path in sorted(GUIDES.glob("move-*.md"))
    for number, body in enumerate(re.findall(r"(?s)```json\n(.*?)```", path.read_text()))
]
KINDS = {"Email": "email", "Text": "sms", "Letter": "letter"}


async def made(office: "Office", name: str, templates: dict[str, str], trusted: list[str]) -> str:
    """The service of a guide, with its templates by name and what it trusts; its API key."""
    registration = Registration(
        name=name,
        notify_key=office.sandbox.api_key,
        notify_base_url=office.sandbox.url,
        template_names=templates,
    )
    vault, now = office.app.vault, office.app.clock()
    async with office.app.database.transaction() as conn:
        service_id = await register(conn, registration, vault=vault, now=now)
        if trusted:
            await set_trusted_params(conn, service_id=service_id, names=trusted)
        return (await issue_key(conn, vault=vault, service_id=service_id, name="one", now=now)).key


async def template_for(office: "Office", channel: str, values: dict[str, Any]) -> str:
    """A template at Notify whose placeholders are those values; its id."""
    body = " ".join(f"(({name}))" for name in values)
    wanted = {"alias": new_id(), "name": channel, "type": KINDS[channel], "body": body}
    if channel == "Email":
        wanted["subject"] = "About"
    url = f"{office.sandbox.url}/sandbox/services/{office.sandbox.service_id}/templates"
    answer = await asyncio.to_thread(requests.post, url, json=wanted, timeout=5)
    assert answer.status_code in (200, 201), answer.text
    return str(answer.json()["id"])


@pytest.mark.parametrize(("guide", "number", "body"), BODIES, ids=lambda value: str(value)[:24])
async def test_what_a_guide_posts_is_accepted_and_sent_as_it_stands(
    office: "Office", guide: str, number: int, body: dict[str, Any]
) -> None:
    channels = body["notificationType"]
    channels = [channels] if isinstance(channels, str) else channels
    name = f"{guide}-{number}"
    wanted = body.get("templateIds") or {each: body.get("templateId") for each in channels if each in KINDS}
    values = body.get("personalisationParams", {})
    templates = {called: await template_for(office, channel, values) for channel, called in wanted.items()}
    trusted = re.findall(r"(?m)^postroom services trust \S+ (.*)$", (GUIDES / f"{guide}.md").read_text())
    key = await made(office, name, templates, " ".join(trusted).split())
    asked = body | ({"serviceKey": name} if "serviceKey" in body else {})

    answer = await office.post(asked, key=key)

    assert answer.status == 201, answer.text
    assert answer.body["warnings"] == []
    assert len(answer.body["deliveries"]) == len([each for each in channels if each != "Screen"])
    for delivery in answer.body["deliveries"]:
        sent = await _sent(office, reference=delivery["id"])
        # As it was written: a link too, where the guide has it trusted.
        assert sent[0].body.split() == " ".join(map(str, values.values())).split()


async def _sent(office: "Office", *, most: int = 1, **which: str) -> list[Any]:
    async with asyncio.timeout(10):
        while len(found := office.sandbox.sent(**which)) < most:  # noqa: ASYNC110 - no event tells it
            await asyncio.sleep(0.02)
    return list(found)


async def test_before_and_after_send_the_same(office: "Office") -> None:
    key = await made(office, "rent", {}, [])
    before, after = re.findall(r"(?s)```python\n(.*?)```", GENERAL.read_text())
    environ = {"NOTIFY_KEY": office.sandbox.api_key, "POSTROOM_URL": office.url, "POSTROOM_KEY": key}
    known = {"environ": environ, "TEMPLATE_ID": office.templates["email"]}
    official = re.sub(
        r"(NotificationsAPIClient\(.*?)\)$", rf"\1, base_url='{office.sandbox.url}')", before, flags=re.M
    )
    assert official != before
    office.sandbox.forget()

    for example in (official, after):
        with contextlib.redirect_stdout(io.StringIO()):
            await asyncio.to_thread(exec, example, dict(known))

    first, second = (_what(each) for each in await _sent(office, most=2, to="amala@example.com"))
    assert first == second
    found = (await office.get("/notifications?reference=rent-4711", key=key)).body
    assert [each["email"] for each in found] == ["amala@example.com"]


def _what(sent: Any) -> dict[str, Any]:
    """What a message is for its recipient."""
    told = msgspec.to_builtins(sent)
    return {name: told[name] for name in ("subject", "body") if name in told}


async def test_the_table_of_statuses_is_the_one_of_the_code() -> None:
    (table,) = re.findall(r"(?s)\| Notify's status \|.*?\n\n", GENERAL.read_text())
    rows = [line.strip("| ").split(" | ") for line in table.strip().splitlines()[2:]]
    told = {
        word: re.findall(r"`([a-z-]+)`", row[1])[0]
        for row in rows[:2]
        for word in re.findall(r"`([a-z-]+)`", row[0])
    }

    assert told == {name: status.value for name, status in _STATUS.items() if name != status.value} | {
        "sending": "sending"
    }


async def test_every_call_of_the_official_client_has_its_place() -> None:
    """Each of its public methods is named in the guide, by its own name or its family's."""
    text = GENERAL.read_text()
    families = {
        "send_": "/v2/notifications/email",
        "get_template": "get_template…",
        "get_all_templates": "get_template…",
        "get_all_template_versions": "former versions of templates",
        "get_all_notifications": "get_all_notifications",
        "get_received_texts": "get_received_texts",
    }
    own = [name for name in vars(NotificationsAPIClient) if not name.startswith("_")]
    missing = [
        name
        for name in own
        if name not in text
        and not any(name.startswith(family) and told in text for family, told in families.items())
    ]

    assert missing == []
