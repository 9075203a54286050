"""The list of notifications as a CSV: all of it, for whom the list is, and no formula in it."""

import csv
import io
from typing import Any

import pytest

from postroom.interfaces.api.export import COLUMNS
from tests.interfaces.api.conftest import check_problem

pytestmark = pytest.mark.asyncio(loop_scope="module")

AUDITORS = "internal audit"
OF_MANY = 450


@pytest.fixture(scope="module")
def chosen() -> dict[str, str]:
    return {"POSTROOM_AUDITOR_GROUPS": AUDITORS}


def rows_of(answer: Any) -> list[dict[str, str]]:
    assert answer.status == 200, answer.text
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
    assert "attachment" in answer.headers["Content-Disposition"]
    reader = csv.DictReader(io.StringIO(answer.text, newline=""))
    assert tuple(reader.fieldnames or ()) == COLUMNS
    return list(reader)


async def test_it_holds_every_page_in_the_order_of_the_list(office: Any) -> None:
    many = [office.screen(targetId="many", message=f"{number}") for number in range(OF_MANY)]
    sent = await office.call("POST", "/notifications/bulk", body=many)
    assert {each["status"] for each in sent.body} == {201}
    await office.accepted(office.screen(targetId="another"))

    rows = rows_of(await office.get("/notifications?targetId=many&format=csv"))
    by_header = await office.get("/notifications?targetId=many", headers={"Accept": "text/csv"})
    listed, path = [], "/notifications?targetId=many&limit=200"
    while path:
        page = await office.get(path)
        listed += [each["id"] for each in page.body]
        link = page.headers.get("Link", "")
        path = link[1 : link.index(">")] if link else ""
    assert [row["id"] for row in rows] == listed
    assert len(listed) == OF_MANY
    assert rows_of(by_header) == rows
    assert "serviceKey" not in COLUMNS


async def test_a_cell_says_what_the_list_says_and_is_no_formula(office: Any) -> None:
    values = {"name": "Joe", "ref": "=HYPERLINK(1)"}
    made = await office.accepted(office.email(reference='=cmd|" /C calc"!A0', personalisationParams=values))
    await office.accepted(office.screen(targetId="formula", message='+44 20 7946 0958\n, "quoted"'))
    await office.ended(made["id"])

    [email] = [
        row for row in rows_of(await office.get("/notifications?format=csv")) if row["id"] == made["id"]
    ]
    assert email["reference"] == "'" + made["reference"]
    assert email["deliveries"] == "Email delivered"
    assert email["personalisationParams"] == '{"name": "Joe", "ref": "=HYPERLINK(1)"}'
    assert (email["email"], email["requireAction"], email["user"]) == ("joe@example.com", "false", "")
    [screen] = rows_of(await office.get("/notifications?targetId=formula&format=csv"))
    assert screen["message"] == '\'+44 20 7946 0958\n, "quoted"'


async def test_it_is_masked_and_kept_apart_as_the_list_is(office: Any) -> None:
    made = await office.accepted(office.email(reference="masked"))
    auditor = office.token("sam@hackney.gov.uk", groups=(AUDITORS,))
    path = "/notifications?service=demo&reference=masked&format=csv"

    [row] = rows_of(await office.get(path, token=auditor))
    [listed] = (await office.get(path.replace("&format=csv", ""), token=auditor)).body
    assert (row["id"], row["email"]) == (made["id"], listed["email"])
    assert "joe" not in row["email"]
    assert rows_of(await office.get("/notifications?format=csv", key=office.other_key)) == []
    assert rows_of(await office.get("/notifications?format=csv", token=office.token("x@y.uk"))) == []
    check_problem(await office.get("/notifications?service=demo&format=csv", key=office.other_key), 403)
    check_problem(await office.get("/notifications?format=csv", anonymous=True), 401)


async def test_what_is_wrong_is_told_at_once_as_a_problem(office: Any) -> None:
    wrong = await office.get("/notifications?format=csv&limit=5&cursor=x&targetTyp=y&isReadStatus=maybe")
    check_problem(wrong, 400)
    assert set(wrong.fields) == {"limit", "cursor", "targetTyp"}
    flag = await office.get("/notifications?format=csv&limit=5&isReadStatus=maybe")
    check_problem(flag, 400)
    assert set(flag.fields) == {"limit", "isReadStatus"}
    check_problem(await office.get("/notifications?format=xml"), 400)
    assert (await office.get("/notifications?format=json", headers={"Accept": "text/csv"})).body
