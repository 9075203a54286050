"""Who did what, when: for auditors and admins all of it, for a service its own."""

import csv
import io
from typing import Any

import pytest
import pytest_asyncio

from postroom.features.audit.seal import seal_entries

pytestmark = pytest.mark.asyncio(loop_scope="module")

OFFICER = "amala.officer@hackney.gov.uk"
COLUMNS = [
    "id",
    "at",
    "kind",
    "detail",
    "actor",
    "note",
    "ip",
    "notificationId",
    "service",
    "correlationId",
    "seal",
    "isUnreadable",
]


@pytest.fixture(scope="module")
def chosen() -> dict[str, str]:
    return {"POSTROOM_AUDITOR_GROUPS": "internal audit", "POSTROOM_DEVELOPER_GROUPS": "developers"}


@pytest.fixture
def auditor(office: Any) -> str:
    return str(office.token("olu.auditor@hackney.gov.uk", groups=("Internal Audit",)))


@pytest_asyncio.fixture(loop_scope="module")
async def approved(office: Any) -> Any:
    """Accepted, read and approved by an officer, over the API."""
    made = await office.accepted(
        office.screen(user=OFFICER, requireAction=True), headers={"x-correlation-id": "accepted-1"}
    )
    for body in ({"actionType": "IsRead"}, {"actionType": "Approved", "actionNote": "=HYPERLINK(1)"}):
        done = await office.patch(
            made["id"], body, token=office.token(OFFICER), headers={"x-correlation-id": "acted-1"}
        )
        assert done.status == 200
    return made


def told(items: list[Any]) -> list[tuple[Any, ...]]:
    return [(each["kind"], each["detail"], each["actor"], each["note"], each["ip"]) for each in items]


ALL = [
    ("action", "Approved", OFFICER, "=HYPERLINK(1)", "127.0.0.1"),
    ("action", "IsRead", OFFICER, None, "127.0.0.1"),
    ("accepted", None, "demo", None, None),
]


async def test_an_auditor_reads_who_did_what_when_and_from_where(
    office: Any, approved: Any, auditor: str
) -> None:
    await seal_entries(office.app.database, vault=office.app.vault, now=office.app.clock())

    items = (await office.get(f"/audit?notificationId={approved['id']}", token=auditor)).body

    assert told(items) == ALL
    assert list(items[0]) == COLUMNS
    assert [each["correlationId"] for each in items] == ["acted-1", "acted-1", "accepted-1"]
    assert [each["service"] for each in items] == ["demo"] * 3
    assert None not in [each["seal"] for each in items]


async def test_a_service_reads_its_own_but_not_who_has_read(office: Any, approved: Any) -> None:
    own = (await office.get(f"/audit?notificationId={approved['id']}")).body
    anothers = (await office.get(f"/audit?notificationId={approved['id']}", key=office.other_key)).body

    assert told(own) == [
        ("action", "Approved", OFFICER, "=HYPERLINK(1)", None),
        ("action", "IsRead", None, None, None),
        ("accepted", None, "demo", None, None),
    ]
    assert anothers == []
    assert {each["service"] for each in (await office.get("/audit?limit=200")).body} == {"demo"}


async def test_it_is_found_by_user_target_and_time(office: Any, auditor: str) -> None:
    made = await office.accepted(office.screen(targetId="T-audit", user="sue@hackney.gov.uk"))
    before = (await office.accepted(office.screen(targetId="T-audit")))["createdDate"]
    await office.patch(made["id"], {"actionType": "IsRead"}, token=office.token("sue@hackney.gov.uk"))

    async def ask(query: str) -> list[Any]:
        return [each[:3] for each in told((await office.get(f"/audit?{query}", token=auditor)).body)]

    read = ("action", "IsRead", "sue@hackney.gov.uk")
    accepted = ("accepted", None, "demo")
    assert await ask("user=Sue@hackney.gov.uk") == [read]
    assert await ask("targetId=T-audit") == [read, accepted, accepted]
    assert await ask("targetId=T-audit&kind=accepted") == [accepted, accepted]
    assert await ask(f"targetId=T-audit&from={before}") == [read, accepted]
    assert await ask(f"targetId=T-audit&to={before}") == [accepted]
    assert await ask("targetId=T-audit&service=other") == []
    assert await ask("targetId=T-audit&service=demo&limit=1") == [read]


async def test_what_was_removed_is_still_found_by_its_target(office: Any, auditor: str) -> None:
    made = await office.accepted(office.screen(targetId="T-removed"))
    assert (await office.delete(made["id"])).status == 204

    items = (await office.get("/audit?targetId=T-removed", token=auditor)).body

    assert [each["kind"] for each in items] == ["removed", "accepted"]


async def test_pages_are_linked(office: Any, approved: Any, auditor: str) -> None:
    path, kinds = f"/audit?notificationId={approved['id']}&limit=1", []
    while path:
        page = await office.get(path, token=auditor)
        kinds += [each["detail"] for each in page.body]
        path = page.headers.get("link", "").partition(">")[0].lstrip("<")

    assert kinds == ["Approved", "IsRead", None]


async def test_csv_opens_in_a_spreadsheet_without_doing_anything(
    office: Any, approved: Any, auditor: str
) -> None:
    answer = await office.get(f"/audit?notificationId={approved['id']}&format=csv", token=auditor)

    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert answer.headers["content-disposition"] == 'attachment; filename="audit.csv"'
    header, *rows = csv.reader(io.StringIO(answer.text, newline=""))
    assert header == COLUMNS
    assert [row[2:7] for row in rows] == [
        ["action", "Approved", OFFICER, "'=HYPERLINK(1)", "127.0.0.1"],
        ["action", "IsRead", OFFICER, "", "127.0.0.1"],
        ["accepted", "", "demo", "", ""],
    ]


@pytest.mark.parametrize("groups", [(), ("developers",)])
async def test_nobody_else_reads_it(office: Any, groups: tuple[str, ...]) -> None:
    problem = await office.problem(403, "GET", "/audit", token=office.token(groups=groups))

    assert problem["detail"] == "This needs one of the roles admin, auditor."


@pytest.mark.parametrize("service", ["other", "unknown"])
async def test_a_service_reads_no_others(office: Any, service: str) -> None:
    problem = await office.problem(403, "GET", f"/audit?service={service}")

    assert problem["detail"] == "Your service reads its own audit alone."


async def test_every_parameter_at_fault_is_named(office: Any, auditor: str) -> None:
    wrong = "notificationId=x&kind=y&from=z&to=z&limit=0&cursor=c&format=xml"
    answer = await office.get(f"/audit?{wrong}", token=auditor)

    assert (answer.status, sorted(answer.fields)) == (
        400,
        sorted(["notificationId", "kind", "from", "to", "limit", "cursor", "format"]),
    )
    assert (await office.get("/audit?colour=red", token=auditor)).fields == {
        "colour": "There is no such filter."
    }
    assert (await office.get("/audit?service=nobody", token=auditor)).fields == {
        "service": "There is no service of this name."
    }
    assert list((await office.get("/audit?user=sue@hackney.gov.uk")).fields) == ["user"]
