"""Officers in front of pages of another origin, each with the bell, in a real browser."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, BrowserContext, Locator, Page, async_playwright

from postroom.interfaces.bell.script import script
from tests.interfaces.api.conftest import Office, running_office, settings_for

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HERE = Path(__file__).parent
AXE = (HERE.parents[1] / "sandbox" / "tests" / "pages" / "axe.min.js").read_text()
TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}
# What pops up is what a page asked the browser for; that it was shown on a desk no test can see.
RECORD_POPUPS = """
window.popups = [];
window.Notification = class extends window.Notification {
  constructor(title, how) { super(title, how); popups.push({ title, ...how, click: () => this.onclick() }); }
};
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """On SQLite alone: what the bell asks, tests/interfaces asks on both databases."""
    place = tmp_path_factory.mktemp("office")
    chosen = {
        "POSTROOM_ALLOWED_ORIGINS": "http://localhost:*",
        "POSTROOM_INSECURE_COOKIES": "on",
        "POSTROOM_ADMIN_GROUPS": "admins",
    }
    async with running_office(settings_for(f"sqlite:///{place / 'postroom.db'}", **chosen)) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def front_end(office: Office) -> AsyncIterator[str]:
    """A page of another origin, with a content policy that lets nothing in but what it needs."""
    policy = f"default-src 'none'; script-src 'self' {office.url}; style-src 'self'; connect-src {office.url}"

    async def answer(request: web.Request) -> web.Response:
        name = request.path.strip("/") or "front_end.html"
        found = next((each for each in (HERE / name, HERE / "vendored" / name) if each.is_file()), None)
        if found is None:
            return web.Response(status=404)
        text = found.read_text().replace("SCRIPT", office.url + script().path)
        text = text.replace("INTEGRITY", script().integrity)
        return web.Response(
            text=text,
            content_type=TYPES[found.suffix],
            headers={"Content-Security-Policy": policy + "; require-trusted-types-for 'script'"}
            if found.suffix == ".html"
            else {},
        )

    runner = web.AppRunner(_serving(answer))
    await runner.setup()
    site = web.TCPSite(runner, "localhost", 0)
    await site.start()
    port = runner.addresses[0][1]
    yield f"http://localhost:{port}"
    await runner.cleanup()


def _serving(answer: Callable[[web.Request], Awaitable[web.Response]]) -> web.Application:
    app = web.Application()
    app.router.add_get("/{name:.*}", answer)
    return app


class Screen:
    """A tab in front of an officer. What goes wrong in it fails the test."""

    def __init__(self, page: Page, email: str) -> None:
        self.page = page
        self.email = email
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)

    @property
    def bell(self) -> Locator:
        return self.page.locator("notification-bell")

    @property
    def button(self) -> Locator:
        return self.bell.locator("button.bell")

    @property
    def panel(self) -> Locator:
        return self.bell.locator("dialog.panel")

    @property
    def one(self) -> Locator:
        return self.bell.locator("dialog.one")

    @property
    def toasts(self) -> Locator:
        return self.bell.locator(".toast")

    async def badge(self) -> int:
        """What is to be seen on the bell."""
        badge = self.bell.locator(".badge")
        return int(
            await badge.evaluate("(badge) => (badge.checkVisibility() ? Number(badge.textContent) : 0)")
        )

    async def badge_is(self, wanted: int, *, seconds: float = 2) -> None:
        await self.until(self.badge, wanted, seconds=seconds)

    async def is_state(self, state: str, *, seconds: float = 5) -> None:
        await self.until(lambda: self.bell.evaluate("bell => bell.state"), state, seconds=seconds)

    async def until(self, look: Callable[[], Awaitable[Any]], wanted: Any, *, seconds: float = 2) -> None:
        """Wait until what is looked at is as wanted."""
        end = time.monotonic() + seconds
        while (found := await look()) != wanted:
            assert time.monotonic() < end, f"{self.email} sees {found!r}, not {wanted!r}"
            await asyncio.sleep(0.03)

    async def open(self) -> None:
        await self.button.click()
        await self.panel.wait_for()

    async def open_one(self, text: str) -> None:
        await self.open()
        await self.panel.get_by_role("button", name=text).first.click()
        await self.one.wait_for()

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.page.keyboard.press(key)

    async def focused(self) -> str:
        """What has the focus, by its text or label."""
        return str(
            await self.page.evaluate(
                """() => {
                  let it = document.activeElement;
                  while (it.shadowRoot?.activeElement) it = it.shadowRoot.activeElement;
                  const labels = [...(it.labels ?? [])].map((label) => label.innerText);
                  return [it.getAttribute("aria-label") ?? it.innerText, ...labels].join("|").trim();
                }"""
            )
        )

    async def tab_to(self, name: str, *, most: int = 40) -> None:
        for _ in range(most):
            await self.page.keyboard.press("Tab")
            if name in await self.focused():
                return
        raise AssertionError(f"no {name!r} is reached by the tab key")

    async def violations(self) -> list[Any]:
        await self.page.evaluate(AXE)
        found = await self.page.evaluate("axe.run({resultTypes: ['violations']})")
        return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]]


@pytest.fixture
def sit_down(browser: Browser, office: Office, front_end: str) -> Callable[..., Any]:
    """Opens a page of the front end for an officer. With a context, it is one more tab in that."""

    @asynccontextmanager
    async def sitting(
        email: str,
        *groups: str,
        context: BrowserContext | None = None,
        tokens: Callable[[], str | None] | None = None,
        setting: str = "",
        size: tuple[int, int] = (1280, 800),
        **how: Any,
    ) -> AsyncIterator[Screen]:
        used = context or await browser.new_context(viewport={"width": size[0], "height": size[1]}, **how)
        page = await used.new_page()
        screen = Screen(page, email)
        await page.expose_function("freshToken", tokens or (lambda: office.token(email, groups=groups)))
        await page.add_init_script(RECORD_POPUPS + setting)
        await page.goto(front_end)
        try:
            if tokens is None:
                await screen.is_state("live")
            yield screen
        finally:
            await page.close()
            if context is None:
                await used.close()
        assert [error for error in screen.errors if "Failed to load resource" not in error] == []

    return sitting


class Audience:
    """Officers and a group of a test's own, whom no other test addresses."""

    made = 0

    def __init__(self, office: Office) -> None:
        Audience.made += 1
        self.office = office
        self.amala, self.joe = (f"{name}-{Audience.made}@hackney.gov.uk" for name in ("amala", "joe"))
        self.group = f"group-{Audience.made}"

    async def tell(self, user: str = "", **others: Any) -> str:
        """Send something to the officer, or to the group; its id."""
        body = self.office.screen(user=user or self.amala, **others)
        return str((await self.office.accepted(body))["id"])

    async def tell_group(self, **others: Any) -> str:
        return await self.tell(f"group:{self.group}", **others)

    def token(self, email: str) -> str:
        return self.office.token(email, groups=(self.group,))

    async def listed(self, email: str, query: str = "limit=200") -> list[Any]:
        """The officer's list, as Postroom has it."""
        return list((await self.office.get(f"/notifications?{query}", token=self.token(email))).body)


@pytest.fixture
def them(office: Office) -> Audience:
    return Audience(office)
