"""The bell while things change around it: popups, other tabs, tokens that end, networks that go away."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import Browser

from tests.bell.conftest import CHROMIUM, Audience

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here: install it to see the bell"),
]

SitDown = Callable[..., Any]
POPUPS = "popups.map((each) => [each.title, each.body, each.tag])"


async def test_a_popup_is_shown_by_one_tab_once_the_officer_wants_it(
    sit_down: SitDown, them: Audience, browser: Browser, front_end: str
) -> None:
    context = await browser.new_context()
    await context.grant_permissions(["notifications"], origin=front_end)
    async with (
        sit_down(them.amala, context=context) as first,
        sit_down(them.amala, context=context) as second,
    ):
        await them.tell(message="Before")
        await first.badge_is(1)
        await first.open()
        await first.panel.get_by_role("button", name="Show popups on this computer").click()
        await first.panel.get_by_role("button", name="Stop popups on this computer").wait_for()
        plain = await them.tell(message="A lift is out of order", targetType="Asset")
        both = [first.page, second.page]

        async def shown() -> list[Any]:
            return sorted([each for page in both for each in await page.evaluate(POPUPS)])

        await first.until(shown, [["Property", "A lift is out of order", plain]])
        kept = await them.tell(message="A cautionary contact", targetType="Person", sensitive=True)
        discreet = ["A new notification", "Open it to read it.", kept]
        await first.until(shown, sorted([["Property", "A lift is out of order", plain], discreet]))
        # A click on it leads to what it tells of.
        (page,) = [page for page in both if await page.evaluate("popups.length")]
        clicked = first if page is first.page else second
        await page.evaluate("popups[0].click()")
        await clicked.one.get_by_text("A lift is out of order").wait_for()
    await context.close()


async def test_another_tab_shows_them_when_the_first_is_closed(
    sit_down: SitDown, them: Audience, browser: Browser, front_end: str
) -> None:
    context = await browser.new_context()
    await context.grant_permissions(["notifications"], origin=front_end)
    wants = "localStorage.setItem('postroom-bell-popups', 'on');"
    async with sit_down(them.amala, context=context, setting=wants) as last:
        async with sit_down(them.amala, context=context) as other:
            await other.badge_is(0)
        one = await them.tell(message="After")
        await last.until(lambda: last.page.evaluate(POPUPS), [["Failed direct debits", "After", one]])
    await context.close()


async def test_what_is_pushed_does_not_pop_up_once_more(
    sit_down: SitDown, them: Audience, browser: Browser, front_end: str
) -> None:
    """There is no push service here: what stands for it keeps its state as push.js does."""
    context = await browser.new_context()
    await context.grant_permissions(["notifications"], origin=front_end)
    push = """
    let state = "off";
    window.push = {
      state: async () => state,
      subscribe: async () => (state = "on"),
      unsubscribe: async () => (state = "off"),
    };
    """
    async with sit_down(them.amala, context=context, setting=push) as amala:
        await amala.open()
        turn_on = amala.panel.get_by_role("button", name="Show popups on this computer")
        turn_off = amala.panel.get_by_role("button", name="Stop popups on this computer")
        await turn_on.click()
        await amala.panel.get_by_text("whether a page is open or not").wait_for()
        await amala.press("Escape")
        await them.tell(message="Pushed")
        await amala.toasts.get_by_text("Pushed").wait_for()
        assert await amala.page.evaluate("popups.length") == 0
        await amala.open()
        await turn_off.click()
        await turn_on.wait_for()

        assert await amala.page.evaluate("window.push.state()") == "off"
    await context.close()


async def test_refused_popups_are_toasts(sit_down: SitDown, them: Audience) -> None:
    """A browser without a head refuses them by itself."""
    async with sit_down(them.amala) as amala:
        await amala.open()
        before = await amala.page.evaluate("Notification.permission")
        await amala.panel.get_by_role("button", name="Show popups on this computer").click()
        await amala.panel.get_by_role("status").get_by_text("This browser does not let this page").wait_for()
        await amala.press("Escape")
        await them.tell(message="In the page")
        await amala.toasts.get_by_text("In the page").wait_for()

        # Nobody was asked before they pressed the button.
        assert before == "default"
        assert await amala.page.evaluate("popups.length") == 0


async def test_many_at_once_make_one_toast_and_one_popup(
    sit_down: SitDown, them: Audience, office: Any, browser: Browser, front_end: str
) -> None:
    context = await browser.new_context()
    await context.grant_permissions(["notifications"], origin=front_end)
    wants = "localStorage.setItem('postroom-bell-popups', 'on');"
    bodies = [office.screen(user=them.amala, message=f"Number {each}") for each in range(40)]
    async with sit_down(them.amala, context=context, setting=wants) as amala:
        await office.call("POST", "/notifications/bulk", body=bodies)
        await amala.badge_is(40, seconds=5)
        await amala.toasts.first.wait_for()
        await asyncio.sleep(1)

        assert await amala.toasts.count() == 1
        assert "new notifications" in await amala.toasts.inner_text()
        assert await amala.page.evaluate("popups.length") == 1
    await context.close()


async def test_a_network_that_goes_away_and_comes_back(sit_down: SitDown, them: Audience) -> None:
    async with sit_down(them.amala) as amala:
        await them.tell(message="Before")
        await amala.badge_is(1)
        await amala.page.context.set_offline(True)
        await amala.is_state("offline")
        await amala.open()
        told = await amala.panel.inner_text()
        await them.tell(message="Meanwhile")
        await amala.page.context.set_offline(False)
        await amala.is_state("live")
        await amala.badge_is(2)
        await amala.panel.get_by_text("Meanwhile").first.wait_for()

        assert "You are offline" in told
        assert "You are offline" not in await amala.panel.inner_text()
        assert await amala.panel.locator("li").count() == 2


async def test_a_hidden_tab_holds_no_connection_unless_it_shows_the_popups(
    sit_down: SitDown, them: Audience, browser: Browser, front_end: str
) -> None:
    context = await browser.new_context()
    await context.grant_permissions(["notifications"], origin=front_end)

    async def hide(is_hidden: bool) -> None:
        await amala.page.evaluate(
            """(isHidden) => {
              Object.defineProperty(document, "hidden", { value: isHidden, configurable: true });
              document.dispatchEvent(new Event("visibilitychange"));
            }""",
            is_hidden,
        )

    async with sit_down(them.amala, context=context) as amala:
        await amala.page.clock.install()
        await hide(True)
        await amala.page.clock.fast_forward(31_000)
        await amala.is_state("paused")
        await them.tell(message="Meanwhile")
        await hide(False)
        await amala.is_state("live")
        await amala.page.clock.fast_forward(1_000)
        await amala.badge_is(1)
        await amala.page.evaluate("localStorage.setItem('postroom-bell-popups', 'on')")
        await hide(True)
        await amala.page.clock.fast_forward(31_000)
        await amala.page.clock.resume()
        one = await them.tell(message="Looked at nowhere")
        await amala.until(
            lambda: amala.page.evaluate(POPUPS), [["Failed direct debits", "Looked at nowhere", one]]
        )
        await amala.is_state("live")
    await context.close()


async def test_what_is_done_offline_is_not_said_to_be_done(sit_down: SitDown, them: Audience) -> None:
    one = await them.tell(message="Estimates", requireAction=True)
    async with sit_down(them.amala) as amala:
        await amala.open_one("Look and confirm")
        seen = amala.one.get_by_role("button", name="I have seen it")
        await seen.wait_for()
        await amala.page.context.set_offline(True)
        await seen.click()
        await amala.one.get_by_role("alert").get_by_text("Postroom cannot be reached").wait_for()
        before = (await them.listed(them.amala))[0]
        await amala.page.context.set_offline(False)
        await seen.click()
        await amala.one.get_by_text("Recorded: you have seen it").wait_for()

    assert (before["id"], before["isReadStatus"]) == (one, False)


async def test_a_token_that_ends_is_asked_for_anew(sit_down: SitDown, them: Audience, office: Any) -> None:
    given: list[str] = []

    def tokens() -> str:
        """The first lasts for two seconds."""
        now = int(office.app.clock().timestamp())
        claims = {"email": them.amala, "exp": now + (2 if not given else 600)}
        given.append(office.signed(claims))
        return given[-1]

    async with sit_down(them.amala, tokens=tokens) as amala:
        await amala.is_state("live")
        await amala.until(lambda: _after(len(given) >= 2), True, seconds=15)
        await amala.is_state("live", seconds=10)
        await them.tell()
        await amala.badge_is(1)

        assert len(given) == 2
        # Wherever it was, no address has it.
        assert (
            await amala.page.evaluate(
                "performance.getEntries().filter((entry) => entry.name.includes('eyJ')).length"
            )
            == 0
        )


async def _after(so: bool) -> bool:
    return so


async def test_who_is_signed_out_is_told_and_comes_back(sit_down: SitDown, them: Audience) -> None:
    is_in = False

    def tokens() -> str | None:
        return them.token(them.amala) if is_in else None

    await them.tell()
    async with sit_down(them.amala, tokens=tokens) as amala:
        await amala.is_state("signed-out")
        await amala.open()
        assert "You are not signed in any more" in await amala.panel.inner_text()
        await amala.press("Escape")
        is_in = True
        await amala.bell.evaluate("async (bell) => { bell.token = await freshToken(); }")
        await amala.badge_is(1)
        await amala.bell.evaluate("(bell) => { bell.needToken = null; bell.token = null; }")
        await amala.is_state("signed-out")
        assert await amala.badge() == 0


async def test_where_the_stream_is_refused_the_count_is_asked_for(sit_down: SitDown, them: Audience) -> None:
    await them.tell()
    async with sit_down(them.amala) as amala:
        await amala.page.route("**/notifications/stream", lambda route: route.fulfill(status=503))
        await amala.page.get_by_role("button", name="Take the bell away").click()
        await amala.page.get_by_role("button", name="Take the bell away").click()
        await amala.is_state("polling")
        await amala.badge_is(1)
        await amala.open_one("Failed direct debits")
        await amala.badge_is(0)
        await amala.press("Escape", "Escape")
        await amala.page.unroute("**/notifications/stream")
        await amala.is_state("live", seconds=15)
