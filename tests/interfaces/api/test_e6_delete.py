"""E6 and `isRemovable`: DELETE /notifications/{id}."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from postroom.features.audit.store import audit_entries
from postroom.features.notifications.tables import deliveries

pytestmark = pytest.mark.asyncio(loop_scope="module")

AMALA, JOE = "amala.officer@hackney.gov.uk", "joe.officer@hackney.gov.uk"


async def kinds_of_audit(office: Any, notification_id: str) -> list[str]:
    async with office.app.database.reading() as conn:
        found = await conn.scalars(
            select(audit_entries.c.kind)
            .where(audit_entries.c.notification_id == notification_id)
            .order_by(audit_entries.c.id)
        )
        return list(found)


async def test_e6_is_204_hides_it_at_once_and_a_second_is_404_while_the_audit_stays(office: Any) -> None:
    item = await office.accepted(office.screen(targetId="e6-gone"))
    path = f"/notifications/{item['id']}"

    answer = await office.delete(item["id"])

    assert (answer.status, answer.text) == (204, "")
    assert (await office.get("/notifications?targetId=e6-gone")).body == []
    await office.problem(404, "GET", path)
    await office.problem(404, "DELETE", path)
    await office.problem(404, "PATCH", path, body={"actionType": "IsRead"})
    assert await kinds_of_audit(office, item["id"]) == ["accepted", "removed"]


@pytest.mark.parametrize("require_action", [True, False])
@pytest.mark.parametrize("action", [None, "IsRead", "Initiated", "Approved", "Rejected", "Validate"])
async def test_e6_is_removable_says_whether_delete_would_succeed_now(
    require_action: bool, action: str | None, office: Any
) -> None:
    made = (await office.accepted(office.screen(requireAction=require_action)))["id"]
    if action is not None:
        await office.patch(made, {"actionType": action, "actionNote": "Looked at"})
    removable = (await office.get(f"/notifications/{made}")).body["isRemovable"]

    answer = await office.delete(made)

    settled = action in ("Approved", "Rejected", "Validate")
    assert removable is (settled or not require_action)
    assert answer.status == (204 if removable else 409)
    assert (await office.get(f"/notifications/{made}")).status == (404 if removable else 200)


async def test_e6_cancels_what_nobody_has_begun_to_send(office: Any, calm: None) -> None:
    office.sandbox.fail("limited", path="/v2/notifications", method="POST")
    item = await office.accepted(office.email(email="taken.back@example.com"))
    [delivery] = item["deliveries"]
    await postpone(office, delivery["id"])

    answer = await office.delete(item["id"])

    office.sandbox.heal()
    async with office.app.database.reading() as conn:
        row = (await conn.execute(select(deliveries).where(deliveries.c.id == delivery["id"]))).one()
    assert (answer.status, row.status, row.due_at) == (204, "cancelled", None)
    assert office.sandbox.sent(to="taken.back@example.com") == []


async def postpone(office: Any, delivery_id: str) -> None:
    """Have its next try wait for an hour, as after many failures; between two tries, when it is let go."""
    later = office.app.clock() + timedelta(hours=1)
    at_rest = (deliveries.c.id == delivery_id, deliveries.c.attempts > 0, deliveries.c.lease_until.is_(None))
    for _ in range(500):
        async with office.app.database.transaction() as conn:
            done = await conn.execute(update(deliveries).where(*at_rest).values(due_at=later))
        if done.rowcount == 1:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it was never at rest")


async def test_e6_what_is_sent_is_not_recalled_and_its_receipt_still_counts(office: Any) -> None:
    item = await office.ended((await office.accepted(office.email()))["id"])
    [delivery] = item["deliveries"]

    await office.delete(item["id"])

    status = (await office.get(f"/message-status/demo/{delivery['id']}")).body["status"]
    assert status == "delivered"


async def test_e6_an_officer_removes_a_groups_item_from_their_own_view_alone(office: Any) -> None:
    item = await office.accepted(office.screen(user="group:demo-officers"))
    path = f"/notifications/{item['id']}"
    amala, joe = ({"token": office.token(each, groups=("demo-officers",))} for each in (AMALA, JOE))

    answer = await office.delete(item["id"], **amala)

    assert answer.status == 204
    assert (await office.get(path, **amala)).status == 404
    assert ((await office.get(path, **joe)).status, (await office.get(path)).status) == (200, 200)
    assert (await office.delete(item["id"], **amala)).status == 404


async def test_e6_an_officer_removes_their_own_for_all(office: Any) -> None:
    item = await office.accepted(office.screen(user=AMALA))

    answer = await office.delete(item["id"], token=office.token(AMALA))

    assert answer.status == 204
    await office.problem(404, "GET", f"/notifications/{item['id']}")
