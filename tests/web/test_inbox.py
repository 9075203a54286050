"""An officer's list and what they do about a notification, form by form."""

from typing import Any

import pytest

from tests.web.conftest import AMALA, JOE

pytestmark = pytest.mark.asyncio(loop_scope="module")

ATTACK = '<script>alert(1)</script> & "it\'s"'


async def made(office: Any, **others: Any) -> str:
    body = {"user": AMALA, "targetType": "Estimates", "message": "Estimates for block 12"} | others
    return str((await office.accepted(office.screen(**body)))["id"])


async def test_what_is_for_her_is_listed_and_nothing_else(office: Any, amala: Any) -> None:
    await made(office, message="For Amala herself")
    await made(office, user="group:finance", message="For finance")
    await made(office, user="group:repairs", message="For repairs")
    shown = await amala.see("/inbox")

    assert "Estimates to approve: For Amala herself" in shown.text
    assert "Estimates to approve: For finance" in shown.text
    assert "for the group finance" in shown.text
    assert "For repairs" not in shown.text


async def test_filters_narrow_the_list(office: Any, amala: Any) -> None:
    unread = await made(office, targetType="Tenure", message="An unread one")
    read = await made(office, targetType="Tenure", message="A read one")
    waiting = await made(office, targetType="Asset", message="A waiting one", requireAction=True)
    await office.patch(read, {"actionType": "IsRead"}, token=amala.token)

    async def listed(query: str) -> set[str]:
        shown = await amala.see(f"/inbox?{query}")
        return {each for each in (unread, read, waiting) if f"/inbox/{each}" in shown.markup}

    assert await listed("") == {unread, read, waiting}
    assert await listed("show=unread") == {unread, waiting}
    assert await listed("show=action") == {waiting}
    assert await listed("type=Tenure") == {unread, read}
    assert await listed("type=Tenure&show=action") == set()
    await office.patch(waiting, {"actionType": "Validate"}, token=amala.token)
    assert await listed("show=action") == set()


async def test_pages_follow_one_another_without_a_gap(office: Any, visitors: Any) -> None:
    sam = visitors()
    sam.token = office.token("sam@hackney.gov.uk")
    await sam.sign_in()
    ids = [await made(office, user="sam@hackney.gov.uk", message=f"Number {n}") for n in range(60)]
    seen, path, pages = [], "/inbox", 0
    while path:
        shown = await sam.see(path)
        pages += 1
        seen += [each for each in reversed(ids) if f"/inbox/{each}" in shown.markup]
        path = ""
        if 'rel="next"' in shown.markup:
            path = (
                shown.markup.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
            )

    assert (pages, seen) == (3, ids[::-1])
    assert "60 unread" in (await sam.see("/inbox")).text


async def test_reading_counts_the_badge_down_and_back(office: Any, amala: Any) -> None:
    one = await made(office)

    async def badge() -> int:
        text = (await amala.see("/inbox")).text
        return int(text.split(" unread")[0].rsplit(" ", 1)[1])

    before = await badge()
    shown = await amala.fill(f"/inbox/{one}/act", on=f"/inbox/{one}", do="read")
    assert "Marked as read" in shown.text
    assert await badge() == before - 1
    await amala.fill(f"/inbox/{one}/act", on=f"/inbox/{one}", do="unread")
    assert await badge() == before


async def test_having_seen_it_is_in_the_audit(office: Any, amala: Any, joe: Any) -> None:
    one = await made(office, user="group:finance", requireAction=True)
    shown = await amala.fill(f"/inbox/{one}/act", on=f"/inbox/{one}", do="seen")

    assert "You have confirmed that you have seen it" in shown.text
    theirs = await joe.see(f"/inbox/{one}")
    assert f"Read. by {AMALA}" in theirs.text
    assert "I have seen it" in theirs.text


@pytest.mark.parametrize("do", ["approve", "reject"])
async def test_a_decision_without_a_note_is_asked_for_one(office: Any, amala: Any, do: str) -> None:
    one = await made(office, requireAction=True)
    shown = await amala.fill(f"/inbox/{one}/act", on=f"/inbox/{one}", do=do, note="   ")

    assert shown.status == 400
    assert set(shown.faults) == {"note"}
    assert 'aria-describedby="note-hint note-error' in shown.markup
    assert "<title>Error: " in shown.markup
    item = (await office.get(f"/notifications/{one}")).body
    assert item["performedActionType"] is None


DECISIONS = {
    "approve": ("Approved", "All is well"),
    "reject": ("Rejected", "Not this year"),
    "validate": ("Validate", ""),
    "take": ("Initiated", ""),
}


