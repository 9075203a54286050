"""Popups in a real browser: turned on at the pages and on a page of another origin, and shown by the worker.

What a maker's network does is done here: the address of a subscription is one of our own push service, and
what came there is handed to the worker as the browser would.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from postroom.domain.caller import Person
from postroom.features.inbox.push.subscriptions import unsubscribe_all
from tests.push_service import PushService, running_push_service
from tests.web.conftest import AMALA, GROUPS, ROLES
from tests.web.test_browser import AXE, CHROMIUM, FLAGS

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here: install it to see the pages"),
]

# The part of a browser that asks its maker for an address: a headless one has no maker to ask.
WITH_A_MAKER = """
(() => {
  const KEPT = "subscription of a test";
  const given = GIVEN;
  const there = () => JSON.parse(localStorage.getItem(KEPT) ?? "null");
  const made = () => {
    const kept = there();
    return kept && {
      endpoint: given.endpoint,
      options: { applicationServerKey: Uint8Array.from(kept).buffer },
      toJSON: () => given,
      unsubscribe: async () => { localStorage.removeItem(KEPT); return true; },
    };
  };
  PushManager.prototype.getSubscription = async () => made();
  PushManager.prototype.subscribe = async ({ userVisibleOnly, applicationServerKey }) => {
    if (!userVisibleOnly || applicationServerKey.length !== 65) throw new Error("this is refused");
    localStorage.setItem(KEPT, JSON.stringify([...applicationServerKey]));
    return made();
  };
})();
"""
SHOWN = """navigator.serviceWorker.ready
  .then(registration => registration.getNotifications())
  .then(all => all.map(({ title, body, tag, data }) => ({ title, body, tag, url: data.url })))"""


@pytest.fixture(scope="module")
def chosen() -> dict[str, str]:
    return ROLES | {"POSTROOM_ALLOWED_ORIGINS": "http://localhost:*"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def service(office: Any) -> AsyncIterator[PushService]:
    async with running_push_service() as running:
        yield running
    async with office.app.database.transaction() as conn:
        await unsubscribe_all(conn, Person(AMALA), vault=office.app.vault)


async def opened(browser: Browser, service: PushService, origin: str) -> tuple[BrowserContext, Page]:
    """A browser whose subscriptions are with our push service, and which may show popups of that origin."""
    context = await browser.new_context(base_url=origin)
    await context.grant_permissions(["notifications"], origin=origin)
    given = json.dumps(service.browser("amala").subscription)
    await context.add_init_script(WITH_A_MAKER.replace("GIVEN", given))
    return context, await context.new_page()


async def sign_in(office: Any, page: Page, wanted: str) -> None:
    await page.goto(f"/sign-in?next={wanted}")
    await page.get_by_label("Your token").fill(office.token(AMALA, groups=GROUPS[AMALA]))
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await page.get_by_text(AMALA).wait_for()


async def come_true(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        await asyncio.sleep(0.05)


class Worker:
    """The service worker of a page's origin: what its browser is pushed is given to it."""

    def __init__(self, context: BrowserContext, page: Page, origin: str) -> None:
        self._context = context
        self._page = page
        self._origin = origin
        self._registrations: dict[str, str] = {}

    async def watch(self) -> None:
        self._session = await self._context.new_cdp_session(self._page)
        self._session.on("ServiceWorker.workerRegistrationUpdated", self._note)
        await self._session.send("ServiceWorker.enable")
        await come_true(lambda: bool(self._registrations))

    def _note(self, told: Any) -> None:
        self._registrations |= {each["scopeURL"]: each["registrationId"] for each in told["registrations"]}

    async def push(self, told: Any) -> None:
        registration = self._registrations[f"{self._origin}/"]
        how = {"origin": self._origin, "registrationId": registration, "data": json.dumps(told)}
        await self._session.send("ServiceWorker.deliverPushMessage", how)


