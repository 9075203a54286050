"""Services by API: registered, changed and switched off by admins, read by few, and no secret told twice."""

import asyncio
import io
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import select

from postroom.features.services.store import api_keys, credentials, services
from postroom.features.webhooks.tables import webhook_endpoints
from postroom.kit import log as logs
from tests.interfaces.api.conftest import check_problem

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADMINS, DEVELOPERS = "postroom admins", "postroom developers"
UUID = "9500a44b-8a7f-4fff-a3b8-45763f84874e"
ANOTHER = "c6a75cc9-1193-4d0e-8a7c-8a1f0e1c9f55"
SECRET_PART = "11111111-2222-4333-8444-555555555555"
NOTIFY_KEY = f"housing-live-26785a09-ab16-4eb0-8407-a37497a57506-{SECRET_PART}"
URL = "https://housing.example.gov.uk/postroom?token=hush"


@pytest.fixture(scope="module")
def chosen() -> dict[str, str]:
    return {"POSTROOM_ADMIN_GROUPS": ADMINS, "POSTROOM_DEVELOPER_GROUPS": DEVELOPERS}


@pytest.fixture
def admin(office: Any) -> str:
    token: str = office.token("ada@hackney.gov.uk", groups=(ADMINS,))
    return token


@pytest.fixture
def developer(office: Any) -> str:
    token: str = office.token("dev@hackney.gov.uk", groups=(DEVELOPERS,))
    return token


@pytest_asyncio.fixture(loop_scope="module")
async def log(office: Any) -> AsyncIterator[io.StringIO]:
    stream = io.StringIO()
    logs.configure(level="INFO", stream=stream)
    yield stream
    logs.configure(level="INFO", stream=io.StringIO())


def whole(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "owner": "Housing.Team@hackney.gov.uk",
        "environment": "staging",
        "notifyKey": NOTIFY_KEY,
        "notifyKeyType": "team",
        "webhookUrl": URL,
        "templateNames": {"staging": {"welcome": UUID}, "production": {"welcome": ANOTHER}},
        "limits": {"callsAMinute": 600, "notifyAMinute": None},
        "defaultGroup": "housing-officers",
        "prependName": True,
        "trustedParams": ["link"],
        "allowedLinkHosts": ["*.hackney.gov.uk"],
    }


async def registered(office: Any, admin: str, name: str, **others: Any) -> Any:
    answer = await office.call("POST", "/services", token=admin, body={"name": name} | others)
    assert answer.status == 201, answer.text
    return answer


async def kept(office: Any) -> dict[str, Any]:
    """All that was said of services; not how their webhooks' calls go, which are made meanwhile."""
    of_calls = {"failing_since", "off_at", "off_reason"}
    async with office.app.database.reading() as conn:
        return {
            table.name: [
                tuple(row)
                for row in await conn.execute(
                    select(*(column for column in table.c if column.name not in of_calls))
                )
            ]
            for table in (services, api_keys, credentials, webhook_endpoints)
        }


async def logged_paths(log: io.StringIO, *, last: str) -> list[str | None]:
    """The paths of the requests' lines, which are written a moment after their answers."""
    paths: list[str | None] = []
    end = time.monotonic() + 5
    while last not in paths:
        assert time.monotonic() < end, f"{last} is not logged, but {paths}"
        await asyncio.sleep(0.02)
        paths = [json.loads(line).get("path") for line in log.getvalue().splitlines()]
    return paths


