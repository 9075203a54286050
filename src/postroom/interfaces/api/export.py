"""The list of notifications as a CSV: all its pages, streamed, with what the list masks masked."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import replace
from typing import Any

import msgspec
from litestar.types import Receive, Scope, Send

from postroom.domain.caller import Caller
from postroom.domain.errors import FieldError, Invalid
from postroom.features.notifications.find import Filters, Page, find_page
from postroom.interfaces.api.connection import connection_of
from postroom.interfaces.api.parts import AnyRequest, parts_of
from postroom.interfaces.api.query import COUNTABLE, CSV, parse_filters
from postroom.interfaces.api.schemas import NotificationItem
from postroom.interfaces.api.translate import to_item
from postroom.kit.csv_text import csv_text
from postroom.kit.log import get_logger

log = get_logger(__name__)

COLUMNS = tuple(
    field.encode_name for field in msgspec.structs.fields(NotificationItem) if field.name != "service_key"
)
_MEDIA_TYPE = "text/csv"
_OF_PAGES = ("limit", "cursor")
_PAGE = 200
_HEADERS = [
    (b"content-type", b"text/csv; charset=utf-8; header=present"),
    (b"content-disposition", b'attachment; filename="notifications.csv"'),
    (b"cache-control", b"no-store"),
]


def wants_csv(request: AnyRequest) -> bool:
    """Whether it is asked for by `format`, or where that is not said by the Accept header."""
    chosen = request.query_params.get("format")
    if chosen is not None:
        return bool(chosen == CSV)
    accepted = request.headers.get("accept", "").lower()
    return any(part.split(";")[0].strip() == _MEDIA_TYPE for part in accepted.split(","))


def filters_of_csv(request: AnyRequest) -> Filters:
    """The filters, without those of pages; Invalid with everything at fault."""
    errors = [
        FieldError(name, "A CSV holds all pages: leave this out.")
        for name in _OF_PAGES
        if name in request.query_params
    ]
    try:
        filters = parse_filters(request, known=(*COUNTABLE, *_OF_PAGES, "format"))
    except Invalid as invalid:
        named = {error.field for error in errors}
        raise Invalid([*errors, *(each for each in invalid.errors if each.field not in named)]) from None
    if errors:
        raise Invalid(errors)
    return replace(filters, limit=_PAGE)


async def csv_answer(request: AnyRequest, filters: Filters, caller: Caller) -> "CsvAnswer":
    """The answer, with its first page read: what is wrong is told before anything is sent."""
    return CsvAnswer(request, filters, caller, await _page(request, filters, caller))


class CsvAnswer:
    """An ASGI application that sends page after page, each read by itself, until the client leaves.

    Pages follow one another by ids, so that nothing is missing or twice while more arrive. A CSV that
    cannot be finished is broken off: its reader sees that it is not whole.
    """

    __slots__ = ("_caller", "_filters", "_first", "_request")

    def __init__(self, request: AnyRequest, filters: Filters, caller: Caller, first: Page) -> None:
        self._request = request
        self._filters = filters
        self._caller = caller
        self._first = first

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await _send_body(send, csv_text([COLUMNS]))
        leaving = asyncio.create_task(_until_left(receive))
        try:
            async for page in self._pages():
                if leaving.done():
                    return
                await _send_body(send, csv_text(map(as_row, map(to_item, page.items))))
        except Exception as error:
            log.error("a CSV was broken off", exc_info=error)
            connection_of(scope).break_off()
            return
        finally:
            leaving.cancel()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _pages(self) -> AsyncIterator[Page]:
        page = self._first
        yield page
        while page.next_before is not None:
            page = await _page(self._request, replace(self._filters, before=page.next_before), self._caller)
            yield page


def as_row(item: NotificationItem) -> list[object]:
    """The values of an item in the order of COLUMNS, each as text for a cell."""
    told = msgspec.to_builtins(item)
    return [_cell(name, told[name]) for name in COLUMNS]


async def _page(request: AnyRequest, filters: Filters, caller: Caller) -> Page:
    postroom, _ = parts_of(request)
    async with postroom.database.reading() as conn:
        return await find_page(conn, filters, caller=caller, vault=postroom.vault)


async def _send_body(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def _until_left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _cell(name: str, value: Any) -> object:
    if name == "deliveries":
        return "; ".join(map(_delivery, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "; ".join(map(str, value))
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False) if value else None
    return value


def _delivery(told: Mapping[str, Any]) -> str:
    """As in "Email delivered", or "Text permanent-failure: no such number"."""
    words: Iterable[str] = (told["channel"], told["status"])
    reason = told["failureReason"]
    return " ".join(words) + (f": {reason}" if reason else "")
