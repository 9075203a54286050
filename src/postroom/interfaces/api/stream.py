"""What changes for the asking person, as it happens: server-sent events, read by fetch with a token.

A stream goes the short way in, and holds as little as it can: once its answer has begun it has nothing but
the connection, and no task waits on it.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, cast
from urllib.parse import parse_qsl

import msgspec
from litestar import get
from litestar.types import ASGIApp, Receive, Scope, Send

from postroom.domain.caller import Person
from postroom.domain.errors import FieldError, Invalid
from postroom.features.inbox.live import Live
from postroom.features.inbox.places import Place, read_place
from postroom.features.inbox.viewers import Event, Subscriber, Told
from postroom.interfaces.api.connection import connection_of
from postroom.interfaces.api.parts import AnyRequest, parts_of
from postroom.interfaces.api.problems import error_answer
from postroom.interfaces.api.schemas import UnreadItem
from postroom.interfaces.api.translate import to_item
from postroom.kit.log import get_logger

log = get_logger(__name__)

OWN_FIELDS = ("isReadStatus", "isSeenStatus", "isArchived")
"""What is each person's own: it is left out where one thing is told to many."""

_MOST_BYTES = 256 * 1024
"""What a client may leave unread, beyond what lies in the system's buffers."""
_LONGEST_ID = 40
_LAST_SECONDS = 0.3
_LONGEST_SECONDS = 900
"""A client comes again after that: by then its reader may be in other groups."""
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"connection", b"close"),
    # A proxy that gathers answers would hold each event up.
    (b"x-accel-buffering", b"no"),
]
_BEGINNING = b"retry: 2000\n\n"
_LAST_CHUNK = b"0\r\n\r\n"
_encode = msgspec.json.Encoder().encode


@get("/notifications/stream")
async def stream_notifications(request: AnyRequest) -> ASGIApp:
    postroom, authenticator = parts_of(request)
    person, until = await authenticator.person(request)
    query = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    if query:
        raise Invalid([FieldError(name[:100], "There is no such filter.") for name, _ in query])
    last = request.headers.get("last-event-id")
    since = None if last is None else read_place(last[:_LONGEST_ID]) or Place(0, "")
    seconds = until - postroom.clock().timestamp()
    return StreamAnswer(postroom.live, person, since=since, lasts=seconds)


class StreamAnswer:
    """An ASGI application that tells what changes until the client leaves, the token ends, or we do."""

    __slots__ = ("_lasts", "_live", "_person", "_since")

    def __init__(self, live: Live, person: Person, *, since: Place | None, lasts: float) -> None:
        self._live = live
        self._person = person
        self._since = since
        self._lasts = lasts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        stream = _Stream(gone=self._live.leave, lasts=min(self._lasts, _LONGEST_SECONDS))
        try:
            await self._live.join(self._person, stream, since=self._since)
        except BaseException as error:
            self._live.leave(stream)
            if not isinstance(error, Exception):
                raise
            # Nothing has been sent yet: the client is told why, as ever.
            await error_answer(scope, error)(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        connection_of(scope).take_over(stream)


class _Stream(asyncio.Protocol):
    """A client's connection, once the answer on it has begun: who does not read is not waited for.

    What is told before is kept for then. What a client sends is nothing to us.
    """

    __slots__ = ("_early", "_ending", "_gone", "_is_over", "_lasts", "_transport")

    def __init__(self, *, gone: Callable[[Subscriber], None], lasts: float) -> None:
        self._gone = gone
        self._lasts = lasts
        self._early = [_BEGINNING]
        self._transport: asyncio.Transport | None = None
        self._ending: asyncio.TimerHandle | None = None
        self._is_over = False

    def tell(self, screens: str, events: Iterable[Event]) -> None:
        """Send the events soon; end where too much waits already."""
        wire = b"".join(
            [b"id: %d.%b\n%b\n" % (each.position, screens.encode(), _wire(each)) for each in events]
        )
        if self._is_over or not wire:
            return
        if self._transport is None:
            self._early.append(wire)
            return
        waiting = self._transport.get_write_buffer_size()
        if waiting > _MOST_BYTES:
            log.info("a stream whose client does not read is ended", bytes=waiting)
            self._break_off()
            return
        self._transport.write(_chunk(wire))

    def end(self) -> None:
        """End the stream: its client is told that it is over, and comes again if it likes."""
        if self._is_over:
            return
        self._is_over = True
        if self._transport is not None:
            self._transport.write(_LAST_CHUNK)
            self._transport.close()
            asyncio.get_running_loop().call_later(_LAST_SECONDS, self._transport.abort)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are none by their class
        self._transport.write(_chunk(b"".join(self._early)))
        self._early.clear()
        if self._is_over:
            self._is_over = False
            self.end()
        else:
            self._ending = asyncio.get_running_loop().call_later(self._lasts, self.end)

    def connection_lost(self, _: Exception | None) -> None:
        self._is_over = True
        if self._ending is not None:
            self._ending.cancel()
        self._gone(self)

    def _break_off(self) -> None:
        self._is_over = True
        if self._transport is not None:
            self._transport.abort()


def _chunk(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(body), body)


def _wire(event: Event) -> bytes:
    """The event as it is sent, but for its id: that names the reader's screens. Made once for all readers."""
    if event.wire is None:
        event.wire = b"" if event.kind is Told.PLACE else _named(event)
    return event.wire


def _named(event: Event) -> bytes:
    return b"event: %b\ndata: %b\n" % (event.kind.value.encode(), _encode(_data(event)))


def _data(event: Event) -> Any:
    if event.count is not None:
        return UnreadItem(unread=event.count.number, is_exact=event.count.is_exact)
    if event.notification is None:
        return {} if event.notification_id is None else {"id": event.notification_id}
    item = to_item(event.notification)
    if event.is_own or event.kind is Told.NEW:
        return item
    shown = msgspec.to_builtins(item, builtin_types=())
    return {name: value for name, value in shown.items() if name not in OWN_FIELDS}
