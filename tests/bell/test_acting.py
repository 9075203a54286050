"""What an officer does at the bell: confirms, decides, follows, marks; by keyboard, and after others."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import Route

from postroom.features.services import set_link_hosts
from tests.bell.conftest import CHROMIUM, Audience

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here: install it to see the bell"),
]

SitDown = Callable[..., Any]
TO_APPROVE = {"requireAction": True, "message": "Estimates are ready", "targetType": "Estimates"}


async def allow_links(office: Any) -> None:
    async with office.app.database.transaction() as conn:
        await set_link_hosts(conn, service_id=office.service_id, hosts=["repairs.hackney.gov.uk"])
    office.app.directory._known.clear()


async def test_all_of_it_by_keyboard(sit_down: SitDown, them: Audience) -> None:
    await them.tell(message="Something to read")
    one = await them.tell(**TO_APPROVE)
    async with sit_down(them.amala) as amala:
        await amala.badge_is(2)
        await amala.tab_to("Notifications, 2 unread")
        assert await amala.button.get_attribute("aria-expanded") == "false"
        await amala.press("Enter")
        assert await amala.focused() == "Your notifications"
        assert await amala.button.get_attribute("aria-expanded") == "true"
        await amala.tab_to("Look and confirm")
        await amala.press("Enter")
        await amala.one.get_by_role("button", name="I have seen it").wait_for()
        assert await amala.focused() == "Estimates to approve"
        await amala.tab_to("I have seen it")
        await amala.press("Space")
        await amala.one.get_by_text("Recorded: you have seen it").wait_for()
        await amala.badge_is(1)
        await amala.tab_to("Approve")
        await amala.press("Enter")
        await amala.one.get_by_text("Say why: Approved needs a note.").wait_for()
        await amala.until(amala.focused, "|Note")
        await amala.page.keyboard.type("All is well")
        await amala.tab_to("Approve")
        await amala.press("Enter")
        await amala.one.get_by_text("You have approved it").wait_for()
        await amala.press("Escape")
        # Back to where the officer was in the list, though what had the focus is not there any more.
        await amala.until(amala.focused, "Estimates to approve: Estimates are ready")
        await amala.tab_to("Mark as read")
        await amala.press("Enter")
        await amala.badge_is(0)
        assert "Something to read" in await amala.focused()
        await amala.press("Escape")
        await amala.until(lambda: amala.button.get_attribute("aria-expanded"), "false")
        assert (await amala.focused()).startswith("Notifications")

    item = next(each for each in await them.listed(them.amala) if each["id"] == one)
    assert (item["performedActionType"], item["actionNote"]) == ("Approved", "All is well")


@pytest.mark.parametrize("which", ["panel", "one"])
async def test_the_tab_key_does_not_leave_a_dialog(sit_down: SitDown, them: Audience, which: str) -> None:
    await them.tell(**TO_APPROVE)
    async with sit_down(them.amala) as amala:
        await amala.badge_is(1)
        await (amala.open() if which == "panel" else amala.open_one("Look and confirm"))
        reached = set()
        for _ in range(20):
            await amala.press("Tab")
            reached.add(await amala.focused())

        assert "Take the bell away or bring it back" not in reached
        assert "Close" in reached


async def test_who_is_later_sees_what_the_other_did_and_keeps_the_note(
    sit_down: SitDown, them: Audience, office: Any
) -> None:
    one = await them.tell_group(**TO_APPROVE)
    async with sit_down(them.joe, them.group) as joe:
        await joe.open_one("Look and confirm")
        await joe.one.get_by_label("Note").fill("Too dear")

        async def after_amala(route: Route) -> None:
            """Joe's decision arrives just after hers."""
            if route.request.method == "PATCH":
                body = {"actionType": "Approved", "actionNote": "Fine"}
                done = await office.patch(one, body, token=them.token(them.amala))
                assert done.status in (200, 409)
            await route.continue_()

        await joe.page.route("**/notifications/*", after_amala)
        await joe.one.get_by_role("button", name="Reject").click()
        await joe.one.get_by_role("alert").get_by_text("Somebody changed this since you opened it").wait_for()
        facts = await joe.one.locator(".facts").inner_text()
        note = await joe.one.locator("textarea").input_value()

        assert f"Approved by {them.amala}" in facts
        assert note == "Too dear"
        assert await joe.one.get_by_role("button", name="Approve").is_visible() is False


