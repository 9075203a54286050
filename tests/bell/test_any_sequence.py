"""Two officers, one group, three tabs: whatever happens, each badge is what the list says."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.bell.conftest import CHROMIUM, Audience, Screen

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here: install it to see the bell"),
]

MOST = 12
TABS = st.integers(0, 2)
ANY = st.integers(0, MOST)
BUTTONS = ["IsRead", "IsUnread", "Archived", "confirm"]


class Desks(RuleBasedStateMachine):
    """Amala has two tabs, Joe one; their lists are open, and worked by their buttons."""

    them: Audience
    tabs: list[Screen]
    run: Callable[[Coroutine[Any, Any, Any]], Any]

    @initialize()
    def begin(self) -> None:
        self.is_away = False
        self.made: list[str] = []

    @rule(to=st.sampled_from(["amala", "joe", "group"]), asks=st.booleans())
    def send(self, to: str, asks: bool) -> None:
        if len(self.made) < MOST:
            user = f"group:{self.them.group}" if to == "group" else getattr(self.them, to)
            self.made.append(self.run(self.them.tell(user, requireAction=asks)))

    @rule(
        tab=TABS,
        what=st.sampled_from(["IsRead", "IsUnread", "Archived", "confirm"]),
        which=st.integers(0, MOST),
    )
    def press(self, tab: int, what: str, which: int) -> None:
        self.run(self._press(self.tabs[tab], what, which))

    @rule(tab=TABS)
    def mark_all(self, tab: int) -> None:
        if not self._is_cut_off(tab):
            self.run(self._mark_all(self.tabs[tab]))

    @rule(which=ANY, by=st.sampled_from(["amala", "joe"]), what=st.sampled_from(["Approved", "Archived"]))
    def act_elsewhere(self, which: int, by: str, what: str) -> None:
        """On another page of theirs; where it is not possible nothing is changed."""
        if self.made:
            one, token = self.made[which % len(self.made)], self.them.token(getattr(self.them, by))
            body = {"actionType": what} | ({"actionNote": "checked"} if what == "Approved" else {})
            self.run(self.them.office.patch(one, body, token=token))

    @rule(which=ANY)
    def withdraw(self, which: int) -> None:
        if self.made:
            self.run(self.them.office.delete(self.made.pop(which % len(self.made))))

    @rule(is_away=st.booleans())
    def joe_is_away(self, is_away: bool) -> None:
        self.run(self.tabs[2].page.context.set_offline(is_away))
        self.is_away = is_away

    @invariant()
    def every_badge_is_what_the_list_says(self) -> None:
        for number, tab in enumerate(self.tabs):
            if not self._is_cut_off(number):
                self.run(self._agrees(tab))

    def teardown(self) -> None:
        self.run(self.tabs[2].page.context.set_offline(False))
        for one in self.made:
            self.run(self.them.office.delete(one))

    def _is_cut_off(self, tab: int) -> bool:
        return tab == 2 and self.is_away

    async def _press(self, tab: Screen, what: str, which: int) -> None:
        buttons = tab.panel.locator(f'button[data-key$=" {what}"]')
        number = await buttons.count()
        if number == 0 or self._is_cut_off(self.tabs.index(tab)):
            return
        await self._click(buttons.nth(which % number))
        if what == "confirm":
            seen = tab.one.get_by_role("button", name="I have seen it")
            await tab.one.locator("button", has_text="rk as unread").or_(seen).first.wait_for()
            if await seen.is_visible():
                await seen.click()
                await tab.one.get_by_text("Recorded: you have seen it").wait_for()
            await tab.press("Escape")

    async def _mark_all(self, tab: Screen) -> None:
        await self._click(tab.panel.get_by_role("button", name="Mark all as read"))

        async def unread() -> list[str]:
            return [item["id"] for item in await self._listed(tab) if not item["isReadStatus"]]

        await tab.until(unread, [], seconds=5)

    async def _listed(self, tab: Screen) -> Any:
        token = self.them.token(tab.email)
        return (await self.them.office.get("/notifications?limit=200", token=token)).body

    async def _click(self, button: Any) -> None:
        if await button.is_visible():
            await button.click()

    async def _agrees(self, tab: Screen) -> None:
        """What is listed is asked anew at each look: what was pressed last may still be on its way."""

        async def is_shown_as_it_is() -> tuple[bool, str]:
            listed = await self._listed(tab)
            unread = [item["id"] for item in listed if not item["isReadStatus"]]
            wanted = (len(unread), [item["id"] for item in listed], unread)
            shown = await self._shown(tab)
            return shown == wanted, "" if shown == wanted else f"shown {shown!r}, listed {wanted!r}"

        await tab.until(is_shown_as_it_is, (True, ""), seconds=5)

    async def _shown(self, tab: Screen) -> tuple[int, list[str], list[str]]:
        rows = await tab.panel.locator("li").evaluate_all(
            "(rows) => rows.map((row) => [row.dataset.id, row.classList.contains('unread')])"
        )
        return await tab.badge(), [one for one, _ in rows], [one for one, is_unread in rows if is_unread]


async def test_the_badge_is_what_the_list_says_after_anything(
    sit_down: Callable[..., Any], them: Audience, browser: Any
) -> None:
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        context = await browser.new_context()
        stack.push_async_callback(context.close)
        tabs = [
            await stack.enter_async_context(sit_down(them.amala, them.group, context=context)),
            await stack.enter_async_context(sit_down(them.amala, them.group, context=context)),
            await stack.enter_async_context(sit_down(them.joe, them.group)),
        ]
        for tab in tabs:
            await tab.open()

        class Machine(Desks):
            pass

        Machine.them, Machine.tabs = them, tabs
        Machine.run = staticmethod(  # type: ignore[assignment]
            lambda work: asyncio.run_coroutine_threadsafe(work, loop).result()
        )
        chosen = settings(
            max_examples=4,
            stateful_step_count=12,
            deadline=None,
            # A shorter sequence that fails too would be sought for minutes.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        await asyncio.to_thread(run_state_machine_as_test, Machine, settings=chosen)
