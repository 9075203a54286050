"""The short links of emails and texts: on to where they lead, or a page that says why they lead nowhere."""

import base64
import hashlib
from html import escape

from litestar import HttpMethod, route
from litestar.types import ASGIApp

from postroom.domain.errors import NotFound
from postroom.features.notifications.follow import Visitor, follow
from postroom.features.notifications.follow_on import PATH, Broken
from postroom.interfaces.api.answer import Answer
from postroom.interfaces.api.parts import AnyRequest, parts_of
from postroom.interfaces.edge import caller_ip_of, correlation_id_of, looks_ahead
from postroom.kit.crypto import CannotOpen
from postroom.kit.log import get_logger

log = get_logger(__name__)

_STYLE = """
body{margin:0;background:#fff;color:#0b0c0c;font:1.1875rem/1.4 "Open Sans",Arial,sans-serif}
header{background:#00664f;color:#fff;font-weight:700;padding:.75rem 1rem}
main{max-width:40rem;margin:0 auto;padding:2rem 1rem}
h1{font-size:2rem;line-height:1.15;margin:0 0 1.5rem}
p{margin:0 0 1.25rem}
"""
_ALLOWED = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex, nofollow",
}
_PAGE_HEADERS = _HEADERS | {
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{_ALLOWED}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
}
_SAYS = {
    Broken.TAMPERED: (
        404,
        "This link does not work",
        "Check that you have the whole link. In a text message it can be broken over two lines.",
    ),
    Broken.EXPIRED: (
        410,
        "This link has expired",
        "Links in our messages work for a limited time.",
    ),
}
_GONE = (410, "This is not available any more", "What this link led to has been taken away.")
_UNREADABLE = (503, "Something is wrong on our side", "We cannot open this link just now. Try again later.")
_WHAT_NEXT = "If you still need to do something, contact the team that sent you the message."


@route(f"{PATH}{{token:str}}", http_method=[HttpMethod.GET, HttpMethod.HEAD])
async def follow_link(request: AnyRequest) -> ASGIApp:
    postroom, _ = parts_of(request)
    now = postroom.clock()
    followed = postroom.links.read(str(request.path_params["token"]), now=now)
    if isinstance(followed, Broken):
        return _page(*_SAYS[followed])
    visitor = Visitor(
        counts=not looks_ahead(request.scope),
        ip=caller_ip_of(request.scope, behind_gateway=postroom.settings.trust.behind_gateway),
        correlation_id=correlation_id_of(request.scope),
    )
    try:
        async with postroom.database.transaction() as conn:
            target = await follow(conn, followed, visitor, vault=postroom.vault, now=now)
    except NotFound:
        return _page(*_GONE)
    except CannotOpen:
        log.error("the notification of a link cannot be opened", notification=followed.notification_id)
        return _page(*_UNREADABLE)
    postroom.live.ring()
    postroom.dispatcher.ring()
    return Answer(b"", status=303, media_type=b"text/plain", headers={"location": target, **_HEADERS})


def _page(status: int, title: str, why: str) -> Answer:
    text = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<header>Hackney Council</header>\n<main>\n<h1>{escape(title)}</h1>\n"
        f"<p>{escape(why)}</p>\n<p>{escape(_WHAT_NEXT)}</p>\n</main>\n</body>\n</html>\n"
    )
    return Answer(text.encode(), status=status, media_type=b"text/html; charset=utf-8", headers=_PAGE_HEADERS)
