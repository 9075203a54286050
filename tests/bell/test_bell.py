"""The bell in a page of React 17 of another origin: live, worked by keyboard, checked by axe."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.bell.conftest import CHROMIUM, Audience

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here: install it to see the bell"),
]

SitDown = Callable[..., Any]


async def test_what_is_new_is_on_the_badge_and_in_a_toast_within_two_seconds(
    sit_down: SitDown, them: Audience
) -> None:
    async with sit_down(them.amala, them.group) as amala:
        await amala.badge_is(0)
        began = time.monotonic()
        await them.tell_group(message="A lift is out of order", targetType="Asset")
        await amala.badge_is(1)
        await amala.toasts.get_by_text("A lift is out of order").wait_for()
        took = time.monotonic() - began

        assert took < 2
        assert await amala.button.inner_text() == "1\nNotifications, 1 unread"
        # Heard too, by who does not see it.
        await amala.until(amala.bell.locator("[role=status]").first.inner_text, "New: Property")
        # The page is told too, by an event.
        assert await amala.page.locator("#unread").inner_text() == "1 unread"


async def test_the_page_takes_it_away_and_brings_it_back(sit_down: SitDown, them: Audience) -> None:
    async with sit_down(them.amala) as amala:
        await them.tell()
        await amala.badge_is(1)
        toggle = amala.page.get_by_role("button", name="Take the bell away")
        await toggle.click()
        assert await amala.bell.count() == 0
        await toggle.click()
        await amala.badge_is(1, seconds=5)


async def test_a_confirmation_is_in_the_audit(sit_down: SitDown, them: Audience, office: Any) -> None:
    one = await them.tell(requireAction=True, message="Estimates are ready", targetType="Estimates")
    async with sit_down(them.amala) as amala:
        await amala.open_one("Look and confirm")
        before = (await them.listed(them.amala))[0]["isReadStatus"]
        await amala.one.get_by_role("button", name="I have seen it").click()
        await amala.one.get_by_text("Recorded: you have seen it").wait_for()
        await amala.badge_is(0)

    admin = office.token("ada@hackney.gov.uk", groups=("admins",))
    entries = (await office.get(f"/audit?notificationId={one}", token=admin)).body
    done = [(entry["detail"], entry["actor"], entry["ip"]) for entry in entries if entry["kind"] == "action"]
    # Opening it confirms nothing.
    assert before is False
    assert sorted(done) == [("IsRead", them.amala, "127.0.0.1"), ("IsSeen", them.amala, "127.0.0.1")]


@pytest.mark.parametrize("size", [(360, 740), (1280, 800), (320, 640)], ids=["telephone", "desk", "narrow"])
async def test_axe_finds_nothing_and_nothing_runs_over(
    sit_down: SitDown, them: Audience, size: tuple[int, int]
) -> None:
    await them.tell(requireAction=True, message="A long " + "word" * 60)
    await them.tell(followOnAction=None, message="<img src=x onerror='window.attacked = true'>")
    found = {}
    async with sit_down(them.amala, size=size) as amala:
        await amala.badge_is(2)

        async def look(name: str) -> None:
            over = await amala.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            if violations := await amala.violations():
                found[name] = violations
            assert over <= 0, name

        await look("closed")
        await them.tell(message="In a toast", sensitive=True)
        await amala.toasts.first.wait_for()
        await look("toast")
        await amala.open()
        await look("panel")
        await amala.panel.get_by_role("button", name="Look and confirm").click()
        await amala.one.get_by_role("button", name="Approve").click()
        await amala.one.get_by_text("needs a note").wait_for()
        await look("one")
        attacked = await amala.page.evaluate("window.attacked")

    assert found == {}
    assert attacked is None
