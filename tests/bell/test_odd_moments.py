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
