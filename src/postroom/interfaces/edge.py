"""The outermost layer: correlation ids, who may ask from another origin, the prefix, a log line a request."""

import re
import time
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from litestar.enums import ScopeType

from postroom.interfaces.origins import ANY, Origins
from postroom.kit import log as logs
from postroom.kit.ids import new_id

if TYPE_CHECKING:
    from litestar.types import ASGIApp, Message, Receive, Scope, Send

_CORRELATION_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_QUIET = ("/health",)
_OURS = frozenset(
    {
        "",
        "notifications",
        "dead-letters",
        "feedback",
        "webhook",
        "message-status",
        "templates",
        "groups",
        "patches",
        "receipts",
        "services",
        "metrics",
        "audit",
        "f",
        "bell",
        "bell.json",
        "push",
        "push.js",
        "push-worker.js",
        "docs",
        "openapi.json",
        "inbox",
        "register",
        "developer",
        "sign-in",
        "sign-out",
        "pages",
        "demo",
    }
)
"""The first parts of our paths, which alone are logged."""
_AHEAD = (b"sec-purpose", b"purpose", b"x-purpose", b"x-moz")
_PREVIEWS = re.compile(
    rb"(?:google|bing|apple|twitter|slack|telegram|discord|linkedin|face)bot|slack-imgproxy|facebookexternalhit"
    rb"|^whatsapp/|skypeuripreview|bingpreview|microsoftpreview|google-safety"
)
"""Programs that show what a link in a message leads to, or judge it."""
_FOR_ANYBODY = ("/bell/", "/bell.json", "/push.js", "/push-worker.js")
"""What any page may load: it says nothing about anybody."""
_ANYBODY = Origins((ANY,))
_TOO_LARGE = 413
_MOST_DRAINED = 64 * 1024 * 1024


class Edge:
    """An ASGI application around the API. Of a path only our own words are logged: ids and keys stay out."""

    def __init__(self, app: "ASGIApp", *, prefix: str, origins: Origins) -> None:
        self._app = app
        self._prefix = prefix
        self._origins = origins

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] == ScopeType.WEBSOCKET:
            await self._app(scope, receive, send)
            return
        self._strip_prefix(scope)
        correlation_id, origin, asks_before = _read_headers(scope["headers"])
        scope["correlation_id"] = correlation_id  # type: ignore[typeddict-unknown-key]
        started = time.perf_counter()
        status = 0
        origins = _ANYBODY if scope["path"].startswith(_FOR_ANYBODY) else self._origins
        added = ((b"x-correlation-id", correlation_id.encode()), *origins.answer_headers(origin))
        app = self._app
        if asks_before and origin is not None and scope["method"] == "OPTIONS":
            # Nobody has to sign in to ask that, and it comes to no endpoint.
            app, added = _no_content, (added[0], *origins.preflight_headers(origin))
        body_ended = False

        async def receive_noting_end() -> "Any":
            nonlocal body_ended
            message = await receive()
            body_ended = not message.get("more_body", False)
            return message

        async def send_with_id(message: "Message") -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if status == _TOO_LARGE and not body_ended:
                    await _drain(receive)
                message["headers"] = [*message["headers"], *added]
            await send(message)

        method = scope["method"]
        with logs.correlated(correlation_id):
            await app(scope, receive_noting_end, send_with_id)
        if not scope["path"].startswith(_QUIET):
            logs.write_request(
                method=method,
                path=_shown(scope["path"]),
                status=status,
                ms=round((time.perf_counter() - started) * 1000, 1),
                correlation_id=correlation_id,
            )

    def _strip_prefix(self, scope: Any) -> None:
        if self._prefix and scope["path"].startswith(self._prefix + "/"):
            scope["path"] = scope["path"][len(self._prefix) :]
            scope["raw_path"] = scope["path"].encode()


async def _no_content(_: Any, __: Any, send: "Send") -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _drain(receive: "Receive") -> None:
    """Read what a client is still sending, so that it comes to read the answer; up to a limit."""
    left = _MOST_DRAINED
    while left > 0:
        message = await receive()
        if message["type"] != "http.request" or not message.get("more_body", False):
            return
        left -= len(message.get("body", b""))


def correlation_id_of(scope: "Scope") -> str | None:
    """The correlation id of the request whose scope this is."""
    value = scope.get("correlation_id")
    return value if isinstance(value, str) else None


def caller_ip_of(scope: "Scope", *, behind_gateway: bool) -> str | None:
    """Where the caller is: the other end of the connection, or whom the gateway before us says it called for.

    A caller can write anything into the header; what the gateway has added stands last.
    """
    told = scope["client"][0] if scope.get("client") else ""  # type: ignore[index]
    if behind_gateway:
        every = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
        told = every[-1].decode("latin-1").rpartition(",")[2].strip() if every else ""
    try:
        return str(ip_address(told.strip("[]")))
    except ValueError:
        return None


def looks_ahead(scope: "Scope") -> bool:
    """Whether a program looks at an address before a person does, or without one, and says so."""
    if scope.get("method") == "HEAD":
        return True
    said = {name: value.lower() for name, value in scope["headers"]}
    return any(b"prefetch" in said.get(name, b"") for name in _AHEAD) or bool(
        _PREVIEWS.search(said.get(b"user-agent", b""))
    )


def _read_headers(headers: Any) -> tuple[str, bytes | None, bool]:
    """The correlation id, a new one where none is right; a page's origin; whether its browser asks before."""
    correlation_id = origin = None
    asks_before = False
    for name, value in headers:
        if name == b"x-correlation-id":
            if correlation_id is None and _CORRELATION_ID.fullmatch(value):
                correlation_id = bytes(value).decode()
        elif name == b"origin":
            origin = bytes(value)
        elif name == b"access-control-request-method":
            asks_before = True
    return correlation_id or new_id(), origin, asks_before


def _shown(path: str) -> str:
    """The path without what stands in it: `/message-status/<raw key>/<id>` becomes `/message-status/…`.

    A first part that is none of ours may be anything, a mistyped key too.
    """
    _, _, rest = path.partition("/")
    first, more, _ = rest.partition("/")
    if first not in _OURS:
        return "/…"
    return f"/{first}/…" if more else f"/{first}"
