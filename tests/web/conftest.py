"""People at the pages: each with cookies of their own, and forms that they send as a browser would."""

import html
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from yarl import URL

from postroom.features.services import set_link_hosts
from tests.interfaces.api.conftest import Office, running_office, settings_for

AMALA, JOE, MARY, KOFI, ADA = (
    f"{name}@hackney.gov.uk" for name in ("amala", "joe", "mary.manager", "kofi.developer", "ada.admin")
)
GROUPS = {
    AMALA: ("finance",),
    JOE: ("finance", "repairs"),
    MARY: ("finance", "managers"),
    KOFI: ("developers",),
    ADA: ("admins",),
}
ROLES = {
    "POSTROOM_MANAGER_GROUPS": "managers",
    "POSTROOM_DEVELOPER_GROUPS": "developers",
    "POSTROOM_ADMIN_GROUPS": "admins",
    "POSTROOM_INSECURE_COOKIES": "on",
}
_TOKEN = re.compile(r'name="token" value="([^"]*)"')
_TAGS = re.compile(r"<(?:script|style).*?</(?:script|style)>|<[^>]*>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Shown:
    """A page: `text` is what a reader sees of it, with single spaces."""

    status: int
    headers: Any
    markup: str

    @property
    def text(self) -> str:
        return " ".join(html.unescape(_TAGS.sub(" ", self.markup)).split())

    @property
    def heading(self) -> str:
        found = re.search(r"<h1[^>]*>(.*?)</h1>", self.markup, re.DOTALL)
        assert found, self.markup
        return html.unescape(found[1]).strip()

    @property
    def form_token(self) -> str:
        found = _TOKEN.search(self.markup)
        assert found, self.text
        return html.unescape(found[1])

    def value(self, name: str) -> str:
        """The value of a hidden field."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.markup)
        assert found, (name, self.text)
        return html.unescape(found[1])

    @property
    def faults(self) -> dict[str, str]:
        """The messages of the error summary by the fields that they lead to."""
        summary = re.search(r"govuk-error-summary__list.*?</ul>", self.markup, re.DOTALL)
        links = re.findall(r'<a href="#([^"]*)">(.*?)</a>', summary[0]) if summary else []
        return {name: html.unescape(text).strip() for name, text in links}


@dataclass
class Visitor:
    """Somebody in front of a browser."""

    office: Office
    session: aiohttp.ClientSession
    email: str = ""
    token: str = field(default="", repr=False)

    async def send(
        self,
        method: str,
        path: str,
        *,
        fields: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        follow: bool = True,
    ) -> Shown:
        url = URL(self.office.url + path, encoded=True)
        async with self.session.request(
            method, url, data=fields, headers=headers, allow_redirects=follow
        ) as got:
            return Shown(status=got.status, headers=got.headers.copy(), markup=await got.text())

    async def see(self, path: str, **how: Any) -> Shown:
        return await self.send("GET", path, **how)

    async def fill(self, path: str, *, on: str, origin: str | None = None, **fields: str) -> Shown:
        """Send a form that stands on the page at `on`, as a browser does."""
        page = await self.see(on)
        sent = {"token": page.form_token} | {name.replace("__", "-"): text for name, text in fields.items()}
        return await self.send("POST", path, fields=sent, headers={"Origin": origin or self.office.url})

    async def sign_in(self) -> Shown:
        return await self.fill("/sign-in", on="/sign-in", officer__token=self.token)


@pytest.fixture(scope="module")
def chosen() -> dict[str, str]:
    return ROLES


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory, chosen: dict[str, str]) -> AsyncIterator[Office]:
    """On SQLite alone: what the pages ask, tests/features asks on both databases."""
    place = tmp_path_factory.mktemp("office")
    async with running_office(settings_for(f"sqlite:///{place / 'postroom.db'}", **chosen)) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def visitors(office: Office) -> AsyncIterator[Callable[[str], Visitor]]:
    """Makes somebody who has not signed in yet."""
    sessions: list[aiohttp.ClientSession] = []

    def visitor(email: str = "") -> Visitor:
        sessions.append(aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)))
        token = office.token(email, groups=GROUPS[email]) if email else ""
        return Visitor(office, sessions[-1], email, token)

    yield visitor
    for session in sessions:
        await session.close()


async def _signed_in(visitors: Callable[[str], Visitor], email: str) -> Visitor:
    visitor = visitors(email)
    shown = await visitor.sign_in()
    assert shown.status == 200, shown.text
    return visitor


@pytest_asyncio.fixture(loop_scope="module")
async def amala(visitors: Callable[[str], Visitor]) -> Visitor:
    return await _signed_in(visitors, AMALA)


@pytest_asyncio.fixture(loop_scope="module")
async def joe(visitors: Callable[[str], Visitor]) -> Visitor:
    return await _signed_in(visitors, JOE)


@pytest_asyncio.fixture(loop_scope="module")
async def mary(visitors: Callable[[str], Visitor]) -> Visitor:
    return await _signed_in(visitors, MARY)


@pytest_asyncio.fixture(loop_scope="module")
async def kofi(visitors: Callable[[str], Visitor]) -> Visitor:
    return await _signed_in(visitors, KOFI)


@pytest_asyncio.fixture(loop_scope="module")
async def ada(visitors: Callable[[str], Visitor]) -> Visitor:
    return await _signed_in(visitors, ADA)


async def allow_links(office: Office, host: str) -> None:
    """The demo's service may lead people on to that host, from now on."""
    async with office.app.database.transaction() as conn:
        await set_link_hosts(conn, service_id=office.service_id, hosts=[host])
    office.app.directory._known.clear()
    office.app.directory._known_keys.clear()
