"""The outermost layer: requests meet the faults in force here, before and after everything else."""

import asyncio
from collections import deque
from typing import Any

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPReceiveMessage, Message, Receive, Scope, Send, WebSocketReceiveMessage

from notify_sandbox.faults import ApiFault, Fault, Faults

_Received = HTTPReceiveMessage | WebSocketReceiveMessage
_AFTER = frozenset({Fault.TIMEOUT_AFTER_ACCEPTING, Fault.RESET_AFTER_ACCEPTING, Fault.ERROR_AFTER_ACCEPTING})


class FaultGate:
    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._faults.api or scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        fault = self._faults.next_for(scope.get("method", ""), scope["path"])
        if fault is None:
            await self._app(scope, receive, send)
        elif fault.kind is Fault.SLOW:
            received = await _received(receive)
            await asyncio.sleep(fault.seconds)
            await self._app(scope, _again(received, receive), send)
        elif fault.kind in _AFTER:
            await self._app(scope, receive, _swallow)
            await _fail(fault, scope, receive, send)
        else:
            await _read_all(receive)
            await _fail(fault, scope, receive, send)


async def _fail(fault: ApiFault, scope: Scope, receive: Receive, send: Send) -> None:
    match fault.kind:
        case Fault.ERROR | Fault.ERROR_AFTER_ACCEPTING:
            await _answer(send, 500, _v2("InternalServerError", "Internal server error", 500))
        case Fault.LIMITED:
            message = "Exceeded rate limit for key type LIVE of 3000 requests per 60 seconds"
            await _answer(send, 429, _v2("RateLimitError", message, 429))
        case Fault.RUBBISH:
            await _answer(send, 200, b"<html><h1>502 Bad Gateway</h1>{]", kind=b"text/html")
        case Fault.SILENT | Fault.TIMEOUT_AFTER_ACCEPTING:
            await _wait_for_hang_up(receive)
        case _:
            _cut(send)


async def _swallow(message: Message) -> None:
    """Takes an answer that is never given."""


async def _read_all(receive: Receive) -> None:
    await _received(receive)


async def _received(receive: Receive) -> list[_Received]:
    """The whole request. What was received is worked on, though whoever sent it may hang up meanwhile."""
    messages = []
    while True:
        message = await receive()
        messages.append(message)
        if message["type"] != "http.request" or not message.get("more_body"):
            return messages


def _again(received: list[_Received], receive: Receive) -> Receive:
    """Gives out what was received, and then what comes."""
    waiting = deque(received)

    async def next_message() -> _Received:
        return waiting.popleft() if waiting else await receive()

    return next_message


async def _wait_for_hang_up(receive: Receive) -> None:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return


def _cut(send: Send) -> None:
    """Cuts the connection. ASGI has no word for it, so uvicorn's own transport is asked."""
    transport: Any = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is not None:
        transport.abort()


async def _answer(send: Send, status: int, body: bytes, *, kind: bytes = b"application/json") -> None:
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _v2(error: str, message: str, status: int) -> bytes:
    return msgspec.json.encode({"errors": [{"error": error, "message": message}], "status_code": status})
