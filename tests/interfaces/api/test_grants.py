"""What one service may read of another's, over the API."""

from typing import Any

import pytest
import pytest_asyncio

from postroom.features.limits import FAR_ABOVE
from postroom.features.services import grant

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def readers(office: Any) -> dict[str, str]:
    """The API keys of two services that may read those of `demo`, and of one that may not."""
    names = {"masked": False, "full": True}
    keys = {name: await office.register(name, FAR_ABOVE) for name in (*names, "stranger")}
    for name, with_personal_data in names.items():
        reader = await office.app.directory.by_name(name)
        async with office.app.database.transaction() as conn:
            await grant(
                conn,
                reader_id=reader.id,
                owner_id=office.service_id,
                with_personal_data=with_personal_data,
                now=office.app.clock(),
            )
    return keys


async def test_it_is_listed_counted_and_read_where_it_is_asked_for(
    office: Any, readers: dict[str, str]
) -> None:
    made = await office.accepted(office.text(reference="granted"))
    key = readers["masked"]
    narrowed = "service=demo&reference=granted"

    assert (await office.get("/notifications", key=key)).body == []
    assert (await office.get("/notifications/count", key=key)).body["count"] == 0
    [listed] = (await office.get(f"/notifications?{narrowed}", key=key)).body
    [among_all] = (await office.get("/notifications?service=All&reference=granted", key=key)).body
    counted = (await office.get(f"/notifications/count?{narrowed}", key=key)).body
    one = (await office.get(f"/notifications/{made['id']}", key=key)).body
    full = (await office.get(f"/notifications/{made['id']}", key=readers["full"])).body

    assert [each["id"] for each in (listed, among_all, one, full)] == [made["id"]] * 4
    assert counted["count"] == 1
    assert {each["mobileNumber"] for each in (listed, among_all, one)} == {"07•••••456"}
    assert (full["mobileNumber"], full["personalisationParams"]) == (
        made["mobileNumber"],
        made["personalisationParams"],
    )


async def test_it_is_read_alone(office: Any, readers: dict[str, str]) -> None:
    made = await office.accepted(office.screen())
    for key in (readers["masked"], readers["full"]):
        path = f"/notifications/{made['id']}"
        await office.problem(403, "PATCH", path, key=key, body={"actionType": "IsRead"})
        await office.problem(403, "DELETE", path, key=key)

    assert (await office.get(f"/notifications/{made['id']}")).body["isReadStatus"] is False


async def test_the_status_of_its_message_is_masked_too(office: Any, readers: dict[str, str]) -> None:
    made = await office.accepted(office.text())
    await office.ended(made["id"])
    path = f"/message-status/demo/{made['id']}"

    own = (await office.get(path)).body
    masked = (await office.get(path, key=readers["masked"])).body
    assert (masked["phoneNumber"], masked["body"]) == ("07•••••456", "•••••")
    assert (await office.get(path, key=readers["full"])).body == own
    for name, value in masked.items():
        assert value == own[name] or name in ("phoneNumber", "body", "subject", "createdByName"), name
    await office.problem(403, "GET", path, key=readers["stranger"])


async def test_without_a_grant_nothing_is_told(office: Any, readers: dict[str, str]) -> None:
    made = await office.accepted(office.screen())
    key = readers["stranger"]

    await office.problem(404, "GET", f"/notifications/{made['id']}", key=key)
    assert (await office.get("/notifications?service=All", key=key)).body == []
    told = [
        (await office.problem(403, "GET", f"/notifications?service={name}", key=key))["detail"]
        for name in ("demo", "nobody", "other")
    ]
    assert len(set(told)) == 1
