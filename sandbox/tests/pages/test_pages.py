"""The pages, in a real browser: seen by their reader, worked by their buttons, checked by axe."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from notifications_python_client import NotificationsAPIClient
from playwright.async_api import Browser, Page, async_playwright

from notify_sandbox.catching import CallbackServer, callback_server
from notify_sandbox.testing import SandboxUnderTest, running_sandbox

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
AXE = (Path(__file__).parent / "axe.min.js").read_text()
ADDRESS = {"address_line_1": "Kofi Mensah", "address_line_2": "1 Mare Street", "address_line_3": "E8 1EA"}

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


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def receipts() -> AsyncIterator[CallbackServer]:
    async with callback_server() as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(receipts: CallbackServer) -> AsyncIterator[SandboxUnderTest]:
    async with running_sandbox(callback_url=receipts.url) as sandbox:
        await asyncio.to_thread(send_one_of_each, sandbox)
        yield sandbox


def send_one_of_each(sandbox: SandboxUnderTest) -> None:
    client, templates = NotificationsAPIClient(sandbox.api_key, base_url=sandbox.url), sandbox.templates
    values = {"name": "Amala <script>alert(1)</script>", "ref": "REP-1"}
    client.send_email_notification("amala@example.com", templates["email"], values)
    client.send_sms_notification("07700 900456", templates["text"], {"name": "Joe", "code": 7})
    client.send_letter_notification(templates["letter"], {**ADDRESS, "name": "Kofi"})


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, desk: SandboxUnderTest) -> AsyncIterator[Page]:
    page = await browser.new_page(base_url=desk.url)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    yield page
    await page.close()
    assert [error for error in errors if "404 (Not Found)" not in error] == []


async def subjects(page: Page) -> list[str]:
    return await page.locator("#live tbody a").all_inner_texts()


def id_of(desk: SandboxUnderTest, channel: str) -> str:
    return next(one.id for one in desk.sent() if one.channel == channel)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "email",
        "sms",
        "letter",
        "/sandbox/developer",
        "template",
        "/sandbox/mailbox?to=nobody",
        "/sandbox/messages/gone",
    ],
)
async def test_axe_finds_nothing(path: str, desk: SandboxUnderTest, page: Page) -> None:
    if path in ("email", "sms", "letter"):
        path = f"/sandbox/messages/{id_of(desk, path)}"
    elif path == "template":
        desk.edit_template(desk.templates["text"], name="A text")
        path = f"/sandbox/developer/templates/{desk.templates['text']}"
    await page.goto(path)
    await page.evaluate(AXE)
    found = await page.evaluate("axe.run({resultTypes: ['violations']})")

    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]] == []


async def test_what_was_sent_is_text_and_never_code(desk: SandboxUnderTest, page: Page) -> None:
    await page.goto(f"/sandbox/messages/{id_of(desk, 'email')}")
    heading = await page.locator("h1").inner_text()
    email = await page.frame_locator("iframe").locator("main").inner_text()

    assert heading == "Hello Amala <script>alert(1)</script>"
    assert email.startswith("Dear Amala <script>alert(1)</script>,")


async def test_messages_are_found_by_their_recipient(page: Page) -> None:
    found = {}
    for wanted in ("amala@", "+447700900456", "07700 900 456", "mare street", "nobody"):
        await page.goto("/sandbox/mailbox")
        await page.get_by_label("Find by recipient").fill(wanted)
        async with page.expect_navigation():
            await page.get_by_role("button", name="Find").click()
        found[wanted] = await subjects(page)

    text = ["Hello Joe, your code is 7"]
    assert found == {
        "amala@": ["Hello Amala <script>alert(1)</script>"],
        "+447700900456": text,
        "07700 900 456": text,
        "mare street": ["Letter to Kofi"],
        "nobody": [],
    }


async def test_the_mailbox_is_live(desk: SandboxUnderTest, page: Page) -> None:
    await page.goto("/sandbox/mailbox?to=live")
    await page.get_by_text("Live", exact=True).wait_for()
    client = NotificationsAPIClient(desk.api_key, base_url=desk.url)
    await asyncio.to_thread(client.send_email_notification, "live@example.com", desk.templates["email_plain"])
    await page.get_by_role("link", name="Plain").wait_for(timeout=5_000)
    await page.locator("#live").get_by_text("delivered").wait_for(timeout=5_000)

    assert await subjects(page) == ["Plain"]


async def test_a_button_makes_a_delivery_fail(
    desk: SandboxUnderTest, receipts: CallbackServer, page: Page
) -> None:
    sent = id_of(desk, "sms")
    await page.goto(f"/sandbox/messages/{sent}")
    await page.get_by_role("button", name="Fail: permanent-failure").click()
    await page.locator("strong.govuk-tag", has_text="permanent-failure").wait_for()
    await page.get_by_role("button", name="Send the receipt again").click()
    for _ in range(400):
        told = [one["status"] for one in receipts.bodies if one["id"] == sent]
        if told.count("permanent-failure") == 2:
            break
        await asyncio.sleep(0.01)

    assert told.count("permanent-failure") == 2


async def test_the_letter_is_shown_as_it_is_printed(desk: SandboxUnderTest, page: Page) -> None:
    await page.goto(f"/sandbox/messages/{id_of(desk, 'letter')}")
    width = await page.get_by_alt_text("Page 1 of the letter").evaluate("image => image.naturalWidth")

    assert width == 745


async def test_pages_work_without_scripts(browser: Browser, desk: SandboxUnderTest) -> None:
    context = await browser.new_context(java_script_enabled=False, base_url=desk.url)
    page = await context.new_page()
    await page.goto("/sandbox/developer")
    await page.locator("#kind").select_option("error")
    await page.get_by_role("button", name="Make it fail").click()
    listed = await page.locator("main ul").first.inner_text()
    await page.get_by_role("button", name="End every fault").click()
    healed = await page.get_by_text("None: it answers as GOV.UK Notify does.").count()
    await page.get_by_role("link", name="An email").click()
    await page.get_by_label("Subject").fill("Good day ((name))")
    await page.get_by_role("button", name="Save as version 2").click()
    caption = await page.locator(".govuk-caption-l").inner_text()
    await context.close()

    assert listed == "error for every method /v2/notifications, 1 times"
    assert healed == 1
    assert caption == "Email template, version 2"


@pytest.mark.parametrize(
    ("headers", "data", "status"),
    [
        ({}, {"kind": "error"}, 403),
        ({}, {"kind": "error", "token": "guessed"}, 403),
        ({"Host": "evil.example"}, {"kind": "error"}, 421),
    ],
)
async def test_forms_of_other_pages_are_refused(
    headers: dict[str, str], data: dict[str, str], status: int, desk: SandboxUnderTest
) -> None:
    url = f"{desk.url}/sandbox/developer/faults"
    async with aiohttp.ClientSession() as session, session.post(url, data=data, headers=headers) as answer:
        assert answer.status == status
    assert desk.controls.faults.api == []
