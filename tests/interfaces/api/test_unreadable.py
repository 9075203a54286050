"""What cannot be opened is said to be so on the wire, and everything beside it is shown."""

import csv
import io
from typing import Any

import pytest
from sqlalchemy import update

from postroom.features.audit.store import audit_entries
from postroom.features.notifications.tables import notifications
from postroom.features.webhooks.tables import webhook_endpoints
from postroom.kit.crypto import Vault

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADMIN = "ada.admin@hackney.gov.uk"
SEALED = Vault("another secret of at least 32 characters").seal(b"{}", row="some", column="where")


@pytest.fixture(scope="module")
def chosen() -> dict[str, str]:
    return {"POSTROOM_ADMIN_GROUPS": "admins"}


async def spoil(office: Any, table: Any, where: Any, column: str) -> None:
    async with office.app.database.transaction() as conn:
        await conn.execute(update(table).where(where).values({column: SEALED}))


async def test_lists_single_answers_and_csv_say_which_it_is(office: Any) -> None:
    made = [await office.accepted(office.screen(targetId="spoilt")) for _ in range(3)]
    await spoil(office, notifications, notifications.c.id == made[1]["id"], "personal")

    listed = await office.get("/notifications?targetId=spoilt")
    one = await office.get(f"/notifications/{made[1]['id']}")
    counted = await office.get("/notifications/count?targetId=spoilt")
    exported = await office.get("/notifications?targetId=spoilt&format=csv")

    expected = [("Direct Debit failed", False), (None, True), ("Direct Debit failed", False)]
    assert [(each["message"], each["isUnreadable"]) for each in listed.body] == expected
    assert (one.status, one.body) == (200, listed.body[1])
    assert counted.body["count"] == 3
    rows = csv.DictReader(io.StringIO(exported.text))
    assert [(row["message"], row["isUnreadable"]) for row in rows] == [
        ("Direct Debit failed", "false"),
        ("", "true"),
        ("Direct Debit failed", "false"),
    ]


async def test_a_status_is_told_without_what_cannot_be_opened(office: Any) -> None:
    office.sandbox.fail("error", path="/v2/notifications")
    made = await office.accepted(office.email())
    await spoil(office, notifications, notifications.c.id == made["id"], "personal")

    told = await office.get(f"/message-status/demo/{made['id']}")
    office.sandbox.heal()

    assert (told.status, told.body["status"], told.body["emailAddress"]) == (200, "created", None)


async def test_an_audit_entry_names_nobody_instead_of_the_service(office: Any) -> None:
    made = await office.accepted(office.screen())
    token = office.token(ADMIN, groups=("admins",))
    await spoil(office, audit_entries, audit_entries.c.notification_id == made["id"], "personal")

    found = await office.get(f"/audit?notificationId={made['id']}", token=token)

    assert [(each["kind"], each["actor"], each["isUnreadable"]) for each in found.body] == [
        ("accepted", None, True)
    ]


async def test_services_are_listed_and_the_webhook_is_set_again(office: Any) -> None:
    url = "https://services.example/hook"
    token = office.token(ADMIN, groups=("admins",))
    await office.call("PUT", "/webhook", body={"url": url})
    await spoil(office, webhook_endpoints, webhook_endpoints.c.service_id == office.service_id, "sealed")

    listed = {each["name"]: each for each in (await office.get("/services", token=token)).body}
    shown = await office.get("/webhook")
    rotated = await office.call("POST", "/webhook/rotate")
    again = await office.call("PUT", "/webhook", body={"url": url})

    assert (listed["demo"]["hasWebhook"], listed["demo"]["webhookUrl"]) == (True, None)
    assert (shown.status, shown.body["url"], rotated.status) == (200, None, 409)
    assert (again.status, again.body["url"], bool(again.body["secret"])) == (201, url, True)