async def test_what_another_decides_closes_it_for_all_at_once(
    sit_down: SitDown, them: Audience, office: Any
) -> None:
    one = await them.tell_group(**TO_APPROVE)
    async with sit_down(them.joe, them.group) as joe:
        await joe.open_one("Look and confirm")
        await joe.one.get_by_label("Note").wait_for()
        body = {"actionType": "Rejected", "actionNote": "Not before June"}
        assert (await office.patch(one, body, token=them.token(them.amala))).status == 200
        await joe.one.get_by_text(f"Rejected by {them.amala}").wait_for(timeout=2000)
        await joe.one.get_by_text("Not before June").wait_for()
        assert await joe.one.get_by_label("Note").is_visible() is False
        await joe.press("Escape")
        assert await joe.panel.get_by_text(f"Rejected by {them.amala}").is_visible()


async def test_what_a_later_one_replaces_says_so(sit_down: SitDown, them: Audience) -> None:
    await them.tell(**TO_APPROVE, threadKey="block 12")
    async with sit_down(them.amala) as amala:
        await amala.open_one("Look and confirm")
        await amala.one.get_by_role("button", name="Approve").wait_for()
        await them.tell(**TO_APPROVE | {"message": "Other estimates"}, threadKey="block 12")
        await amala.one.get_by_text("A later notification has taken the place of this one.").wait_for()
        assert await amala.one.get_by_role("button", name="Approve").is_visible() is False
        await amala.press("Escape")
        assert await amala.panel.locator("li").count() == 1
        await amala.badge_is(1)


async def test_a_button_leads_on_and_takes_it_up(sit_down: SitDown, them: Audience, office: Any) -> None:
    await allow_links(office)
    url = "https://repairs.hackney.gov.uk/work-orders/1007"
    one = await them.tell(followOnAction={"label": "Open the work order", "url": url}, message="A visit")
    async with sit_down(them.amala) as amala:
        await amala.page.context.route(f"{url}*", lambda route: route.fulfill(body="the work order"))
        await amala.open_one("A visit")
        link = amala.one.get_by_role("link", name="Open the work order")
        assert await link.get_attribute("rel") == "noopener noreferrer"
        async with amala.page.context.expect_page() as opened:
            await link.click()
        page = await opened.value
        await page.wait_for_url(url)
        item = await office.until(one, lambda item: item["performedActionType"] is not None)

    assert (item["performedActionType"], item["performedActionDoneBy"]) == ("Initiated", them.amala)


async def test_what_is_pressed_stays_while_the_rest_is_shown_anew(
    sit_down: SitDown, them: Audience, office: Any
) -> None:
    """A press on what is taken away before it ends would do nothing."""
    await allow_links(office)
    url = "https://repairs.hackney.gov.uk/work-orders/1007"
    await them.tell(followOnAction={"label": "Open the work order", "url": url}, message="A visit")
    answered = asyncio.Event()

    async def hold(route: Route) -> None:
        if route.request.method == "PATCH":
            await answered.wait()
        await route.continue_()

    async with sit_down(them.amala) as amala:
        await amala.page.context.route("**/notifications/*", hold)
        await amala.open_one("A visit")
        link = await amala.one.get_by_role("link", name="Open the work order").element_handle()
        answered.set()
        await amala.one.get_by_role("button", name="Mark as unread").wait_for()

        assert await link.evaluate("node => node.isConnected")


