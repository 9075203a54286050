"""What happens to the bell at odd moments: another officer, a lost order, a focus whose place is gone."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.bell.conftest import CHROMIUM, Audience

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here: install it to see the bell"),
]

SitDown = Callable[..., Any]

NOT_TAKEN_ANY_MORE = """bell => {
  bell.needToken = window.tokenOfTheNext;
  bell.token = bell.token.slice(0, -6) + "AAAAAA";
  bell.inbox.count().catch(() => {});
}"""


async def test_of_one_officer_nothing_is_left_where_the_page_has_the_token_of_another(
    sit_down: SitDown, them: Audience
) -> None:
    async with sit_down(them.amala) as screen:
        await them.tell(message="For Amala alone")
        await screen.toasts.get_by_text("For Amala alone").wait_for()

        await screen.page.expose_function("tokenOfTheNext", lambda: them.token(them.joe))
        await screen.bell.evaluate(NOT_TAKEN_ANY_MORE)
        await screen.until(lambda: screen.bell.evaluate("bell => bell.me"), them.joe, seconds=5)
        await screen.is_state("live")
        await them.tell(message="Once more for Amala")
        await them.tell(them.joe, message="For Joe")
        await screen.toasts.get_by_text("For Joe").wait_for()
        shown = await screen.bell.evaluate("bell => bell.shadowRoot.textContent")

        assert "Amala" not in shown
        await screen.badge_is(1)


async def test_what_was_made_earlier_and_comes_later_is_told_of_too(
    sit_down: SitDown, them: Audience
) -> None:
    """Ids are drawn before anything is written: another process may be slower with an earlier one."""
    async with sit_down(them.amala) as amala:
        await them.tell(message="Overtook it")
        await amala.toasts.get_by_text("Overtook it").wait_for()
        again = """bell => {
          const [item] = bell.inbox.items;
          const late = { ...item, id: "00" + item.id.slice(2), message: "Was overtaken" };
          for (const each of [late, late, item]) bell.inbox.told("new", each);
        }"""
        await amala.bell.evaluate(again)
        await amala.toasts.get_by_text("Was overtaken").wait_for()

        # Neither what is known already nor the same once more.
        assert await amala.toasts.count() == 2


@pytest.mark.parametrize("button", ["Open", "Close"])
async def test_the_focus_is_on_the_bell_when_the_toast_that_had_it_is_gone(
    sit_down: SitDown, them: Audience, button: str
) -> None:
    async with sit_down(them.amala) as amala:
        await them.tell(message="In a toast")
        await amala.toasts.get_by_role("button", name=button).focus()
        await amala.press("Enter")
        if button == "Open":
            await amala.one.get_by_text("In a toast").wait_for()
            await amala.press("Escape")
            await amala.one.wait_for(state="hidden")

        await amala.until(amala.toasts.count, 0)
        assert "Notifications" in await amala.focused()


async def test_a_toast_stays_while_it_has_the_focus(sit_down: SitDown, them: Audience) -> None:
    fast = """const later = window.setTimeout;
      window.setTimeout = (what, ms, ...more) => later(what, ms === 12000 ? 700 : ms, ...more);"""
    async with sit_down(them.amala, setting=fast) as amala:
        await them.tell(message="In a toast")
        button = amala.toasts.get_by_role("button", name="Open")
        await button.focus()
        # The mouse has been there too, and is gone.
        await button.hover()
        await amala.page.mouse.move(1, 1)
        await amala.page.wait_for_timeout(1500)
        during = await amala.toasts.count()
        await amala.button.focus()

        assert during == 1
        await amala.until(amala.toasts.count, 0, seconds=5)
