"""Who registered a service, issued, rotated and revoked its keys, and let another read."""

from typing import Any

import pytest

from postroom.features import audit
from postroom.features.services import end_grant, grant

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADMIN = "ada.admin@hackney.gov.uk"


@pytest.fixture(scope="module")
def chosen() -> dict[str, str]:
    return {"POSTROOM_ADMIN_GROUPS": "admins"}


@pytest.fixture
def token(office: Any) -> str:
    return str(office.token(ADMIN, groups=("admins",)))


async def told(office: Any, token: str, service: str) -> list[tuple[Any, ...]]:
    """What was done to a service, the oldest first."""
    items = (await office.get(f"/audit?service={service}&limit=200", token=token)).body
    assert {each["notificationId"] for each in items} <= {None}
    return [(each["kind"], each["detail"], each["actor"], each["ip"]) for each in reversed(items)]


async def test_all_that_is_done_over_the_api_is_recorded_with_who_did_it(office: Any, token: str) -> None:
    done = (ADMIN, "127.0.0.1")

    async def call(method: str, path: str, body: Any = None) -> Any:
        answer = await office.call(method, f"/services{path}", token=token, body=body)
        assert answer.status in (200, 201, 204), answer.text
        return answer.body if answer.text else None

    made = await call("POST", "", {"name": "audited", "webhookUrl": "https://audited.example/hook"})
    first = made["apiKey"]["id"]
    key = (await call("POST", "/audited/keys", {"name": "more"}))["id"]
    rotated = (await call("POST", f"/audited/keys/{key}/rotate"))["id"]
    await call("DELETE", f"/audited/keys/{key}")
    await call("DELETE", f"/audited/keys/{key}")
    await call("PATCH", "/audited", {"defaultGroup": "x", "allowedLinkHosts": ["a.uk"], "webhookUrl": None})
    await call("POST", "/audited/receipt-token")

    assert await told(office, token, "audited") == [
        ("service added", None, *done),
        ("service changed", "receipt_token", *done),
        ("key issued", f"key {first}", *done),
        ("service changed", "webhook_url", *done),
        ("key issued", f"key {key}", *done),
        ("key issued", f"key {rotated}", *done),
        ("key revoked", f"key {key}", *done),
        ("service changed", "default_group link_hosts", *done),
        ("service changed", "webhook_url", *done),
        ("service changed", "receipt_token", *done),
    ]


async def test_what_is_refused_is_not_recorded(office: Any, token: str) -> None:
    before = await told(office, token, "other")
    wrong = await office.call("POST", "/services/other/keys", token=token, body={"name": ""})

    assert (wrong.status, await told(office, token, "other")) == (400, before)


async def test_leave_to_read_is_recorded_where_it_was_given(office: Any, token: str) -> None:
    app, reader = office.app, await office.app.directory.by_name("other")
    by = audit.By("command line: ada", app.clock(), app.vault)
    pair = {"reader_id": reader.id, "owner_id": office.service_id}
    async with app.database.transaction() as conn:
        await grant(conn, **pair, with_personal_data=True, now=app.clock(), by=by)
        assert await end_grant(conn, **pair, by=by)
        assert not await end_grant(conn, **pair, by=by)

    assert await told(office, token, "demo") == [
        ("granted", f"service {reader.id} with personal data", "command line: ada", None),
        ("grant ended", f"service {reader.id}", "command line: ada", None),
    ]


async def test_a_service_that_changes_its_webhook_is_named(office: Any, token: str) -> None:
    before = len(await told(office, token, "demo"))
    calls = [
        ("PUT", "/webhook", {"url": "https://demo.example/hook"}),
        ("POST", "/webhook/rotate", None),
        ("DELETE", "/webhook", None),
    ]
    answers = [await office.call(method, path, body=body) for method, path, body in calls]

    assert [each.status for each in answers] == [201, 200, 204]
    assert (await told(office, token, "demo"))[before:] == [
        ("service changed", changed, "demo", "127.0.0.1")
        for changed in ("webhook_url", "webhook_secret", "webhook_url")
    ]