@pytest.mark.parametrize(("do", "kept"), DECISIONS.items(), ids=DECISIONS)
async def test_a_decision_is_kept_with_who_made_it(
    office: Any, amala: Any, do: str, kept: tuple[str, str]
) -> None:
    action, note = kept
    one = await made(office, requireAction=True)
    page = await amala.see(f"/inbox/{one}")
    shown = await amala.fill(
        f"/inbox/{one}/act", on=f"/inbox/{one}", do=do, note=note, etag=page.value("etag")
    )

    assert shown.status == 200
    item = (await office.get(f"/notifications/{one}")).body
    assert (item["performedActionType"], item["performedActionDoneBy"], item["actionNote"]) == (
        action,
        AMALA,
        note or None,
    )
    assert ("Your decision" in shown.text) is (do == "take")


async def test_who_acts_on_what_has_changed_is_shown_how_it_stands(office: Any, amala: Any, joe: Any) -> None:
    one = await made(office, user="group:finance", requireAction=True)
    etag = (await joe.see(f"/inbox/{one}")).value("etag")
    await amala.fill(f"/inbox/{one}/act", on=f"/inbox/{one}", do="take")
    stale = await joe.fill(
        f"/inbox/{one}/act", on=f"/inbox/{one}", do="approve", note="My long note", etag=etag
    )

    assert stale.status == 412
    assert stale.faults == {
        "main-content": "Somebody changed this since you opened it. Look at how it stands now, then decide."
    }
    assert ">My long note</textarea>" in stale.markup
    assert f"Taken up by {AMALA}" in stale.text


async def test_who_is_too_late_is_told_who_was_there_before(office: Any, amala: Any, joe: Any) -> None:
    one = await made(office, user="group:finance", requireAction=True)
    await amala.fill(f"/inbox/{one}/act", on=f"/inbox/{one}", do="approve", note="Fine")
    late = await joe.fill(f"/inbox/{one}/act", on=f"/inbox/{one}", do="reject", note="No")

    assert late.status == 409
    assert "This has already been settled: Approved" in late.text
    assert f"Approved by {AMALA}" in late.text


async def test_a_form_that_is_sent_twice_is_simply_done(office: Any, amala: Any) -> None:
    one = await made(office, requireAction=True)
    etag = (await amala.see(f"/inbox/{one}")).value("etag")
    for _ in range(2):
        shown = await amala.fill(
            f"/inbox/{one}/act", on=f"/inbox/{one}", do="approve", note="Fine", etag=etag
        )
        assert (shown.status, "You have approved it" in shown.text) == (200, True)

    lines = (await office.get(f"/notifications/{one}/timeline")).body
    assert [line["text"] for line in lines] == ["Accepted and kept.", "Approved."]


async def test_what_is_removed_is_gone_from_her_list(office: Any, amala: Any, joe: Any) -> None:
    one = await made(office, user="group:finance", message="To be removed")
    shown = await amala.fill(f"/inbox/{one}/remove", on=f"/inbox/{one}")

    assert "Removed from your notifications" in shown.text
    assert f"/inbox/{one}" not in shown.markup
    assert (await amala.see(f"/inbox/{one}")).status == 404
    assert (await joe.see(f"/inbox/{one}")).status == 200


async def test_what_waits_for_a_decision_is_not_removed(office: Any, amala: Any) -> None:
    one = await made(office, requireAction=True)
    shown = await amala.fill(f"/inbox/{one}/remove", on=f"/inbox/{one}")

    assert (shown.status, shown.heading) == (409, "That is not possible any more")


async def test_what_others_wrote_is_text_and_never_code(office: Any, amala: Any) -> None:
    one = await made(office, message=ATTACK, targetId=ATTACK, reference=ATTACK, requireAction=True)
    await amala.fill(f"/inbox/{one}/act", on=f"/inbox/{one}", do="take", note=ATTACK)
    for path in ("/inbox", f"/inbox/{one}"):
        shown = await amala.see(path)
        assert "<script>alert" not in shown.markup
        assert "alert(1)" in shown.markup
    assert ATTACK in shown.text


async def test_anothers_notification_is_not_there(office: Any, amala: Any) -> None:
    one = await made(office, user=JOE)

    assert (await amala.see(f"/inbox/{one}")).status == 404
    for path in ("act", "remove"):
        answer = await amala.fill(f"/inbox/{one}/{path}", on="/inbox", do="read")
        assert answer.status == 404
