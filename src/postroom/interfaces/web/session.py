"""Who looks at the pages: by a token that they gave us, or by that of the council's own sign-in.

A token is verified as the API verifies it. What may change something comes by a form: from our own origin,
with a token of its own that is bound to the browser and to the person.
"""

import hmac
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from litestar import Request
from litestar.datastructures import Cookie

from postroom.domain.caller import Person
from postroom.domain.errors import Unauthenticated
from postroom.features.recipients import Memberships
from postroom.interfaces.tokens import Tokens, Verified
from postroom.kit.clock import Clock
from postroom.kit.crypto import Vault
from postroom.settings import PageSettings

LONGEST_TOKEN = 3_800
"""What fits into a cookie."""
_MOST_REMEMBERED = 1_000


@dataclass(frozen=True, slots=True)
class Visitor:
    """`browser` is drawn for each browser, `is_new` where that was just now."""

    person: Person | None
    browser: str
    is_new: bool = False
    by_sso: bool = False
    had_token: bool = False
    """They gave a token that is not valid, or not any more."""
    token: str = field(default="", repr=False)
    """By which the person is known."""


class Sessions:
    """Reads and writes the cookies of the pages. Nothing is kept on this side."""

    def __init__(
        self,
        *,
        pages: PageSettings,
        tokens: Tokens,
        memberships: Memberships,
        vault: Vault,
        clock: Clock,
    ) -> None:
        self._pages = pages
        self._tokens = tokens
        self._memberships = memberships
        self._vault = vault
        self._clock = clock
        self._known: dict[str, Verified] = {}
        # A name with __Host- is taken from nobody but this very host, over https.
        front = "postroom" if pages.insecure_cookies else "__Host-postroom"
        self._token_cookie, self._browser_cookie, self._out_cookie = (
            f"{front}-{what}" for what in ("token", "browser", "out")
        )

    async def visitor(self, request: Request[Any, Any, Any]) -> Visitor:
        cookies = request.cookies
        browser = cookies.get(self._browser_cookie, "")
        is_new = not 20 <= len(browser) <= 100
        if is_new:
            browser = secrets.token_urlsafe(24)
        own = cookies.get(self._token_cookie)
        council = cookies.get(self._pages.sso_cookie) if self._pages.sso_cookie else None
        person = await self._person(own)
        if person is None and council and self._out_cookie not in cookies:
            person = await self._person(council)
            is_known = person is not None
            return Visitor(person, browser, is_new, by_sso=is_known, had_token=not is_known, token=council)
        return Visitor(person, browser, is_new, had_token=bool(own) and person is None, token=own or "")

    async def person_of(self, token: str) -> Person:
        """Whom a token names; Unauthenticated where it is not right, or names no person."""
        known = await self._verified(token)
        if not isinstance(known.who, Person):
            raise Unauthenticated("This is a service's token: the pages are for people.")
        return await self._memberships.complete(known.who)

    async def token_for_script(self, visitor: Visitor) -> str:
        """A token of minutes for a script of ours, which is not to have the one in the cookie."""
        return self._tokens.for_a_page(await self._verified(visitor.token))

    async def _verified(self, token: str) -> Verified:
        known = self._known.get(token)
        now = self._clock().timestamp()
        if known is None or known.until <= now:
            known = await self._tokens.verified(token)
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[token] = known
            if isinstance(known.who, Person):
                issued_at = datetime.fromtimestamp(known.issued_at, UTC)
                await self._memberships.hear(known.who, issued_at=issued_at)
        return known

    async def _person(self, token: str | None) -> Person | None:
        if not token:
            return None
        try:
            return await self.person_of(token)
        except Unauthenticated:
            return None

    def has_sso(self, request: Request[Any, Any, Any]) -> bool:
        """Whether the council's own sign-in has left its cookie here."""
        return bool(self._pages.sso_cookie and request.cookies.get(self._pages.sso_cookie))

    def form_token(self, visitor: Visitor) -> str:
        """What every form of this person in this browser carries."""
        email = "" if visitor.person is None else visitor.person.email
        return urlsafe_b64encode(
            self._vault.digest(f"form of the pages\0{visitor.browser}\0{email}")
        ).decode()

    def is_ours(self, request: Request[Any, Any, Any], visitor: Visitor, form_token: str) -> bool:
        """Whether a form comes from a page that this person was shown in this browser."""
        if visitor.is_new or not hmac.compare_digest(
            self.form_token(visitor).encode(), form_token.encode("utf-8", "replace")
        ):
            return False
        site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
        if site not in (None, "same-origin") or (site is None and origin is None):
            return False
        if origin is None:
            return True
        if self._pages.origin:
            return origin == self._pages.origin
        return urlsplit(origin).netloc == request.headers.get("host", "")

    def browser_cookie(self, visitor: Visitor) -> Cookie:
        return self._cookie(self._browser_cookie, visitor.browser)

    def signed_in(self, token: str) -> list[Cookie]:
        return [self._cookie(self._token_cookie, token), self._gone(self._out_cookie)]

    def signed_in_by_sso(self) -> list[Cookie]:
        return [self._gone(self._token_cookie), self._gone(self._out_cookie)]

    def signed_out(self) -> list[Cookie]:
        """The council's own cookie is not ours to take away: it is left aside until they sign in again."""
        return [
            self._gone(self._token_cookie),
            self._gone(self._browser_cookie),
            self._cookie(self._out_cookie, "1"),
        ]

    def _cookie(self, name: str, value: str, *, max_age: int | None = None) -> Cookie:
        return Cookie(
            key=name,
            value=value,
            path="/",
            httponly=True,
            samesite="lax",
            secure=not self._pages.insecure_cookies,
            max_age=max_age,
        )

    def _gone(self, name: str) -> Cookie:
        return self._cookie(name, "", max_age=0)