async def test_of_two_that_lead_to_the_same_page_the_one_that_is_open_is_taken_up(
    sit_down: SitDown, them: Audience, office: Any
) -> None:
    await allow_links(office)
    leads = {"label": "Open the work order", "url": "https://repairs.hackney.gov.uk/work-orders"}
    first = await them.tell(followOnAction=leads, message="A visit on Monday")
    second = await them.tell(followOnAction=leads, message="A visit on Tuesday")
    async with sit_down(them.amala) as amala:
        await amala.page.context.route(f"{leads['url']}*", lambda route: route.fulfill(body="work orders"))
        await amala.open_one("A visit on Monday")
        await amala.press("Escape")
        await amala.panel.get_by_role("button", name="A visit on Tuesday").first.click()
        async with amala.page.context.expect_page():
            await amala.one.get_by_role("link", name="Open the work order").click()
        await office.until(second, lambda item: item["performedActionType"] is not None)
        untouched = await office.until(first, lambda item: item["isReadStatus"])

    assert untouched["performedActionType"] is None


async def test_what_is_sensitive_is_read_only_where_it_is_opened(sit_down: SitDown, them: Audience) -> None:
    secret = "A cautionary contact lives there"
    async with sit_down(them.amala) as amala:
        await them.tell(sensitive=True, message=secret, targetType="Person")
        await amala.toasts.get_by_text("A new notification").wait_for()
        toast = await amala.toasts.inner_text()
        await amala.open()
        listed = await amala.panel.inner_text()
        await amala.panel.get_by_role("button", name="Person").first.click()
        await amala.one.get_by_text(secret).wait_for()
        await amala.one.get_by_role("button", name="Mark as unread").wait_for()
        await amala.press("Escape")
        afterwards = await amala.panel.inner_text()

        assert [secret in text for text in (toast, listed, afterwards)] == [False, False, False]


async def test_marking_archiving_and_filters(sit_down: SitDown, them: Audience) -> None:
    for number in range(3):
        await them.tell(message=f"Number {number}")
    async with sit_down(them.amala) as amala:
        await amala.badge_is(3)
        await amala.open()

        async def shown() -> list[str]:
            return [text.splitlines()[0] for text in await amala.panel.locator("li h3").all_inner_texts()]

        await amala.panel.get_by_role("button", name="Archive Failed direct debits: Number 1").click()
        await amala.badge_is(2)
        assert len(await shown()) == 2
        await amala.panel.get_by_role("button", name="Mark all as read").click()
        await amala.badge_is(0)
        await amala.panel.get_by_role("button", name="Mark as unread Failed direct debits: Number 0").click()
        await amala.badge_is(1)
        await amala.panel.get_by_label("Show").select_option("unread")
        await amala.until(lambda: amala.panel.locator("li").count(), 1)
        await amala.panel.get_by_label("Show").select_option("archived")
        await amala.panel.get_by_text("Number 1").first.wait_for()
        assert len(await shown()) == 1
        await amala.panel.get_by_role("button", name="Mark as unread").click()
        await amala.panel.get_by_text("Nothing fits this filter.").wait_for()
        await amala.badge_is(2)
        await amala.panel.get_by_label("Show").select_option("action")
        await amala.panel.get_by_text("Nothing fits this filter.").wait_for()


async def test_more_than_a_page_is_there_and_counts(sit_down: SitDown, them: Audience, office: Any) -> None:
    bodies = [office.screen(user=them.amala, message=f"Number {each}") for each in range(45)]
    await office.call("POST", "/notifications/bulk", body=bodies)
    async with sit_down(them.amala) as amala:
        await amala.badge_is(45, seconds=5)
        await amala.open()
        for wanted in (20, 40, 45):
            await amala.until(lambda: amala.panel.locator("li").count(), wanted)
            more = amala.panel.get_by_role("button", name="Show older ones")
            if wanted < 45:
                await more.click()
        assert await more.is_visible() is False


@pytest.mark.parametrize(("typing", "opens"), [(False, True), (True, False)], ids=["free", "typing"])
async def test_what_insists_opens_by_itself_but_tears_nobody_away(
    sit_down: SitDown, them: Audience, typing: bool, opens: bool
) -> None:
    async with sit_down(them.amala, setting="window.insist = true;") as amala:
        if typing:
            await amala.page.get_by_label("Search").focus()
        await them.tell(**TO_APPROVE)
        await amala.badge_is(1)
        if opens:
            await amala.one.get_by_role("button", name="I have seen it").wait_for()
        else:
            await amala.toasts.first.wait_for()
        assert await amala.one.is_visible() is opens
