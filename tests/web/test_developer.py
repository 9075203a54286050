"""The developers' pages: searching, the life of a notification, webhooks, keys and templates."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from tests.web.conftest import ADA, AMALA

pytestmark = pytest.mark.asyncio(loop_scope="module")

NO_ID = "00000000-0000-4000-8000-000000000000"
PAGES = (
    "/developer",
    "/developer/notifications/{id}",
    "/developer/services",
    "/developer/services/demo",
    "/developer/services/demo/webhook",
    "/developer/services/demo/keys",
    "/developer/services/demo/templates",
    "/developer/services/demo/templates/{template}",
)
FORMS = (
    "/developer/search",
    "/developer/services/demo/webhook/resend",
    "/developer/services/demo/keys",
    "/developer/services/demo/keys/rotate",
    "/developer/services/demo/keys/revoke",
    "/developer/services/demo/templates/{template}",
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sent(office: Any) -> Any:
    """An email that was delivered, for finance's screens too."""
    body = office.email(
        notificationType="Screen,Email",
        email="Joe.Resident@example.com",
        targetId="T-77",
        targetType="Tenure",
        user="group:finance",
        message="Told to Joe",
        reference="REF-77",
    )
    made = await office.accepted(body, headers={"x-correlation-id": "corr-77"})
    return await office.ended(made["id"])


@pytest.mark.parametrize("path", PAGES)
async def test_pages_are_for_those_with_a_role(
    office: Any, sent: Any, amala: Any, kofi: Any, path: str
) -> None:
    path = path.format(id=sent["id"], template=office.templates["email"])

    assert ((await amala.see(path)).status, (await kofi.see(path)).status) == (403, 200)


@pytest.mark.parametrize("path", FORMS)
async def test_forms_are_for_those_with_a_role(office: Any, amala: Any, mary: Any, path: str) -> None:
    path = path.format(template=office.templates["email"])
    for visitor in (amala, mary):
        answer = await visitor.fill(path, on="/inbox", text="T-77", event=NO_ID, key=NO_ID, name="mine")
        assert (answer.status, answer.heading) == (403, "You may not see this page")
    assert "mine" not in [key["name"] for key in await keys(office)]


async def keys(office: Any) -> list[dict[str, Any]]:
    token = office.token("root@hackney.gov.uk", groups=("admins",))
    found = await office.get("/services/demo/keys", token=token)
    assert found.status == 200, found.text
    return list(found.body)


async def test_each_thing_that_is_known_leads_to_it(sent: Any, kofi: Any) -> None:
    (delivery,) = sent["deliveries"]
    for by, text in [
        ("target", "T-77"),
        ("recipient", "joe.resident@EXAMPLE.com"),
        ("recipient", "group:finance"),
        ("reference", "REF-77"),
        ("notify-id", delivery["notifyId"]),
        ("correlation-id", "corr-77"),
        ("id", sent["id"]),
        ("id", delivery["id"]),
    ]:
        shown = await kofi.fill("/developer/search", on="/developer", by=by, text=text, service="demo")
        assert (by, f"/developer/notifications/{sent['id']}" in shown.markup) == (by, True)
        assert "J•••••@example.com" in shown.text
        assert "Told to Joe" not in shown.markup


async def test_what_is_not_there_is_not_found(sent: Any, kofi: Any) -> None:
    for fields in (
        {"by": "target", "text": "T-78"},
        {"by": "target", "text": "T-77", "service": "other"},
        {"by": "notify-id", "text": "<script>alert(1)</script>"},
    ):
        shown = await kofi.fill("/developer/search", on="/developer", **fields)
        assert (shown.status, "Nothing was found" in shown.text) == (200, True)
        assert "<script>alert" not in shown.markup


async def test_nothing_to_search_for_is_said(kofi: Any) -> None:
    shown = await kofi.fill("/developer/search", on="/developer", by="target", text="  ")

    assert (shown.status, shown.faults) == (400, {"text": "Enter what to search for"})


async def test_pages_of_what_was_found_go_on_by_a_form(office: Any, kofi: Any) -> None:
    ids = [(await office.accepted(office.screen(targetId="MANY", user=AMALA)))["id"] for _ in range(30)]
    first = await kofi.fill("/developer/search", on="/developer", by="target", text="MANY")
    second = await kofi.fill(
        "/developer/search", on="/developer", by="target", text="MANY", before=first.value("before")
    )

    listed = re.findall(r"/developer/notifications/([0-9a-f-]{36})", first.markup + second.markup)
    assert listed == ids[::-1]
    assert "Older notifications" not in second.text


async def test_its_life_is_told_with_personal_data_masked(sent: Any, kofi: Any) -> None:
    shown = await kofi.see(f"/developer/notifications/{sent['id']}")

    for line in (
        "Accepted and kept.",
        "An email is to be sent, checked against version 1 of its template.",
        "Try 1: GOV.UK Notify answered 201 and took it, made from version 1.",
        "Delivered.",
    ):
        assert line in shown.text
    assert "J•••••@example.com" in shown.text
    assert "Told to Joe" not in shown.markup


async def test_what_was_removed_is_still_told(office: Any, kofi: Any) -> None:
    made = await office.accepted(office.screen(user=AMALA))
    await office.delete(made["id"])
    shown = await kofi.see(f"/developer/notifications/{made['id']}")

    assert shown.heading == "A notification that was removed"
    assert "Removed from every list." in shown.text


