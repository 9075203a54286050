"""Two officers of one group, with two tabs each: whatever they do there, the badge is what the list holds."""

import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.web.conftest import AMALA, GROUPS, JOE
from tests.web.test_browser import CHROMIUM, Desk, browser, made

__all__ = ["browser"]
pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here: install it to see the pages"),
]
STEPS = 15
WHAT = ("arrives", "opened", "opened", "pressed", "pressed", "pressed", "all", "withdrawn")
BUTTONS = (
    "I have seen it",
    "Mark as read",
    "Mark as unread",
    "Archive",
    "Move back to my list",
    "Remove from my list",
    "Approve",
    "Reject",
    "Validate",
    "Take it up",
)


@pytest_asyncio.fixture(loop_scope="module")
async def tabs(browser: Browser, office: Any) -> AsyncIterator[dict[str, list[Page]]]:
    """Each officer's two to work in, as old as they get, and one to look with."""
    opened, contexts = {}, []
    for email in (AMALA, JOE):
        contexts.append(await browser.new_context(base_url=office.url))
        desk = Desk(office, await contexts[-1].new_page())
        await desk.sign_in(email)
        opened[email] = [desk.page, *[await contexts[-1].new_page() for _ in range(2)]]
    yield opened
    for context in contexts:
        await context.close()


async def badge(page: Page) -> int:
    shown = page.locator(".app-count")
    return int((await shown.inner_text()).split()[0]) if await shown.count() else 0


async def press_something(page: Page, chance: random.Random) -> str:
    """One of the buttons of the page, as it stands there: perhaps for long."""
    shown = [name for name in BUTTONS if await page.get_by_role("button", name=name, exact=True).count()]
    if not shown:
        return "nothing"
    name = chance.choice(shown)
    if name in ("Approve", "Reject"):
        await page.get_by_label("Note").fill("So it is")
    await page.get_by_role("button", name=name, exact=True).click()
    await page.wait_for_load_state()
    return name


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_badge_is_the_list_after_whatever_they_do(
    office: Any, tabs: dict[str, list[Page]], seed: int
) -> None:
    chance = random.Random(seed)
    ids, done = [], []
    for _ in range(STEPS):
        who = chance.choice((AMALA, JOE))
        page = chance.choice(tabs[who][:2])
        what = chance.choice(WHAT)
        if what == "arrives" or not ids:
            user = chance.choice(("group:finance", AMALA, JOE))
            ids.append(await made(office, user=user, requireAction=chance.random() < 0.5))
        elif what == "opened":
            await page.goto(f"/inbox/{chance.choice(ids)}")
        elif what == "pressed":
            what = await press_something(page, chance)
        elif what == "all":
            await page.goto("/inbox")
            everything = page.get_by_role("button", name="Mark all as read")
            if await everything.count():
                await everything.click()
                await page.get_by_text("Marked as read").wait_for()
        else:
            await office.delete(chance.choice(ids))
        done.append(f"{who.split('@')[0]}: {what}")
        for email, (*_, other) in tabs.items():
            token = office.token(email, groups=GROUPS[email])
            listed = (await office.get("/notifications?isReadStatus=false&limit=200", token=token)).body
            await other.goto("/inbox?show=unread")
            assert await badge(other) == len(listed) == await other.locator(".app-item").count(), done
