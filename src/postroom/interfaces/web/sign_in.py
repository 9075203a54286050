"""Signing in and out: by the council's own sign-in, by a token, and at the demo as whom one likes."""

from datetime import timedelta

from litestar.handlers import HTTPRouteHandler

from postroom.domain.errors import FieldError, Unauthenticated
from postroom.interfaces.tokens import issue_officer_token
from postroom.interfaces.web.failures import show_failure
from postroom.interfaces.web.paths import SIGN_IN, SIGN_OUT, leads_back
from postroom.interfaces.web.session import LONGEST_TOKEN
from postroom.interfaces.web.shell import Answer
from postroom.interfaces.web.visit import Door, Visit, form, view

_TEMPLATE = "sign_in.html"
_DEMO_LASTS = timedelta(days=1)


def handlers(door: Door) -> list[HTTPRouteHandler]:
    return [
        view(door, SIGN_IN, _show, on_error=show_failure, open_to_all=True),
        form(door, SIGN_IN, _sign_in, on_error=show_failure, open_to_all=True),
        form(door, SIGN_OUT, _sign_out, on_error=show_failure, open_to_all=True),
    ]


async def _show(visit: Visit, *, errors: tuple[FieldError, ...] = (), status: int = 200) -> Answer:
    pages = visit.app.settings.pages
    wanted = visit.fields.get("next") or visit.asked("next")
    return await visit.page(
        _TEMPLATE,
        title="Sign in",
        status=status,
        errors=errors,
        next=leads_back(wanted or None),
        officers=pages.ready_officers,
        sign_in_url=pages.sign_in_url,
        has_sso=visit.door.sessions.has_sso(visit.request),
        has_ended=visit.visitor.had_token,
    )


async def _sign_in(visit: Visit) -> Answer:
    wanted = leads_back(visit.fields.get("next"))
    sessions = visit.door.sessions
    if visit.fields.get("how") == "sso":
        return visit.go(wanted, cookies=sessions.signed_in_by_sso())
    token = demo_token(visit) or "".join(visit.fields.get("officer-token", "").split())
    token = token.removeprefix("Bearer")
    fault = await _fault(visit, token)
    if fault is not None:
        return await _show(visit, errors=(FieldError("officer-token", fault),), status=400)
    cookies = [*sessions.signed_in(token), sessions.browser_cookie(visit.visitor)]
    return visit.go(wanted, cookies=cookies)


async def _fault(visit: Visit, token: str) -> str | None:
    if not token:
        return "Paste your token"
    if len(token) > LONGEST_TOKEN:
        return "This token is too long for a browser to keep"
    try:
        await visit.door.sessions.person_of(token)
    except Unauthenticated as error:
        return str(error).rstrip(".")
    return None


def demo_token(visit: Visit) -> str | None:
    """A token of one of the demo's people. Elsewhere there are none."""
    settings = visit.app.settings
    for officer in settings.pages.ready_officers:
        if officer.email == visit.fields.get("officer"):
            return issue_officer_token(
                secret=settings.officer_token_secret,
                email=officer.email,
                groups=list(officer.groups),
                issued_at=int(visit.app.clock().timestamp()),
                valid_for_seconds=int(_DEMO_LASTS.total_seconds()),
            )
    return None


async def _sign_out(visit: Visit) -> Answer:
    return visit.go(SIGN_IN, cookies=visit.door.sessions.signed_out())
