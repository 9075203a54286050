"""The operations that change nothing. All of them may be repeated."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypedDict, TypeVar, Unpack
from urllib.parse import parse_qsl, quote, urlsplit

from postroom_client.models import Count, Health, MessageStatus, Notification, Template
from postroom_client.operation import Operation, Page, Request, Response
from postroom_client.outgoing import Channel
from postroom_client.sending import read_notification
from postroom_client.wire import from_wire

T = TypeVar("T")

_ON_THE_WIRE = {
    "channels": "notificationType",
    "target_id": "targetId",
    "target_type": "targetType",
    "user": "user",
    "is_read": "isReadStatus",
    "is_seen": "isSeenStatus",
    "is_archived": "isArchived",
    "require_action": "requireAction",
    "needs_action": "needsAction",
    "overdue": "overdue",
    "performed_action_type": "performedActionType",
    "created_from": "createdFrom",
    "created_to": "createdTo",
    "reference": "reference",
}
_LINK = re.compile(r"<([^>]*)>([^,<]*)")


def get(_service: str | None, /, notification_id: str) -> Operation[Notification]:
    """One notification, with its `etag`."""
    request = Request(method="GET", path=path_of("notifications", notification_id))
    return Operation(request=request, parse=read_notification)


class Filters(TypedDict, total=False):
    """Which notifications are meant: those that fit everything."""

    channels: Channel | Sequence[Channel]
    target_id: str | None
    target_type: str | None
    user: str | None
    is_read: bool | None
    is_seen: bool | None
    is_archived: bool | None
    require_action: bool | None
    needs_action: bool | None
    overdue: bool | None
    performed_action_type: str | None
    created_from: datetime | None
    created_to: datetime | None
    reference: str | None


def list_notifications(
    _service: str | None, /, *, page_size: int = 200, **filters: Unpack[Filters]
) -> Operation[Page[Notification]]:
    """All notifications that fit, newest first. Pages are fetched as they are reached."""
    query = [*_query({**filters}), ("limit", str(page_size))]
    request = Request(method="GET", path="/notifications", query=query)
    return page_of(request, partial(read_all, Notification))


def count(_service: str | None, /, **filters: Unpack[Filters]) -> Operation[Count]:
    """How many notifications fit."""
    request = Request(method="GET", path="/notifications/count", query=_query({**filters}))
    return Operation(request=request, parse=partial(read, Count))


def message_status(service: str | None, /, message_id: str) -> Operation[MessageStatus]:
    """A message as GOV.UK Notify knows it, by the id of a notification, of a delivery, or Notify's own."""
    request = Request(method="GET", path=path_of("message-status", named(service), message_id))
    return Operation(request=request, parse=partial(read, MessageStatus))


def templates(service: str | None, /, *, refresh: bool = False) -> Operation[tuple[Template, ...]]:
    """The service's templates, at most five minutes old; with `refresh` as they are now."""
    request = Request(
        method="GET", path=path_of("templates", named(service)), query=[("refresh", in_query(refresh))]
    )
    return Operation(request=request, parse=partial(read_all, Template))


def template(service: str | None, /, template_id: str) -> Operation[Template]:
    """One of the service's templates."""
    request = Request(method="GET", path=path_of("templates", named(service), template_id))
    return Operation(request=request, parse=partial(read, Template))


def health(_service: str | None, /) -> Operation[Health]:
    """Whether Postroom can do its work; that it cannot is an answer too."""
    request = Request(method="GET", path="/health")
    return Operation(request=request, parse=partial(read, Health), answers=frozenset({503}))


def path_of(*parts: str) -> str:
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def named(service: str | None) -> str:
    if service is None:
        raise ValueError("Name the service when you make the client: Postroom(…, service=…).")
    return service


def _query(filters: Mapping[str, Any]) -> list[tuple[str, str]]:
    if unknown := filters.keys() - _ON_THE_WIRE.keys():
        # Passed over, it would give more than was meant.
        raise TypeError(f"There is no filter {', '.join(sorted(unknown))}.")
    query = []
    for name, wire_name in _ON_THE_WIRE.items():
        value = filters.get(name)
        several = value if isinstance(value, list | tuple) else [value]
        query += [(wire_name, in_query(each)) for each in several if each is not None]
    return query


def in_query(value: Any) -> str:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("Give a time with its zone.")
        return value.isoformat()
    return str(value).lower() if isinstance(value, bool) else str(value)


def page_of(request: Request, parse: Callable[[Response], Sequence[T]]) -> Operation[Page[T]]:
    """The page that the request gets, and those after it."""
    return Operation(request=request, parse=partial(_read_page, request.path, parse))


def _read_page(path: str, parse: Callable[[Response], Sequence[T]], response: Response) -> Page[T]:
    queries = list(_next_queries(response.headers.get("link", "")))
    following = Request(method="GET", path=path, query=queries[0]) if queries else None
    return Page(items=parse(response), next=None if following is None else page_of(following, parse))


def _next_queries(link: str) -> Iterator[list[tuple[str, str]]]:
    """Of a link only the query is taken: a gateway may have moved the path, no other host gets the key."""
    for target, parameters in _LINK.findall(link):
        if re.search(r';\s*rel="?next"?\s*(;|$)', parameters.strip()):
            yield parse_qsl(urlsplit(target).query, keep_blank_values=True)


def read(kind: type[Any], response: Response) -> Any:
    return from_wire(kind, response.json)


def read_all(kind: type[Any], response: Response) -> tuple[Any, ...]:
    return tuple(from_wire(kind, each) for each in response.json)