async def test_a_service_is_registered_with_all_of_it_and_its_key_calls(
    office: Any, admin: str, log: io.StringIO
) -> None:
    answer = await registered(office, admin, **whole("housing"))
    made = answer.body
    key, token = made["apiKey"]["key"], made["receiptToken"]
    shown = await office.get("/services/housing", token=admin)

    assert answer.headers["Location"] == "/services/housing"
    assert made["service"] == {
        "name": "housing",
        "owner": "housing.team@hackney.gov.uk",
        "environment": "staging",
        "notifyKey": {"name": "housing-live", "type": "team"},
        "hasWebhook": True,
        "webhookUrl": URL,
        "webhookIsOn": True,
        "defaultGroup": "housing-officers",
        "prependName": True,
        "templateNames": {"staging": {"welcome": UUID}, "production": {"welcome": ANOTHER}},
        "limits": {"callsAMinute": 600},
        "trustedParams": ["link"],
        "allowedLinkHosts": ["*.hackney.gov.uk"],
        "isActive": True,
        "createdAt": made["service"]["createdAt"],
        "webhookSecret": made["service"]["webhookSecret"],
    }
    assert made["service"]["webhookSecret"].startswith("whsec_")
    assert made["apiKey"]["state"] == "valid"
    assert shown.body == made["service"] | {"webhookSecret": None}
    assert shown.headers["ETag"] == answer.headers["ETag"]
    posted = await office.post(office.screen(), key=key)
    assert (posted.status, posted.body["serviceKey"]) == (201, None)
    receipt = await office.call(
        "POST", "/receipts/govuk-notify", token=token, body={"id": UUID, "status": "delivered"}
    )
    assert receipt.status == 204
    paths = await logged_paths(log, last="/receipts/…")
    everything = log.getvalue() + repr(await kept(office))
    secrets = (SECRET_PART, key, token, "hush", "housing.team@")
    assert [secret for secret in secrets if secret in everything] == []
    assert paths.count("/services") == 1


async def test_the_template_names_of_its_environment_are_those_that_requests_use(
    office: Any, admin: str
) -> None:
    names = {"staging": {"hello": office.templates["email"]}, "production": {"hello": UUID}}
    made = (await registered(office, admin, "names", environment="staging", templateNames=names)).body
    key = {"notifyKey": office.sandbox.api_key}
    changed = await office.call("PATCH", "/services/names", token=admin, body=key)
    assert changed.status == 200, changed.text
    email = office.email(serviceKey="names", templateId="hello")

    posted = await office.accepted(email, key=made["apiKey"]["key"])
    assert posted["templateId"] == office.templates["email"]
    await office.call("PATCH", "/services/names", token=admin, body={"environment": "production"})
    swapped = (await office.get("/services/names", token=admin)).body
    assert (swapped["environment"], swapped["templateNames"]) == ("production", names)


async def test_every_fault_is_named_at_once_and_nothing_is_kept(office: Any, admin: str) -> None:
    before = await kept(office)
    answer = await office.call(
        "POST",
        "/services",
        token=admin,
        body={
            "name": "Not A Name",
            "owner": "nobody",
            "environment": "Production!",
            "notifyKey": "x",
            "notifyKeyType": "dead",
            "webhookUrl": "ftp://example.com",
            "defaultGroup": "",
            "prependName": "yes",
            "templateNames": {"staging": {"welcome": "no-id"}},
            "limits": {"callsAMinute": 0, "texts": 1, "notifyAMinute": True},
            "trustedParams": [""],
            "allowedLinkHosts": ["localhost"],
            "colour": "green",
        },
    )
    check_problem(answer, 400)
    assert set(answer.fields) == {
        "name",
        "owner",
        "environment",
        "notifyKey",
        "notifyKeyType",
        "webhookUrl",
        "defaultGroup",
        "prependName",
        "templateNames.staging.welcome",
        "limits.callsAMinute",
        "limits.texts",
        "limits.notifyAMinute",
        "trustedParams",
        "allowedLinkHosts",
        "colour",
    }
    assert await kept(office) == before
    check_problem(await office.call("POST", "/services", token=admin, body={}), 400)
    check_problem(await office.call("POST", "/services", token=admin, body={"name": "demo"}), 409)
    assert await kept(office) == before


