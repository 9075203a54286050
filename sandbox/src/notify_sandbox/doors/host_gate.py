"""Keeps web pages of others away: a name that they made point to this machine is not ours."""

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from notify_sandbox.loopback import host_of, is_loopback


class HostGate:
    """For the pages and the sandbox's own API, which have no keys. Notify's API has."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP and not scope["path"].startswith("/v2/"):
            named = next((value for name, value in scope["headers"] if name == b"host"), b"")
            if not is_loopback(host_of(named.decode("latin-1"))):
                await _refuse(send)
                return
        await self._app(scope, receive, send)


async def _refuse(send: Send) -> None:
    body = b"This sandbox answers to localhost alone."
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 421, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
