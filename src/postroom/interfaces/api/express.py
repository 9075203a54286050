"""The short way in for the two requests that come by the thousand: a POST of a notification, and a receipt.

The framework finds a route, prepares a request and turns what a handler returns into an answer. Of all that
these two need nothing but headers and body, and it costs as much as the handler itself (bench/accept.py).
They are the same handlers; whatever else is asked of these paths goes the usual way.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from litestar import Litestar, Request
from litestar.types import ASGIApp, Receive, Scope, Send

from postroom.interfaces.api.answer import Answer
from postroom.interfaces.api.problems import TooLarge, error_answer

Handler = Callable[["ShortRequest"], Awaitable[ASGIApp | None]]


class ShortRequest(Request[Any, Any, Any]):
    """A request of which headers and body can be asked, and the app that it came to."""

    def __init__(self, scope: Scope, receive: Receive, *, app: Litestar, largest: int) -> None:
        # Not the framework's own: most of what it prepares is never asked for.
        self.scope = scope  # type: ignore[assignment]
        self.receive = receive
        self._litestar = app
        self._largest = largest
        self._headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}

    @property
    def app(self) -> Litestar:
        return self._litestar

    @property
    def headers(self) -> Mapping[str, str]:  # type: ignore[override]
        """By lower-case names, as servers give them."""
        return self._headers

    async def body(self) -> bytes:
        """The whole body; TooLarge where it is larger than the largest."""
        length = self._headers.get("content-length", "0")
        if length.isdigit() and int(length) > self._largest:
            raise TooLarge("What was sent is larger than is read here.")
        body = b""
        while True:
            message = await self.receive()
            if message["type"] != "http.request":
                raise ConnectionAbortedError
            body += message.get("body", b"")
            if len(body) > self._largest:
                raise TooLarge("What was sent is larger than is read here.")
            if not message.get("more_body", False):
                return body


class Express:
    """An ASGI application around the framework's: what it has a handler for goes the short way."""

    def __init__(self, app: Litestar, handlers: Mapping[tuple[str, str], tuple[Handler, int]]) -> None:
        """`handlers` are by method and path, each with the largest body that it reads."""
        self._app = app
        self._handlers = handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = self._handlers.get((scope.get("method", ""), scope["path"]))  # type: ignore[arg-type]
        if found is None:
            await self._app(scope, receive, send)
            return
        handler, largest = found
        request = ShortRequest(scope, receive, app=self._app, largest=largest)
        try:
            answer = await handler(request) or _NOTHING
        except ConnectionAbortedError:
            return
        except Exception as error:
            answer = error_answer(scope, error)
        await answer(scope, receive, send)


_NOTHING = Answer(b"", status=204)