async def test_changes_stay_within_what_is_sent_and_null_takes_away(office: Any, admin: str) -> None:
    before = (await registered(office, admin, **whole("changing"))).body["service"]
    answer = await office.call(
        "PATCH",
        "/services/changing",
        token=admin,
        body={"owner": None, "notifyKey": None, "webhookUrl": None, "limits": {}, "isActive": True},
    )
    assert answer.status == 200, answer.text
    gone = {"owner": None, "notifyKey": None, "hasWebhook": False, "webhookUrl": None, "webhookIsOn": False}
    assert answer.body == before | gone | {"limits": {}, "webhookSecret": None}
    again = await office.call("PATCH", "/services/changing", token=admin, body={"webhookUrl": URL})
    assert again.body["webhookSecret"].startswith("whsec_")
    assert again.body["webhookSecret"] != before["webhookSecret"]


async def test_a_stale_version_is_412_and_changes_nothing(office: Any, admin: str) -> None:
    etag = (await registered(office, admin, "stale")).headers["ETag"]
    match = {"If-Match": etag}

    async def change(**body: Any) -> Any:
        return await office.call("PATCH", "/services/stale", token=admin, body=body, headers=match)

    first = await change(webhookUrl=URL)
    check_problem(await change(owner="joe@hackney.gov.uk"), 412)
    check_problem(await change(owner="nobody"), 400)
    now = await office.get("/services/stale", token=admin)
    assert (first.status, now.headers["ETag"], now.body["owner"]) == (200, first.headers["ETag"], None)
    match["If-Match"] = first.headers["ETag"]
    assert (await change(owner="joe@hackney.gov.uk")).status == 200


async def test_a_wrong_change_names_all_of_it(office: Any, admin: str) -> None:
    await registered(office, admin, "wrong")
    before = await kept(office)
    answer = await office.call(
        "PATCH",
        "/services/wrong",
        token=admin,
        body={"name": "x", "environment": None, "notifyKeyType": "live", "webhookUrl": "x", "limits": []},
    )
    check_problem(answer, 400)
    assert set(answer.fields) == {"name", "environment", "notifyKeyType", "webhookUrl", "limits"}
    assert await kept(office) == before


async def test_a_service_that_is_switched_off_calls_no_more_until_it_is_on_again(
    office: Any, admin: str
) -> None:
    key = (await registered(office, admin, "resting")).body["apiKey"]["key"]

    async def switch(on: bool) -> None:
        body = {"isActive": on}
        done = await office.call("PATCH", "/services/resting", token=admin, body=body)
        assert (done.status, done.body["isActive"]) == (200, on)
        # As a process that has not seen the key in the last seconds.
        office.app.directory._known_keys.clear()

    await switch(False)
    check_problem(await office.get("/notifications", key=key), 401)
    await switch(True)
    assert (await office.get("/notifications", key=key)).status == 200


async def test_who_may_do_what(office: Any, admin: str, developer: str) -> None:
    made = (await registered(office, admin, "rights", webhookUrl=URL)).body
    own, key_id = made["apiKey"]["key"], made["apiKey"]["id"]
    nobody = office.token("sam@hackney.gov.uk")
    reading = ("/services", "/services/rights", "/services/rights/keys")
    writing = (
        ("POST", "/services", {"name": "more"}),
        ("PATCH", "/services/rights", {"owner": None}),
        ("POST", "/services/rights/receipt-token", {}),
        ("POST", "/services/rights/keys", {}),
        ("POST", f"/services/rights/keys/{key_id}/rotate", {}),
        ("DELETE", f"/services/rights/keys/{key_id}", None),
    )
    assert (await office.get("/services", key=own)).status == 200
    before = await kept(office)
    for path in reading:
        assert (await office.get(path, token=developer)).status == 200
        check_problem(await office.get(path, token=nobody), 403)
        assert (await office.get(path, key=own)).status == 200
    for method, path, body in writing:
        for how in ({"token": developer}, {"token": nobody}, {"key": own}):
            await office.problem(403, method, path, body=body, **how)
    assert await kept(office) == before

    [itself] = (await office.get("/services", key=own)).body
    assert (itself["name"], itself["webhookUrl"]) == ("rights", URL)
    seen = (await office.get("/services/rights", token=developer)).body
    assert (seen["hasWebhook"], seen["webhookUrl"]) == (True, None)
    names = [each["name"] for each in (await office.get("/services", token=developer)).body]
    assert names == sorted(names)
    assert {"rights", "demo", "other"} <= set(names)


