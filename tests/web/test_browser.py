"""The pages in a real browser: checked by axe, worked by keyboard, with scripts and without."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from tests.web.conftest import ADA, AMALA, GROUPS, JOE, MARY

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
AXE = (Path(__file__).parents[2] / "sandbox" / "tests" / "pages" / "axe.min.js").read_text()
WIDTHS = (320, 360, 1280)
ATTACK = "<script>window.attacked = true</script><img src=x onerror='window.attacked = true'>"

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here: install it to see the pages"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


class Desk:
    """A browser's window in front of somebody. What goes wrong in it fails the test."""

    def __init__(self, office: Any, page: Page) -> None:
        self.office = office
        self.page = page
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)

    async def sign_in(self, email: str) -> None:
        await self.page.goto("/sign-in")
        await self.page.get_by_label("Your token").fill(self.office.token(email, groups=GROUPS[email]))
        await self.page.get_by_role("button", name="Sign in", exact=True).click()
        await self.page.get_by_text(email).wait_for()

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.page.keyboard.press(key)

    async def tab_to(self, name: str) -> None:
        """Go on by the tab key until the focus is on what has that text or label."""
        for _ in range(60):
            await self.page.keyboard.press("Tab")
            focused = await self.page.evaluate(
                "[document.activeElement.innerText, ...[...(document.activeElement.labels || [])]"
                ".map(label => label.innerText)].join('|').trim()"
            )
            if name in focused:
                return
        raise AssertionError(f"no {name!r} is reached by the tab key")

    async def violations(self) -> list[Any]:
        await self.page.evaluate(AXE)
        found = await self.page.evaluate("axe.run({resultTypes: ['violations']})")
        return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]]