@pytest_asyncio.fixture(loop_scope="module")
async def hook(office: Any) -> AsyncIterator[list[str]]:
    """The service's webhook: what it was told, by the ids of the events."""
    told: list[str] = []

    async def take(request: web.Request) -> web.Response:
        told.append(request.headers["webhook-id"])
        return web.Response(status=200)

    app = web.Application()
    app.router.add_post("/hook", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    await office.call("PUT", "/webhook", body={"url": f"http://127.0.0.1:{port}/hook"})
    yield told
    await office.call("DELETE", "/webhook")
    await runner.cleanup()


async def test_the_log_of_calls_and_calling_again(office: Any, hook: list[str], ada: Any, kofi: Any) -> None:
    made = await office.accepted(office.screen(user=AMALA))
    path = "/developer/services/demo/webhook"
    call = re.compile(rf">([0-9a-f-]{{36}})</span> · <a [^>]*/developer/notifications/{made['id']}")
    for _ in range(200):
        shown = await kofi.see(path)
        found = call.search(shown.markup)
        if found:
            break
        await asyncio.sleep(0.02)
    assert found, shown.text
    event = found[1]

    assert hook.count(event) == 1
    assert "Try 1: answered 200" in shown.text
    assert event not in (await kofi.see(f"{path}?outcome=given-up")).markup
    again = await ada.fill(f"{path}/resend", on=path, event=event)
    assert "The service is called again with this event" in again.text
    for _ in range(500):
        if hook.count(event) == 2:
            break
        await asyncio.sleep(0.01)
    assert hook.count(event) == 2


async def test_an_event_of_nobody_is_not_sent_again(hook: list[str], ada: Any) -> None:
    path = "/developer/services/demo/webhook"
    for event in (NO_ID, "nothing"):
        assert (await ada.fill(f"{path}/resend", on=path, event=event)).status == 404


async def test_a_key_is_issued_and_shown_once(office: Any, ada: Any) -> None:
    path = "/developer/services/demo/keys"
    shown = await ada.fill(path, on=path, name="nightly job", scope__READ="1", lasts="90")
    key = re.search(r"postroom_[\w-]+", shown.text)

    assert shown.status == 200
    assert key is not None
    assert key[0] not in (await ada.see(path)).markup
    assert (await office.get("/notifications", key=key[0])).status == 200
    assert (await office.post(office.screen(), key=key[0])).status == 403
    twice = await ada.fill(path, on=path, name="nightly job", scope__READ="1", lasts="90")
    assert (twice.status, set(twice.faults)) == (400, {"name"})


async def test_every_fault_of_a_key_is_said_at_once(ada: Any) -> None:
    path = "/developer/services/demo/keys"
    shown = await ada.fill(path, on=path, name="")

    assert (shown.status, set(shown.faults)) == (400, {"name", "scope-WRITE"})


async def test_a_key_is_rotated_once_and_revoked(office: Any, ada: Any) -> None:
    old = await office.issue("demo", expires_at=None)
    path = "/developer/services/demo/keys"
    shown = await ada.fill(f"{path}/rotate", on=path, key=old.id)
    key = re.search(r"postroom_[\w-]+", shown.text)
    assert key is not None
    assert (await ada.fill(f"{path}/rotate", on=path, key=old.id)).status == 409
    assert (await office.get("/notifications", key=old.key)).status == 200

    revoked = await ada.fill(f"{path}/revoke", on=path, key=old.id)

    assert "The key is revoked" in revoked.text
    token = office.token("root@hackney.gov.uk", groups=("admins",))
    told = (await office.get("/audit?service=demo&limit=3", token=token)).body
    assert [(each["kind"], each["actor"]) for each in told] == [
        ("key revoked", ADA),
        ("key changed", ADA),
        ("key issued", ADA),
    ]
    states = {each["id"]: each["state"] for each in await keys(office)}
    assert states[old.id] == "revoked"
    assert (await office.get("/notifications", key=key[0])).status == 200


async def test_who_is_no_admin_sees_keys_and_changes_none(office: Any, kofi: Any) -> None:
    path = "/developer/services/demo/keys"
    shown = await kofi.see(path)
    assert "Issue a key" not in shown.text
    before = await keys(office)
    for form in ("", "/rotate", "/revoke"):
        answer = await kofi.fill(path + form, on="/developer", key=before[0]["id"], name="x", scope__READ="1")
        assert answer.status == 403
    assert [key["state"] for key in await keys(office)] == [key["state"] for key in before]


async def test_a_template_is_previewed(office: Any, kofi: Any) -> None:
    path = f"/developer/services/demo/templates/{office.templates['email']}"
    assert "An email" in (await kofi.see("/developer/services/demo/templates")).text
    attack = "<script>alert(1)</script>"
    shown = await kofi.fill(path, on=path, value__0=attack, value__1="R-9")

    assert "As it would go out" in shown.text
    assert "Your reference is R-9." in shown.text
    assert "<script>alert" not in shown.markup


async def test_a_value_that_is_missing_is_asked_for(office: Any, kofi: Any) -> None:
    path = f"/developer/services/demo/templates/{office.templates['email']}"
    shown = await kofi.fill(path, on=path, value__0="Amala")

    assert (shown.status, shown.faults) == (400, {"value-1": "ref: The template needs this value."})


async def test_what_there_is_not_is_not_found(kofi: Any) -> None:
    for path in (
        "/developer/services/nobody",
        "/developer/services/nobody/webhook",
        "/developer/services/nobody/keys",
        "/developer/services/nobody/templates",
        f"/developer/services/demo/templates/{NO_ID}",
        f"/developer/services/other/templates/{NO_ID}",
        f"/developer/notifications/{NO_ID}",
    ):
        assert (path, (await kofi.see(path)).status) == (path, 404)


async def test_a_service_without_a_notify_key_says_so(kofi: Any) -> None:
    shown = await kofi.see("/developer/services/other/templates")

    assert "This service has no GOV.UK Notify key yet." in shown.text
