"""The manager's register: as a page, and as CSV that no spreadsheet takes for a formula."""

import csv
import io
from typing import Any

import pytest

from tests.web.conftest import AMALA, JOE, MARY

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def made(office: Any, **others: Any) -> str:
    body = {"user": "group:finance", "requireAction": True, "message": "Text of it"} | others
    return str((await office.accepted(office.screen(**body)))["id"])


def rows(shown: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(shown.markup.removeprefix("\ufeff"))))


async def test_who_has_not_confirmed_stands_there_until_they_do(
    office: Any, amala: Any, joe: Any, mary: Any
) -> None:
    one = await made(office, reference="EST-1", targetType="Estimates")
    before = await mary.see("/register")
    assert "Estimates to approve, EST-1" in before.text
    assert "0 of 3 confirmed" in before.text
    assert "Text of it" not in before.markup
    await amala.fill(f"/inbox/{one}/act", on=f"/inbox/{one}", do="seen")

    assert "1 of 3 confirmed" in (await mary.see("/register")).text
    lines = rows(await mary.see("/register/csv"))
    assert lines[0][0] == "Notification"
    assert [line[5] for line in lines[1:] if line[0] == one] == [JOE, MARY]
    await amala.fill(f"/inbox/{one}/act", on=f"/inbox/{one}", do="approve", note="Fine")
    assert "EST-1" not in (await mary.see("/register")).text


async def test_it_is_for_managers(amala: Any, kofi: Any) -> None:
    for visitor in (amala, kofi):
        for path in ("/register", "/register/csv"):
            assert (await visitor.see(path)).status == 403


async def test_nothing_in_the_file_is_a_formula(office: Any, amala: Any, mary: Any) -> None:
    one = await made(office, user=AMALA, reference='=HYPERLINK("https://evil.example")')
    shown = await mary.see("/register/csv")

    assert shown.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in shown.headers["Content-Disposition"]
    (line,) = [line for line in rows(shown) if line[0] == one]
    assert line[2] == '\'=HYPERLINK("https://evil.example")'
