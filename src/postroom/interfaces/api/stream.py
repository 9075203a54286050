"""What changes for the asking person, as it happens: server-sent events, read by fetch with a token.

A stream goes the short way in, and holds as little as it can: one task waits for its client to go away, and
another is there only while there is something to send.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from litestar import get
from litestar.types import ASGIApp, Receive, Scope, Send

from postroom.domain.caller import Person
from postroom.domain.errors import FieldError, Invalid
from postroom.features.inbox.live import Live
from postroom.features.inbox.places import Place, read_place
from postroom.features.inbox.viewers import Event, Told
from postroom.interfaces.api.parts import AnyRequest, parts_of
from postroom.interfaces.api.problems import error_answer
from postroom.interfaces.api.schemas import UnreadItem
from postroom.interfaces.api.translate import to_item
from postroom.kit.log import get_logger

log = get_logger(__name__)

BREAK_OFF = "postroom.break_off"
"""The extension of the server by which a connection is ended at once, whatever is still to be sent."""

OWN_FIELDS = ("isReadStatus", "isSeenStatus", "isArchived")
"""What is each person's own: it is left out where one thing is told to many."""

_MOST_WAITING = 256
_MOST_BYTES = 512 * 1024
_LONGEST_ID = 40
_LAST_SECONDS = 0.3
_LONGEST_SECONDS = 900
"""A client comes again after that: by then its reader may be in other groups."""
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    # A proxy that gathers answers would hold each event up.
    (b"x-accel-buffering", b"no"),
]
_BEGINNING = b"retry: 2000\n\n"
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
        stream = _Stream(send, break_off=break_off_of(scope))
        ending = asyncio.get_running_loop().call_later(min(self._lasts, _LONGEST_SECONDS), stream.end)
        try:
            await self._live.join(self._person, stream, since=self._since)
            while (await receive())["type"] != "http.disconnect":
                pass
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not stream.is_ended or task is None:
                raise
            task.uncancel()
        except Exception as error:
            # Nothing has been sent yet: the client is told why, as ever.
            await error_answer(scope, error)(scope, receive, send)
            return
        finally:
            ending.cancel()
            self._live.leave(stream)
        await stream.close(receive)


class _Stream:
    """What is still to be sent to one client, up to so much: who does not read is not waited for."""

    __slots__ = ("_break_off", "_bytes", "_has_begun", "_send", "_task", "_waiting", "_writing", "is_ended")

    def __init__(self, send: Send, *, break_off: Callable[[], None]) -> None:
        self._send = send
        self._break_off = break_off
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._task = asyncio.current_task()
        self._writing: asyncio.Task[None] | None = None
        self._has_begun = False
        self.is_ended = False

    def tell(self, screens: str, events: Iterable[Event]) -> None:
        """Send the events soon; end where too much waits already."""
        if self.is_ended:
            return
        for event in events:
            self._wait(b"id: %d.%b\n%b\n" % (event.position, screens.encode(), _wire(event)))
        if len(self._waiting) > 1 and (len(self._waiting) > _MOST_WAITING or self._bytes > _MOST_BYTES):
            log.info("a stream whose client does not read is ended", waiting=len(self._waiting))
            self._break_off()
            self.end()
        elif self._writing is None:
            self._writing = asyncio.create_task(self._write())

    def end(self) -> None:
        """End the stream: its client is told that it is over, and comes again if it likes."""
        if not self.is_ended and self._task is not None:
            self.is_ended = True
            self._task.cancel()

    async def close(self, receive: Receive) -> None:
        """Send the end of the answer, or break it off where the client does not take it soon."""
        self.is_ended = True
        last = asyncio.create_task(self._finish())
        if last not in (await asyncio.wait({last}, timeout=_LAST_SECONDS))[0]:
            last.cancel()
            self._break_off()
            while (await receive())["type"] != "http.disconnect":
                pass

    async def _finish(self) -> None:
        if self._writing is not None:
            await asyncio.wait({self._writing})
        await self._begin()
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    def _wait(self, wire: bytes) -> None:
        self._waiting.append(wire)
        self._bytes += len(wire)

    async def _write(self) -> None:
        try:
            await self._begin()
            while self._waiting:
                body = b"".join(self._waiting)
                self._waiting.clear()
                self._bytes = 0
                await self._send({"type": "http.response.body", "body": body, "more_body": True})
        finally:
            self._writing = None

    async def _begin(self) -> None:
        if not self._has_begun:
            self._has_begun = True
            await self._send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            await self._send({"type": "http.response.body", "body": _BEGINNING, "more_body": True})


def break_off_of(scope: Scope) -> Callable[[], None]:
    """What ends the connection at once."""
    extensions: Any = scope.get("extensions") or {}
    found: Callable[[], None] = extensions.get(BREAK_OFF, {}).get("call", lambda: None)
    return found


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
