"""The bell on the officers' own pages: what its script calls the API with, and the demo's page."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from postroom.interfaces.tokens import Tokens
from postroom.interfaces.web.demo_page import SAMPLES
from postroom.settings import ReadyOfficer
from tests.interfaces.api.conftest import running_office, settings_for
from tests.web.conftest import AMALA, GROUPS, Visitor

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def the_token(visitor: Visitor) -> str:
    page = await visitor.see("/inbox")
    got = await visitor.send(
        "POST", "/inbox/token", fields={"token": page.form_token}, headers={"Origin": visitor.office.url}
    )
    assert (got.status, got.headers["Content-Type"]) == (200, "application/json"), got.text
    assert got.headers["Cache-Control"] == "no-store"
    return got.markup.removeprefix('{"token":"').removesuffix('"}')


async def test_without_scripts_there_is_a_link_with_the_count(amala: Visitor, office: Any) -> None:
    before = await amala.see("/inbox")
    await office.accepted(office.screen(user=AMALA))
    after = await amala.see("/inbox")

    assert '<a class="app-bell" href="/inbox">Notifications</a>' in before.markup
    assert '<a class="app-bell" href="/inbox">1 unread</a>' in after.markup


async def test_a_page_gets_a_token_with_the_same_rights_for_minutes(amala: Visitor, office: Any) -> None:
    token = await the_token(amala)
    told = await Tokens(office.app.settings, clock=office.app.clock).verified(token)
    own = await Tokens(office.app.settings, clock=office.app.clock).verified(amala.token)
    answer = await office.get("/notifications/count", token=token)

    assert token != amala.token
    assert (told.who, told.issued_at) == (own.who, own.issued_at)
    assert told.expires <= office.app.clock().timestamp() + 300
    assert answer.status == 200


async def test_it_does_not_outlive_the_one_that_it_was_made_of(office: Any) -> None:
    tokens = Tokens(office.app.settings, clock=office.app.clock)
    own = await tokens.verified(office.token(AMALA, groups=GROUPS[AMALA]))
    soon = replace(own, expires=office.app.clock().timestamp() + 60)
    once = await tokens.verified(tokens.for_a_page(soon))
    twice = await tokens.verified(tokens.for_a_page(once))

    assert twice.expires <= once.expires <= soon.expires


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null"])
async def test_no_other_page_gets_it(amala: Visitor, origin: str) -> None:
    page = await amala.see("/inbox")
    with_token = {"token": page.form_token}
    cases = [(with_token, {"Origin": origin}), ({"token": "guessed"}, {"Origin": amala.office.url})]
    for fields, headers in cases:
        got = await amala.send("POST", "/inbox/token", fields=fields, headers=headers)
        assert (got.status, "eyJ" in got.markup) == (403, False)


async def test_nobody_gets_it_who_is_not_signed_in(visitors: Callable[[str], Visitor]) -> None:
    nobody = visitors("")
    page = await nobody.see("/sign-in")
    headers = {"Origin": nobody.office.url}
    fields = {"token": page.form_token}
    got = await nobody.send("POST", "/inbox/token", fields=fields, headers=headers, follow=False)

    assert (got.status, got.markup) == (303, "")


async def test_another_secret_makes_no_token(office: Any) -> None:
    tokens = Tokens(office.app.settings, clock=office.app.clock)
    forged = office.signed({"iss": "postroom:pages", "email": AMALA, "exp": 4_000_000_000})
    others = Tokens(
        replace(office.app.settings, secret="another secret that is long enough"), clock=tokens._clock
    )
    own = await tokens.verified(office.token(AMALA))

    for token in (forged, others.for_a_page(own)):
        assert (await office.get("/notifications", token=token)).status == 401


async def test_the_page_of_the_demo_is_not_there_elsewhere(amala: Visitor) -> None:
    for method, path in (("GET", "/demo"), ("POST", "/demo/token"), ("POST", "/demo/send")):
        assert (await amala.send(method, path)).status == 404


@pytest_asyncio.fixture(loop_scope="module")
async def demo(tmp_path: Path) -> AsyncIterator[Visitor]:
    """Anybody at a demo with one officer."""
    settings = settings_for(f"sqlite:///{tmp_path / 'postroom.db'}", POSTROOM_INSECURE_COOKIES="on")
    officers = (ReadyOfficer(AMALA, ("finance",), "An officer."),)
    pages = replace(settings.pages, ready_officers=officers, ready_service="demo")
    jar = aiohttp.CookieJar(unsafe=True)
    async with (
        running_office(replace(settings, pages=pages)) as office,
        aiohttp.ClientSession(cookie_jar=jar) as session,
    ):
        yield Visitor(office, session)


async def test_the_demo_has_a_bell_for_each_officer_and_something_to_send(demo: Visitor) -> None:
    shown = await demo.see("/demo")
    fields = {"token": shown.form_token, "officer": AMALA}
    got = await demo.send("POST", "/demo/token", fields=fields, headers={"Origin": demo.office.url})
    token = got.markup.removeprefix('{"token":"').removesuffix('"}')
    sent = []
    for what in ("plain", "asks", "sensitive"):
        await demo.fill("/demo/send", on="/demo", to="group:finance", what=what)
        newest = (await demo.office.get("/notifications?limit=1", token=token)).body[0]
        sent.append((newest["requireAction"], newest["sensitive"]))
    nobody = await demo.fill("/demo/token", on="/demo", officer="somebody@example.com")
    nothing = await demo.fill("/demo/send", on="/demo", to=AMALA, what="nothing")

    assert f'data-bell-of="{AMALA}"' in shown.markup
    assert sent == [(False, False), (True, False), (False, True)]
    assert [name for name in SAMPLES if f'value="{name}"' not in shown.markup] == []
    assert (nobody.status, nothing.status) == (404, 400)
