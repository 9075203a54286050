"""An officer's list and what they do about a notification, form by form."""

from typing import Any

import pytest

from tests.web.conftest import AMALA, JOE, Visitor, allow_links

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


async def test_who_opens_it_has_seen_it_once(office: Any, amala: Any, joe: Any, kofi: Any) -> None:
    one = await made(office, user="group:finance", requireAction=True)
    await amala.see("/inbox")
    await amala.see(f"/inbox/{one}", headers={"Sec-Purpose": "prefetch"})
    assert "Seen." not in (await kofi.see(f"/developer/notifications/{one}")).text
    for _ in range(2):
        shown = await amala.see(f"/inbox/{one}")
        assert shown.text.count("Seen.") == 1
    await kofi.see(f"/inbox/{one}")

    lines = (await office.get(f"/notifications/{one}/timeline", token=joe.token)).body
    assert [(line["text"], line["actor"]) for line in lines[1:]] == [("Seen.", AMALA)]
    assert (await joe.see("/inbox?show=unread")).markup.count(f"/inbox/{one}") == 1
    assert "Unread" in shown.text


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
    assert [line["text"] for line in lines] == ["Accepted and kept.", "Seen.", "Approved."]


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


async def test_what_is_archived_is_on_a_list_of_its_own(office: Any, amala: Any) -> None:
    one = await made(office, message="To be put away")
    shown = await amala.fill(f"/inbox/{one}/act", on=f"/inbox/{one}", do="archive")

    assert "Archived" in shown.text
    assert f"/inbox/{one}" not in (await amala.see("/inbox")).markup
    assert f"/inbox/{one}" in (await amala.see("/inbox?show=archived")).markup
    again = await amala.fill(f"/inbox/{one}/act", on=f"/inbox/{one}", do="archive", etag='"1-u"')
    assert again.status == 200


async def test_what_has_waited_for_long_is_overdue(office: Any, amala: Any) -> None:
    one = await made(office, requireAction=True, message="Just now")

    assert f"/inbox/{one}" not in (await amala.see("/inbox?show=overdue")).markup
    assert f"/inbox/{one}" in (await amala.see("/inbox?show=action")).markup


async def somebody(office: Any, visitors: Any, email: str) -> Visitor:
    visitor: Visitor = visitors()
    visitor.token = office.token(email)
    await visitor.sign_in()
    return visitor


async def test_all_that_is_shown_is_marked_and_nothing_newer(office: Any, visitors: Any) -> None:
    sue = await somebody(office, visitors, "sue@hackney.gov.uk")
    for kind in ("Tenure", "Tenure", "Asset"):
        await made(office, user="sue@hackney.gov.uk", targetType=kind)
    page = await sue.see("/inbox?type=Tenure")
    newer = await made(office, user="sue@hackney.gov.uk", targetType="Tenure")
    fields = {"token": page.form_token, "type": "Tenure", "show": "", "newest": page.value("newest")}
    shown = await sue.send("POST", "/inbox/mark", fields=fields, headers={"Origin": office.url})

    assert "Marked as read" in shown.text
    assert "2 unread" in shown.text
    assert f"/inbox/{newer}" in (await sue.see("/inbox?show=unread&type=Tenure")).markup
    everything = await sue.fill("/inbox/mark", on="/inbox", newest=(await sue.see("/inbox")).value("newest"))
    assert "unread" not in everything.text.split("My notifications")[1].split("Show")[0]


async def test_a_mark_without_its_moment_changes_nothing(office: Any, visitors: Any) -> None:
    tom = await somebody(office, visitors, "tom@hackney.gov.uk")
    await made(office, user="tom@hackney.gov.uk")
    answer = await tom.fill("/inbox/mark", on="/inbox", newest="whenever")

    assert answer.status == 400
    assert "1 unread" in (await tom.see("/inbox")).text


async def test_there_is_a_button_to_what_is_to_be_done_elsewhere(office: Any, amala: Any) -> None:
    await allow_links(office, "forms.hackney.gov.uk")
    target = "https://forms.hackney.gov.uk/order?ref=1&a=b"
    one = await made(office, followOnAction={"label": "Raise work order", "url": target, "kind": "order"})
    other = await made(office, followOnAction={"label": "Raise work order", "url": target, "kind": "order"})
    shown = await amala.see(f"/inbox/{one}")
    assert "Raise work order" in shown.text

    led = await amala.see(f"/inbox/{one}/follow", follow=False, headers={"Sec-Fetch-Site": "same-origin"})
    await amala.see(f"/inbox/{other}/follow", follow=False, headers={"Sec-Fetch-Site": "cross-site"})

    assert (led.status, led.headers["Location"], led.headers["Referrer-Policy"]) == (
        303,
        target,
        "no-referrer",
    )
    done = [(await office.get(f"/notifications/{each}")).body["performedActionType"] for each in (one, other)]
    assert done == ["Initiated", None]
    assert (await amala.see(f"/inbox/{await made(office)}/follow")).status == 404


async def test_what_is_sensitive_shows_no_text_in_the_list(office: Any, amala: Any) -> None:
    one = await made(office, targetType="CourtAction", message="About Zebedee", sensitive=True)

    listed = await amala.see("/inbox")
    assert f"/inbox/{one}" in listed.markup
    assert "Zebedee" not in listed.markup
    assert "About Zebedee" in (await amala.see(f"/inbox/{one}")).text


async def test_who_is_registered_in_a_group_sees_what_is_for_it(office: Any, visitors: Any) -> None:
    una = await somebody(office, visitors, "una@hackney.gov.uk")
    one = await made(office, user="patch:north-1")
    assert (await una.see(f"/inbox/{one}")).status == 404
    token = office.token("root@hackney.gov.uk", groups=("admins",))
    answer = await office.call(
        "PUT", "/patches/north-1/members", token=token, body={"members": ["una@hackney.gov.uk"]}
    )
    assert answer.status < 300, answer.text
    office.app.memberships.forget()

    assert f"/inbox/{one}" in (await una.see("/inbox")).markup
    assert "for the patch north-1" in (await una.see("/inbox")).text
