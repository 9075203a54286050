"""An answer whose bytes and headers are ready: it is sent as it is, without a further look at either."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from litestar.types import Receive, Scope, Send

encode: Callable[[Any], bytes] = msgspec.json.Encoder().encode
_JSON = b"application/json"
_WITHOUT_BODY = frozenset({204, 304})


class Answer:
    """An ASGI application that sends one answer. Header names are lower-case."""

    __slots__ = ("_body", "_headers", "_status")

    def __init__(
        self,
        body: bytes,
        *,
        status: int = 200,
        media_type: bytes = _JSON,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._body = body
        self._status = status
        self._headers: list[tuple[bytes, bytes]] = []
        if status not in _WITHOUT_BODY:
            self._headers += [(b"content-type", media_type), (b"content-length", b"%d" % len(body))]
        if headers:
            self._headers += [
                (name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()
            ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self._status, "headers": self._headers})
        await send({"type": "http.response.body", "body": self._body, "more_body": False})


def json_answer(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(encode(value), status=status, headers=headers)