async def test_to_a_service_another_is_as_one_that_is_not_there(office: Any) -> None:
    for path in ("/services/{name}", "/services/{name}/keys"):
        answers = [
            (await office.get(path.format(name=name), key=office.other_key)).body
            for name in ("demo", "not-there", "Not%20A%20Name")
        ]
        told = [{**answer, "correlationId": None} for answer in answers]
        assert [answer["status"] for answer in told] == [404] * 3
        assert told[0] == told[1] == told[2]


async def test_keys_are_issued_rotated_and_revoked_and_never_shown_again(office: Any, admin: str) -> None:
    await registered(office, admin, "keys")

    async def call(method: str, path: str, body: Any = None) -> Any:
        return await office.call(method, f"/services/keys/keys{path}", token=admin, body=body)

    issued = await call(
        "POST",
        "",
        {"name": "reader", "scopes": ["notifications:read"], "expiresAt": "2100-01-01T00:00:00Z"},
    )
    rotated = await call("POST", f"/{issued.body['id']}/rotate", {"oldExpiresAt": "2099-01-01T00:00:00Z"})
    assert (issued.status, rotated.status) == (201, 201)
    for answer in (issued, rotated):
        assert (await office.get("/notifications", key=answer.body["key"])).status == 200
        check_problem(await office.post(office.screen(), key=answer.body["key"]), 403)
    assert (await call("DELETE", f"/{issued.body['id']}")).status == 204
    office.app.directory._known_keys.clear()
    check_problem(await office.get("/notifications", key=issued.body["key"]), 401)
    check_problem(await call("POST", f"/{issued.body['id']}/rotate", {}), 409)
    listed = (await call("GET", "")).body
    told = [(each["name"], each["state"], each["expiresAt"], each["key"]) for each in listed]
    assert told[:2] == [
        ("first", "valid", None, None),
        ("reader", "revoked", "2099-01-01T00:00:00Z", None),
    ]
    assert told[2][:2] == ("reader", "valid")


async def test_a_key_that_cannot_be_is_refused_with_every_field(office: Any, admin: str) -> None:
    made = await registered(office, admin, "no-keys")
    before = await kept(office)
    path = "/services/no-keys/keys"
    wrong = {"name": "", "scopes": ["all"], "expiresAt": "2020-01-01", "colour": "green"}
    answer = await office.call("POST", path, token=admin, body=wrong)
    check_problem(answer, 400)
    assert set(answer.fields) == set(wrong)
    turned = await office.call(
        "POST",
        f"{path}/{made.body['apiKey']['id']}/rotate",
        token=admin,
        body={"expiresAt": "never", "oldExpiresAt": "2020-01-01"},
    )
    check_problem(turned, 400)
    assert set(turned.fields) == {"expiresAt", "oldExpiresAt"}
    for method, place in (("DELETE", f"{path}/{UUID}"), ("POST", f"{path}/{UUID}/rotate")):
        check_problem(await office.call(method, place, token=admin), 404)
        check_problem(await office.call(method, place.replace(UUID, "x"), token=admin), 400)
    assert await kept(office) == before


async def test_a_new_receipt_token_takes_the_place_of_the_former(office: Any, admin: str) -> None:
    former = (await registered(office, admin, "receipts")).body["receiptToken"]
    new = await office.call("POST", "/services/receipts/receipt-token", token=admin)
    receipt = {"id": UUID, "status": "delivered"}

    async def status(token: str) -> int:
        answer = await office.call("POST", "/receipts/govuk-notify", token=token, body=receipt)
        return int(answer.status)

    assert [await status(token) for token in (new.body["receiptToken"], former)] == [204, 403]