async def test_an_officer_turns_popups_on_is_shown_one_and_turns_them_off(
    browser: Browser, office: Any, service: PushService
) -> None:
    context, page = await opened(browser, service, office.url)
    await sign_in(office, page, "/inbox/popups")
    await page.get_by_role("button", name="Turn on popups").click()
    await page.get_by_text("Popups are on in this browser.").wait_for()
    await page.reload()
    await page.get_by_text("Popups are on in this browser.").wait_for()
    await page.get_by_text("a browser since").wait_for()
    assert await page.get_by_text("Popups need JavaScript").count() == 0
    await page.evaluate(AXE)
    assert await page.evaluate("axe.run().then(found => found.violations.map(one => one.id))") == []
    worker = Worker(context, page, office.url)
    await worker.watch()
    await page.goto("about:blank")

    made = await office.accepted(office.screen(user=AMALA, targetType="Estimates", message="Block 12"))
    amala = service.browsers["amala"]
    await come_true(lambda: bool(amala.shown))
    for told in (*amala.shown, *amala.shown):
        await worker.push(told)
    await page.goto("/inbox/popups")
    end = time.monotonic() + 10
    while not (shown := await page.evaluate(SHOWN)):
        assert time.monotonic() < end
        await asyncio.sleep(0.05)
    assert shown == [
        {
            "title": "Estimates to approve",
            "body": "Block 12",
            "tag": made["id"],
            "url": f"{office.url}/inbox/{made['id']}",
        }
    ]

    await page.get_by_role("button", name="Turn off popups", exact=True).click()
    await page.get_by_text("Popups are off in this browser.").wait_for()
    answer = await office.get("/push", token=office.token(AMALA))
    assert answer.body["subscriptions"] == []
    await context.close()


async def test_who_signs_out_has_popups_there_no_more(
    browser: Browser, office: Any, service: PushService
) -> None:
    context, page = await opened(browser, service, office.url)
    await sign_in(office, page, "/inbox/popups")
    await page.get_by_role("button", name="Turn on popups").click()
    await page.get_by_text("Popups are on in this browser.").wait_for()
    assert len((await office.get("/push", token=office.token(AMALA))).body["subscriptions"]) == 1
    await page.get_by_role("button", name="Sign out").click()
    await page.get_by_role("heading", name="Sign in").wait_for()

    assert (await office.get("/push", token=office.token(AMALA))).body["subscriptions"] == []
    await context.close()


@pytest.mark.parametrize("where", ["here", "elsewhere"])
async def test_what_is_turned_off_for_all_computers_stays_off_when_a_page_is_opened(
    browser: Browser, office: Any, service: PushService, where: str
) -> None:
    context, page = await opened(browser, service, office.url)
    await sign_in(office, page, "/inbox/popups")
    await page.get_by_role("button", name="Turn on popups").click()
    await page.get_by_text("Popups are on in this browser.").wait_for()
    await page.reload()
    await page.get_by_text("a browser since").wait_for()
    if where == "here":
        await page.get_by_role("button", name="Turn off popups on all my computers").click()
        await page.get_by_text("Popups are off on all your computers").wait_for()
    else:
        async with office.app.database.transaction() as conn:
            await unsubscribe_all(conn, Person(AMALA), vault=office.app.vault)
        await page.reload()

    await page.get_by_text("Popups are off in this browser.").wait_for()
    assert (await office.get("/push", token=office.token(AMALA))).body["subscriptions"] == []
    await page.get_by_role("button", name="Turn on popups").click()
    await page.get_by_text("Popups are on in this browser.").wait_for()
    assert len((await office.get("/push", token=office.token(AMALA))).body["subscriptions"]) == 1
    await context.close()


async def test_whoever_looks_at_the_page_gets_no_popup_but_the_page_is_told(
    browser: Browser, office: Any, service: PushService
) -> None:
    context, page = await opened(browser, service, office.url)
    await sign_in(office, page, "/inbox/popups")
    await page.get_by_role("button", name="Turn on popups").click()
    await page.get_by_text("Popups are on in this browser.").wait_for()
    worker = Worker(context, page, office.url)
    await worker.watch()
    await page.evaluate(
        "navigator.serviceWorker.addEventListener('message', said => { window.told = said.data })"
    )
    await worker.push({"id": "one", "title": "New", "body": "", "tag": "one", "url": "/", "unread": 1})

    await page.wait_for_function("window.told")
    assert await page.evaluate("[told.type, told.notification.id]") == ["postroom-push", "one"]
    assert await page.evaluate(SHOWN) == []
    await context.close()


@pytest.mark.parametrize("said", ["", "no JSON", "[]", "null", '{"url": "javascript:alert(1)"}'])
async def test_what_cannot_be_read_is_a_popup_all_the_same(
    browser: Browser, office: Any, service: PushService, said: str
) -> None:
    """A browser wants one for each push, and shows its own words where there is none."""
    context, page = await opened(browser, service, office.url)
    await page.goto("/inbox")
    await page.evaluate("navigator.serviceWorker.register('/push-worker.js')")
    worker = Worker(context, page, office.url)
    await worker.watch()
    await page.goto("about:blank")
    how = {"origin": office.url, "registrationId": worker._registrations[f"{office.url}/"], "data": said}
    await worker._session.send("ServiceWorker.deliverPushMessage", how)
    await page.goto("/sign-in")

    end = time.monotonic() + 10
    while not (shown := await page.evaluate(SHOWN)):
        assert time.monotonic() < end
        await asyncio.sleep(0.05)
    [popup] = shown
    assert popup["title"] == "New notifications"
    assert popup["url"].startswith(office.url) or popup["url"] == "/"
    await context.close()