@pytest_asyncio.fixture(params=[True, False], ids=["scripts", "no scripts"], loop_scope="module")
async def desk(browser: Browser, office: Any, request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    context = await browser.new_context(base_url=office.url, java_script_enabled=request.param)
    desk = Desk(office, await context.new_page())
    yield desk
    await context.close()
    assert [error for error in desk.errors if "Failed to load resource" not in error] == []


@pytest_asyncio.fixture(loop_scope="module")
async def with_scripts(browser: Browser, office: Any) -> AsyncIterator[Desk]:
    context = await browser.new_context(base_url=office.url)
    desk = Desk(office, await context.new_page())
    yield desk
    await context.close()
    assert [error for error in desk.errors if "Failed to load resource" not in error] == []


async def made(office: Any, **others: Any) -> str:
    body = {"user": AMALA, "targetType": "Estimates", "message": "Estimates for block 12"} | others
    return str((await office.accepted(office.screen(**body)))["id"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def furnished(office: Any) -> dict[str, str]:
    """Something for every page to show, with what somebody might try to slip in."""
    asking = await made(office, requireAction=True, message=ATTACK, reference=ATTACK)
    await made(office, user="group:finance", requireAction=True)
    email = office.email(
        notificationType="Screen,Email",
        user=AMALA,
        targetId="T-1",
        targetType="Tenure",
        message="A long " + "word" * 60,
        personalisationParams={"name": ATTACK, "ref": "X1"},
    )
    sent = (await office.accepted(email))["id"]
    await office.ended(sent)
    replaced, _ = [
        await made(office, threadKey="lift", message="\u0645\u0631\u062d\u0628\u0627") for _ in range(2)
    ]
    decided, archived = [await made(office, user="group:finance", requireAction=n == 0) for n in range(2)]
    await office.patch(decided, {"actionType": "Rejected", "actionNote": ATTACK})
    await office.patch(archived, {"actionType": "Archived"}, token=office.token(AMALA, groups=GROUPS[AMALA]))
    seen = {"asking": asking, "sent": sent, "replaced": replaced, "decided": decided, "archived": archived}
    return seen | {"template": office.templates["email"]}


PAGES = {
    "sign-in": (None, "/sign-in"),
    "inbox": (AMALA, "/inbox"),
    "nothing": (AMALA, "/inbox?show=unread&type=Repair"),
    "popups": (AMALA, "/inbox/popups"),
    "asking": (AMALA, "/inbox/{asking}"),
    "sent": (AMALA, "/inbox/{sent}"),
    "done": (AMALA, "/inbox/{sent}?done=read"),
    "decided": (AMALA, "/inbox/{decided}"),
    "replaced": (AMALA, "/inbox/{replaced}"),
    "archived": (AMALA, "/inbox/{archived}"),
    "put away": (AMALA, "/inbox?show=archived"),
    "no such page": (None, "/inbox/a/b/c"),
    "gone": (AMALA, "/inbox/gone"),
    "forbidden": (AMALA, "/developer"),
    "register": (MARY, "/register"),
    "search": (ADA, "/developer"),
    "timeline": (ADA, "/developer/notifications/{sent}"),
    "services": (ADA, "/developer/services"),
    "service": (ADA, "/developer/services/demo"),
    "webhook": (ADA, "/developer/services/demo/webhook"),
    "keys": (ADA, "/developer/services/demo/keys"),
    "templates": (ADA, "/developer/services/demo/templates"),
    "template": (ADA, "/developer/services/demo/templates/{template}"),
}


@pytest.mark.parametrize("who", [None, AMALA, MARY, ADA], ids=["nobody", "amala", "mary", "ada"])
async def test_axe_finds_nothing_and_nothing_runs_over(
    with_scripts: Desk, furnished: dict[str, str], who: str | None
) -> None:
    """Every page, on a telephone and on a desk."""
    if who is not None:
        await with_scripts.sign_in(who)
    page, found = with_scripts.page, {}
    for name, (whose, path) in PAGES.items():
        if whose != who:
            continue
        await page.goto(path.format(**furnished))
        for width in WIDTHS:
            await page.set_viewport_size({"width": width, "height": 800})
            over = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            if over > 0:
                found[f"{name} {width}"] = [f"{over} pixels over"]
            if violations := await with_scripts.violations():
                found[f"{name} {width}"] = violations
        assert await page.evaluate("window.attacked") is None

    assert found == {}


async def test_axe_finds_nothing_where_something_is_wrong(
    with_scripts: Desk, furnished: dict[str, str]
) -> None:
    page = with_scripts.page
    await page.goto("/sign-in")
    await page.get_by_role("button", name="Sign in", exact=True).click()
    signing_in = await with_scripts.violations()
    await with_scripts.sign_in(AMALA)
    await page.goto(f"/inbox/{furnished['asking']}")
    await page.get_by_role("button", name="Approve").click()
    await page.get_by_role("alert").wait_for()
    deciding = await with_scripts.violations()

    assert (signing_in, deciding) == ([], [])
    # The summary has the focus: a screen reader begins with it.
    assert await page.evaluate("document.activeElement.className") == "govuk-error-summary"
    await page.get_by_role("link", name="Say why: Approved needs a note.").click()
    assert await page.evaluate("document.activeElement.id") == "note"


async def test_an_officer_decides_by_keyboard_alone(desk: Desk, office: Any) -> None:
    one = await made(office, requireAction=True, message="Decide by keyboard")
    await desk.sign_in(AMALA)
    await desk.page.goto("/inbox?show=action")
    await desk.press("Tab")
    assert await desk.page.locator(":focus").inner_text() == "Skip to main content"
    await desk.press("Enter")
    await desk.page.locator(f'a[href^="/inbox/{one}"]').focus()
    await desk.press("Enter")
    await desk.page.get_by_role("heading", name="Your decision").wait_for()
    await desk.page.keyboard.press("Home")
    await desk.page.get_by_label("Note").focus()
    await desk.page.keyboard.type("All is well")
    await desk.press("Tab", "Enter")
    await desk.page.get_by_text("You have approved it").wait_for()

    item = (await office.get(f"/notifications/{one}")).body
    assert (item["performedActionType"], item["actionNote"], item["performedActionDoneBy"]) == (
        "Approved",
        "All is well",
        AMALA,
    )


async def test_every_control_of_a_notification_is_reached_by_the_tab_key(
    with_scripts: Desk, office: Any
) -> None:
    one = await made(office, requireAction=True)
    await with_scripts.sign_in(AMALA)
    await with_scripts.page.goto(f"/inbox/{one}")
    for name in (
        "Skip to main content",
        "Postroom",
        "Sign out",
        "My notifications",
        "Back",
        "I have seen it",
        "Note",
        "Approve",
        "Reject",
        "Validate",
        "Take it up",
    ):
        await with_scripts.tab_to(name)


async def test_having_seen_it_is_confirmed_and_the_badge_follows(desk: Desk, office: Any) -> None:
    await desk.sign_in(JOE)
    one = await made(office, user=JOE, requireAction=True)
    await desk.page.goto(f"/inbox/{one}")
    badge = desk.page.locator(".app-count")
    before = int((await badge.inner_text()).split()[0])
    await desk.page.get_by_role("button", name="I have seen it").press("Enter")
    await desk.page.get_by_text("You have confirmed that you have seen it").wait_for()
    after = int((await badge.inner_text()).split()[0]) if await badge.count() else 0

    assert after == before - 1


async def test_a_developer_searches_by_keyboard(desk: Desk, office: Any, furnished: dict[str, str]) -> None:
    await desk.sign_in(ADA)
    await desk.page.goto("/developer")
    await desk.page.get_by_label("Search by").focus()
    await desk.page.keyboard.type("Recipient")
    await desk.page.get_by_label("What it is").focus()
    await desk.page.keyboard.type("joe@example.com")
    await desk.press("Enter")
    await desk.page.get_by_role("heading", name="Found").wait_for()

    assert "joe" not in desk.page.url
    link = desk.page.locator(f'a[href="/developer/notifications/{furnished["sent"]}"]')
    await link.focus()
    await desk.press("Enter")
    await desk.page.get_by_text("Delivered.", exact=True).wait_for()


async def test_a_key_is_issued_and_shown_once(desk: Desk, office: Any) -> None:
    await desk.sign_in(ADA)
    await desk.page.goto("/developer/services/other/keys")
    name = f"of the browser {id(desk)}"
    await desk.page.get_by_label("Name").fill(name)
    await desk.page.get_by_role("button", name="Issue the key").press("Enter")
    await desk.page.get_by_text("Copy it now: it is not shown again").wait_for()
    key = await desk.page.locator(".govuk-notification-banner .app-mono").inner_text()

    assert (await office.get("/notifications", key=key)).status == 200
    await desk.page.goto("/developer/services/other/keys")
    assert key not in await desk.page.content()
    assert name in await desk.page.locator("main").inner_text()


async def test_two_officers_see_each_others_decision(browser: Browser, office: Any) -> None:
    one = await made(office, user="group:finance", requireAction=True)
    windows = []
    for email in (AMALA, JOE):
        context = await browser.new_context(base_url=office.url)
        window = Desk(office, await context.new_page())
        await window.sign_in(email)
        await window.page.goto(f"/inbox/{one}")
        windows.append(window)
    amala, joe = windows
    await amala.page.get_by_label("Note").fill("Fine")
    await amala.page.get_by_role("button", name="Approve").click()
    await amala.page.get_by_text("You have approved it").wait_for()
    await joe.page.get_by_label("Note").fill("Too dear")
    await joe.page.get_by_role("button", name="Reject").click()
    await joe.page.get_by_text(f"Approved by {AMALA}").first.wait_for()
    told = await joe.page.locator(".govuk-error-summary").inner_text()
    for window in windows:
        await window.page.context.close()

    assert "Somebody changed this since you opened it" in told


async def test_a_doubled_click_decides_once(with_scripts: Desk, office: Any) -> None:
    one = await made(office, requireAction=True)
    await with_scripts.sign_in(AMALA)
    await with_scripts.page.goto(f"/inbox/{one}")
    await with_scripts.page.get_by_label("Note").fill("Fine")
    await with_scripts.page.get_by_role("button", name="Approve").dblclick()
    await with_scripts.page.get_by_text("You have approved it").wait_for()

    lines = (await office.get(f"/notifications/{one}/timeline")).body
    assert [line["text"] for line in lines] == ["Accepted and kept.", "Seen.", "Approved."]
