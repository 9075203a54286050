"""The bell on the officers' own pages, in a real browser."""

import asyncio
import time
from typing import Any

import pytest
from playwright.async_api import Browser, Page, Route

from tests.web.conftest import AMALA
from tests.web.test_browser import CHROMIUM, Desk, browser

__all__ = ["browser"]
pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here: install it to see the pages"),
]


async def is_state(page: Page, *wanted: str, seconds: float = 10) -> None:
    bell, end = page.locator("notification-bell"), time.monotonic() + seconds
    while (found := await bell.evaluate("bell => bell.state")) not in wanted:
        assert time.monotonic() < end, f"it is {found}, not {wanted}"
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("status", [429, 503])
async def test_it_comes_back_by_itself_where_its_token_could_not_be_had_for_a_while(
    browser: Browser, office: Any, status: int
) -> None:
    refused = 0

    async def refuse(route: Route) -> None:
        nonlocal refused
        refused += 1
        await route.fulfill(status=status, body="")

    context = await browser.new_context(base_url=office.url)
    try:
        desk = Desk(office, await context.new_page())
        await desk.sign_in(AMALA)
        await desk.page.route("**/inbox/token", refuse)
        await desk.page.goto("/inbox")
        await is_state(desk.page, "connecting", "signed-out")
        await desk.page.unroute("**/inbox/token")
        await is_state(desk.page, "live")
    finally:
        await context.close()

    assert refused >= 1
