"""What leaves nothing to do: decided by another, ended, put away. And the way back to the list."""

from datetime import timedelta
from typing import Any

import pytest

from tests.web.conftest import AMALA, JOE, ROLES, allow_links

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def chosen() -> dict[str, str]:
    return ROLES | {"POSTROOM_OVERDUE_AFTER_DAYS": "0"}


async def made(office: Any, **others: Any) -> str:
    body = {"user": AMALA, "targetType": "Estimates", "message": "Estimates for block 12"} | others
    return str((await office.accepted(office.screen(**body)))["id"])


def part_about(one: str, shown: Any) -> str:
    """What a list says of one notification."""
    return str(shown.markup.split(f"/inbox/{one}")[1].split("</li>")[0])


async def test_what_another_decided_is_said_in_the_list_and_on_its_page(
    office: Any, amala: Any, joe: Any
) -> None:
    one = await made(office, user="group:finance", requireAction=True)
    assert "Overdue" in part_about(one, await joe.see("/inbox"))
    await amala.fill(f"/inbox/{one}/act", on=f"/inbox/{one}", do="approve", note="Fine")

    listed = part_about(one, await joe.see("/inbox"))
    assert f"Approved by {AMALA} at " in listed
    assert "Overdue" not in listed
    page = await joe.see(f"/inbox/{one}")
    assert f"Approved by {AMALA} at " in page.text
    assert "Your decision" not in page.text
    assert "Approved by you at " in (await amala.see(f"/inbox/{one}")).text


async def test_what_was_replaced_leads_to_the_later_one(office: Any, amala: Any) -> None:
    first, second = [
        await made(office, threadKey="lift-4", requireAction=True, message=f"Number {n}") for n in (1, 2)
    ]
    shown = await amala.see(f"/inbox/{first}")

    assert "A later notification has taken the place of this one" in shown.text
    assert f'href="/inbox/{second}"' in shown.markup
    assert "<form" not in shown.markup.split("<main")[1]
    late = await amala.fill(f"/inbox/{first}/act", on="/inbox", do="approve", note="Fine")
    assert late.status == 409
    assert "A later notification has taken the place of this one." in late.text


async def test_what_has_expired_asks_for_nothing(office: Any, amala: Any) -> None:
    soon = (office.app.clock() + timedelta(seconds=1)).isoformat()
    one = await made(office, expiresAt=soon, requireAction=True)
    assert "On lists until" in (await amala.see(f"/inbox/{one}")).text
    await office.until(one, lambda item: item["endedAt"] is not None)
    shown = await amala.see(f"/inbox/{one}")

    assert "This has expired" in shown.text
    assert "Needs action" not in shown.text
    assert "<form" not in shown.markup.split("<main")[1]


@pytest.mark.parametrize("is_read", [True, False], ids=["read", "unread"])
async def test_what_is_archived_comes_back(office: Any, amala: Any, is_read: bool) -> None:
    one = await made(office)
    if is_read:
        await amala.fill(f"/inbox/{one}/act", on=f"/inbox/{one}", do="read")
    await amala.fill(f"/inbox/{one}/act", on=f"/inbox/{one}", do="archive")
    assert f"/inbox/{one}" not in (await amala.see("/inbox")).markup
    page = await amala.see(f"/inbox/{one}")
    assert "Move back to my list" in page.text
    shown = await amala.fill(f"/inbox/{one}/act", on=f"/inbox/{one}", do="back", etag=page.value("etag"))

    assert "It is on your list again" in shown.text
    assert "Unread" in part_about(one, await amala.see("/inbox"))


async def test_one_comes_back_to_the_list_as_it_was_chosen(office: Any, amala: Any) -> None:
    one = await made(office, requireAction=True)
    listed = await amala.see("/inbox?show=action&type=Estimates")
    assert f'href="/inbox/{one}?show=action&amp;type=Estimates"' in listed.markup
    here = f"/inbox/{one}?show=action&type=Estimates"
    page = await amala.see(here)
    back = 'href="/inbox?show=action&amp;type=Estimates" class="govuk-back-link"'
    assert back in page.markup
    kept = {"show": page.value("show"), "type": page.value("type"), "etag": page.value("etag")}

    faulty = await amala.fill(f"/inbox/{one}/act", on=here, do="approve", **kept)
    assert (faulty.status, back in faulty.markup) == (400, True)
    done = await amala.fill(f"/inbox/{one}/act", on=here, do="approve", note="Fine", **kept)
    assert (done.status, back in done.markup) == (200, True)
    removed = await amala.fill(f"/inbox/{one}/remove", on=here, show="action", type="Estimates")
    assert 'value="action" selected' in removed.markup


@pytest.mark.parametrize(
    "query", ["show=<b>&type=%22%3E%3Cscript%3E&before=x", "before=../../etc", "type=%00%ff"], ids=str
)
async def test_nothing_in_an_address_becomes_part_of_the_page(office: Any, amala: Any, query: str) -> None:
    one = await made(office)
    for path in ("/inbox", f"/inbox/{one}"):
        shown = await amala.see(f"{path}?{query}")
        assert shown.status == 200
        assert "<script>" not in shown.markup
        assert "etc" not in shown.markup


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Purpose": "prefetch"}, {"User-Agent": "Slackbot-LinkExpanding 1.0"}],
    ids=["prefetching", "a preview"],
)
async def test_what_looks_ahead_takes_nothing_up(office: Any, amala: Any, headers: dict[str, str]) -> None:
    await allow_links(office, "forms.hackney.gov.uk")
    action = {"label": "Fill it in", "url": "https://forms.hackney.gov.uk/a", "kind": "form"}
    one = await made(office, followOnAction=action)
    led = await amala.see(f"/inbox/{one}/follow", follow=False, headers=headers)

    assert led.status == 303
    assert (await office.get(f"/notifications/{one}")).body["performedActionType"] is None


async def test_how_much_there_is_stands_at_the_top(office: Any, visitors: Any) -> None:
    sue = visitors()
    sue.token = office.token("sue@hackney.gov.uk")
    await sue.sign_in()
    assert "There is nothing for you." in (await sue.see("/inbox")).text
    ones = [await made(office, user="sue@hackney.gov.uk", requireAction=n == 0) for n in range(3)]
    assert "3 on your list: 3 unread, 1 needs action." in (await sue.see("/inbox")).text
    for one in ones:
        await sue.fill(f"/inbox/{one}/act", on=f"/inbox/{one}", do="read")
    assert "3 on your list: all read, 1 needs action." in (await sue.see("/inbox")).text
    assert JOE not in (await sue.see("/inbox")).text