async def test_popups_for_a_page_of_another_origin(
    browser: Browser, office: Any, service: PushService
) -> None:
    async with FrontEnd(office) as origin:
        context, page = await opened(browser, service, origin)
        await page.goto("/")
        # What a module waits for, its page's load does not.
        await page.wait_for_function("window.how")
        assert await page.evaluate("popups.state(how)") == "off"
        assert await page.evaluate("popups.renew(how)") == "off"
        assert await page.evaluate("popups.subscribe(how)") == "on"
        assert await page.evaluate("popups.state(how)") == "on"
        assert await page.evaluate("popups.renew(how)") == "on"
        worker = Worker(context, page, origin)
        await worker.watch()
        await page.goto("about:blank")

        made = await office.accepted(office.screen(user=AMALA))
        amala = service.browsers["amala"]
        await come_true(lambda: bool(amala.shown))
        await worker.push(amala.shown[0])
        await page.goto("/")
        await page.wait_for_function("window.how")
        end = time.monotonic() + 10
        while not (shown := await page.evaluate(SHOWN)):
            assert time.monotonic() < end
            await asyncio.sleep(0.05)
        assert [each["url"] for each in shown] == [f"{origin}/notifications/{made['id']}"]

        assert await page.evaluate("popups.unsubscribe(how)") == "off"
        assert (await office.get("/push", token=office.token(AMALA))).body["subscriptions"] == []
        await context.close()


class FrontEnd:
    """A front end as the guide has it, on another origin."""

    def __init__(self, office: Any) -> None:
        self._office = office

    async def __aenter__(self) -> str:
        self._runner = web.AppRunner(self._app())
        await self._runner.setup()
        await web.TCPSite(self._runner, "localhost", 0).start()
        self.origin = f"http://localhost:{self._runner.addresses[0][1]}"
        return self.origin

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def _app(self) -> web.Application:
        postroom = json.dumps(self._office.url)
        how = json.dumps(
            {"api": self._office.url, "token": self._office.token(AMALA), "worker": "/popups-worker.js"}
        )
        page = (
            '<!doctype html><html lang="en"><title>A front end</title><script type="module">'
            f"window.popups = await import({postroom} + '/push.js'); window.how = {how};</script>"
        )

        async def show(_: web.Request) -> web.Response:
            return web.Response(text=page, content_type="text/html")

        async def worker(_: web.Request) -> web.Response:
            text = (
                f"self.postroom = {{ page: '{self.origin}/notifications/{{id}}' }};\n"
                f"importScripts({postroom} + '/push-worker.js');"
            )
            return web.Response(text=text, content_type="text/javascript")

        app = web.Application()
        app.router.add_get("/", show)
        app.router.add_get("/popups-worker.js", worker)
        return app


async def test_without_scripts_the_page_says_so_and_turns_all_off(
    browser: Browser, office: Any, service: PushService
) -> None:
    body = service.browser("hers").subscription
    answer = await office.call("POST", "/push/subscriptions", body=body, token=office.token(AMALA))
    assert answer.status == 201, answer.text
    context = await browser.new_context(base_url=office.url, java_script_enabled=False)
    page = await context.new_page()
    await sign_in(office, page, "/inbox")
    await page.get_by_role("link", name="Popups on this computer").click()
    await page.get_by_text("Popups need JavaScript").wait_for()
    assert await page.get_by_role("button", name="Turn on popups").count() == 0
    await page.get_by_role("button", name="Turn off popups on all my computers").click()

    await page.get_by_text("Popups are off on all your computers").wait_for()
    assert (await office.get("/push", token=office.token(AMALA))).body["subscriptions"] == []
    await context.close()


async def test_a_form_of_somebody_else_changes_nothing(amala: Any, service: PushService) -> None:
    told = service.browser("hers").subscription
    fields = {"how": "on", "endpoint": told["endpoint"], **told["keys"]}
    origin = {"Origin": amala.office.url}
    token = (await amala.see("/inbox/popups")).form_token
    for wrong in ({"token": "made up"}, {"token": token, "auth": "x"}, {"token": token, "how": "maybe"}):
        answer = await amala.send("POST", "/inbox/popups", fields=fields | wrong, headers=origin)
        assert answer.status in (400, 403, 404), answer.text

    assert (await amala.office.get("/push", token=amala.office.token(AMALA))).body["subscriptions"] == []
