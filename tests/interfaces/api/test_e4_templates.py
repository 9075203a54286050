"""E4: GET /templates/{service} and /templates/{service}/{templateId}."""

from typing import Any

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")

NO_ID = "00000000-0000-4000-8000-000000000000"


async def test_e4_lists_templates_with_what_each_needs(office: Any) -> None:
    answer = await office.get("/templates/demo")

    found = {each["name"]: each for each in answer.body}
    assert {name: (each["type"], each["placeholders"]) for name, each in found.items()} == {
        "An email": ("Email", ["name", "ref"]),
        "Email with file": ("Email", ["link_to_file"]),
        "No placeholders": ("Email", []),
        "Welcome": ("Email", []),
        "A text": ("Text", ["code", "name"]),
        "A letter": ("Letter", ["name"]),
    }
    assert found["A text"] == {
        "id": office.templates["text"],
        "name": "A text",
        "type": "Text",
        "version": 1,
        "subject": None,
        "body": "Hello ((name)), your code is ((code))",
        "placeholders": ["code", "name"],
    }


@pytest.mark.parametrize("service", ["demo", "{key}"])
async def test_e4_gives_one(service: str, office: Any) -> None:
    path = f"/templates/{service.format(key=office.sandbox.api_key)}"
    listed = (await office.get(path)).body
    for template in listed:
        assert (await office.get(f"{path}/{template['id'].upper()}")).body == template


async def test_e4_is_remembered_while_notify_is_away_and_refreshed_when_asked_to(
    office: Any, calm: None
) -> None:
    known = (await office.get("/templates/demo")).body
    office.sandbox.fail("down")

    assert (await office.get("/templates/demo")).body == known
    refreshed = await office.get("/templates/demo?refresh=true")

    assert (refreshed.status, refreshed.headers["Retry-After"]) == (503, "5")
    office.sandbox.heal()
    assert (await office.get("/templates/demo?refresh=TRUE")).body == known


@pytest.mark.parametrize(
    ("path", "status", "fields"),
    [
        ("/templates/nobody", 404, []),
        (f"/templates/demo/{NO_ID}", 404, []),
        ("/templates/other", 403, []),
        ("/templates/demo/x", 400, ["templateId"]),
        ("/templates/demo?refresh=maybe", 400, ["refresh"]),
        ("/templates/demo?fresh=true&other=1", 400, ["fresh", "other"]),
        (f"/templates/sample-{NO_ID}-{NO_ID}", 424, []),
    ],
)
async def test_e4_refuses(path: str, status: int, fields: list[str], office: Any) -> None:
    problem = await office.problem(status, "GET", path)

    assert sorted(error["field"] for error in problem.get("errors", [])) == fields


async def test_e4_is_for_services(office: Any) -> None:
    await office.problem(403, "GET", "/templates/demo", token=office.token())
    await office.problem(403, "GET", "/templates/demo", key=office.other_key)


async def test_e4_a_service_that_cannot_send_has_none(office: Any) -> None:
    assert (await office.get("/templates/other", key=office.other_key)).body == []
