"""The sandbox's own API and its commands."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from typer.testing import CliRunner

from notify_sandbox.asking import Asker
from notify_sandbox.catching import CallbackServer
from notify_sandbox.cli import app
from notify_sandbox.testing import SandboxUnderTest


class Levers:
    def __init__(self, sandbox: SandboxUnderTest, session: aiohttp.ClientSession) -> None:
        self.sandbox = sandbox
        self._session = session

    async def ask(self, method: str, path: str, body: object = None, **more: Any) -> tuple[int, Any]:
        async with self._session.request(method, self.sandbox.url + path, json=body, **more) as answer:
            return answer.status, await answer.json()

    async def send(self, key: str | None = None, *, to: str = "amala@example.com") -> tuple[int, Any]:
        asker = Asker(self._session, url=self.sandbox.url, key=key or self.sandbox.api_key)
        body = {"email_address": to, "template_id": self.sandbox.templates["email_plain"]}
        return await asker.post("/v2/notifications/email", body)


@pytest.fixture
async def levers(sandbox: SandboxUnderTest) -> AsyncIterator[Levers]:
    async with aiohttp.ClientSession() as session:
        yield Levers(sandbox, session)


async def test_a_service_of_ones_own(levers: Levers) -> None:
    described = {"name": "Parking", "templates": [{"alias": "fine", "type": "sms", "body": "Pay ((sum))"}]}
    _, answer = await levers.ask("POST", "/sandbox/services", described)
    parking = answer["services"]["Parking"]
    service = f"/sandbox/services/{parking['serviceId']}"
    _, made = await levers.ask("POST", f"{service}/keys", {"name": "sandbox-mine", "type": "test"})
    _, limits = await levers.ask("PUT", f"{service}/limits", {"perMinute": 60})
    _, revoked = await levers.ask("DELETE", f"{service}/keys/sandbox-mine")

    assert list(parking["templates"]) == ["fine"]
    assert made["key"].startswith(f"sandbox-mine-{parking['serviceId']}-5a4db0c5-")
    assert limits["perMinute"] == 60
    assert (await levers.send(made["key"]))[1]["errors"][0]["message"] == "Invalid token: API key revoked"
    assert list(revoked) == ["revoked"]


async def test_templates_are_made_edited_and_archived(levers: Levers) -> None:
    service = f"/sandbox/services/{levers.sandbox.service_id}"
    new = {"alias": "new", "type": "email", "subject": "S ((a))", "body": "B"}
    _, made = await levers.ask("POST", f"{service}/templates", new)
    path = f"/sandbox/templates/{made['id']}"
    await levers.ask("PUT", path, {"body": "B ((b))"})
    await levers.ask("DELETE", path)
    _, shown = await levers.ask("GET", path)

    assert (shown["version"], shown["archived"], sorted(shown["personalisation"])) == (2, True, ["a", "b"])
    assert [version["body"] for version in shown["versions"]] == ["B", "B ((b))"]


async def test_faults_and_outcomes_by_the_api(levers: Levers, callback: CallbackServer) -> None:
    await levers.ask("POST", "/sandbox/faults", {"kind": "error", "times": 1})
    await levers.ask("POST", "/sandbox/receipt-faults", {"kind": "doubled", "times": 1})
    await levers.ask(
        "POST", "/sandbox/outcomes", {"recipient": "amala@example.com", "status": "permanent-failure"}
    )
    refused, _ = await levers.send()
    accepted, _ = await levers.send()
    await callback.wait_for(2)
    _, left = await levers.ask("DELETE", "/sandbox/faults")

    assert (refused, accepted) == (500, 201)
    assert [one["status"] for one in callback.bodies] == ["permanent-failure", "permanent-failure"]
    assert left == {"api": [], "receipts": []}


async def test_what_was_sent_and_what_becomes_of_it(levers: Levers, callback: CallbackServer) -> None:
    _, sent = await levers.send(to="joe@example.com")
    await levers.ask("POST", f"/sandbox/sent/{sent['id']}/status", {"status": "temporary-failure"})
    await callback.wait_for(1)
    await levers.ask("POST", f"/sandbox/sent/{sent['id']}/receipt", {})
    await callback.wait_for(2)
    _, listed = await levers.ask("GET", "/sandbox/sent?to=joe@example.com")
    _, none = await levers.ask("DELETE", "/sandbox/sent")

    assert [(one["id"], one["status"], one["body"]) for one in listed["sent"]] == [
        (sent["id"], "temporary-failure", "Nothing to fill in")
    ]
    assert none == {"sent": []}


async def test_the_callback_texts_and_the_clock(levers: Levers) -> None:
    service_id = levers.sandbox.service_id
    callback = f"/sandbox/services/{service_id}/callback"
    _, put = await levers.ask("PUT", callback, {"url": "http://127.0.0.1:9/", "bearerToken": "t"})
    _, taken = await levers.ask("DELETE", callback)
    text = {"serviceId": service_id, "sender": "447700900456", "content": "Hello"}
    _, received = await levers.ask("POST", "/sandbox/received-texts", text)
    before = levers.sandbox.now()
    await levers.ask("POST", "/sandbox/clock", {"advanceSeconds": 3600})

    assert (put, taken) == ({"callback": "http://127.0.0.1:9/"}, {"callback": None})
    assert (received["user_number"], received["content"]) == ("447700900456", "Hello")
    assert 3600 <= levers.sandbox.now() - before < 3610


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/sandbox/faults", {"kind": "sulking"}, 400),
        ("PUT", "/sandbox/templates/none", {"body": "B"}, 404),
        ("POST", "/sandbox/services/none/keys", {}, 404),
        ("POST", "/sandbox/services", {"name": "X", "keys": [{"name": "k", "secret": "real"}]}, 400),
    ],
)
async def test_what_it_cannot_do(method: str, path: str, body: object, status: int, levers: Levers) -> None:
    got, answer = await levers.ask(method, path, body)

    assert (got, list(answer)) == (status, ["message"])


async def test_it_takes_nothing_that_a_page_elsewhere_could_send(levers: Levers) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(levers.sandbox.url + "/sandbox/faults", data='{"kind": "error"}') as answer,
    ):
        as_text = answer.status
    elsewhere, _ = await levers.ask("GET", "/sandbox/services", headers={"Host": "localhost:1"})

    assert (as_text, elsewhere, levers.sandbox.controls.faults.api) == (415, 200, [])


async def test_templates_from_the_command_line(sandbox: SandboxUnderTest) -> None:
    async def run(*arguments: str, text: str | None = None) -> str:
        runner = CliRunner()
        done = await asyncio.to_thread(
            runner.invoke, app, ["template", *arguments, "--url", sandbox.url], input=text
        )
        return done.output.strip()

    email = sandbox.templates["email"]
    listed = await run("list")
    edited = await run("edit", email, "--subject", "Good day ((name))", "--body", "-", text="Dear ((name))")
    archived = await run("archive", email)
    unknown = await run("archive", "none")

    assert f"demo\temail\t{email}" in listed.splitlines()
    assert (edited, archived, unknown) == ("version 2", "archived", "notify-sandbox: Nothing has the id none")
