"""The endpoint of the audit: what was done, by whom and when, as JSON or CSV."""

from collections.abc import Mapping

import msgspec
from litestar import get
from litestar.types import ASGIApp

from postroom.domain.errors import FieldError, Invalid
from postroom.domain.scope import Scope
from postroom.features import audit
from postroom.features.notifications.trail import (
    TrailQuery,
    find_trail,
    names_of,
    reads_the_audit,
    scope_of,
)
from postroom.interfaces.api.answer import Answer, json_answer
from postroom.interfaces.api.parts import AnyRequest, parts_of
from postroom.interfaces.api.query import (
    DEFAULT_LIMIT,
    next_link,
    parse,
    read_cursor,
    read_id,
    read_limit,
    read_moment,
    read_one_of,
    read_parameters,
)
from postroom.interfaces.api.schemas import AuditItem
from postroom.kit.csv_text import csv_text

FORMATS = ("json", "csv")
KNOWN = (
    "targetId",
    "user",
    "notificationId",
    "service",
    "kind",
    "from",
    "to",
    "limit",
    "cursor",
    "format",
)
COLUMNS = tuple(field.encode_name for field in msgspec.structs.fields(AuditItem))
_BY_THE_SERVICE = frozenset({audit.Kind.ACCEPTED, audit.Kind.REPLAYED})
"""Where nobody is named, it was the service of the notification itself."""
_ID = read_id("Use a UUID, as in 2adbbec5-cf23-414d-beb3-e6d07968e7b9.")
_CSV = b"text/csv; charset=utf-8; header=present"


@get("/audit")
async def list_audit(request: AnyRequest) -> ASGIApp:
    postroom, authenticator = parts_of(request)
    caller = await authenticator.caller(request, scope=Scope.READ)
    given = {name: str(values[0]) for name, values in read_parameters(request, known=KNOWN).items()}
    query, as_csv = _read(given)
    scope = await scope_of(query, caller=caller, directory=postroom.directory)
    in_full = reads_the_audit(caller)
    async with postroom.database.reading() as conn:
        page = await find_trail(conn, query, scope, in_full=in_full, vault=postroom.vault)
    names = await names_of(page.items, directory=postroom.directory)
    items = [to_item(each, names) for each in page.items]
    headers = next_link("/audit", given.items(), cursor=page.next_before, prefix=postroom.settings.api_prefix)
    if not as_csv:
        return json_answer(items, headers=headers)
    headers["content-disposition"] = 'attachment; filename="audit.csv"'
    return Answer(csv_text([COLUMNS, *map(as_row, items)]).encode(), media_type=_CSV, headers=headers)


def to_item(entry: audit.Recorded, names: Mapping[str, str]) -> AuditItem:
    service = names.get(entry.service_id)
    is_by_it = entry.kind in _BY_THE_SERVICE and not entry.is_unreadable
    return AuditItem(
        id=entry.id,
        at=entry.at,
        kind=entry.kind.value,
        detail=entry.detail,
        actor=entry.actor or (service if is_by_it else None),
        note=entry.note,
        ip=entry.ip,
        notification_id=entry.notification_id,
        service=service,
        correlation_id=entry.correlation_id,
        seal=entry.seal,
        is_unreadable=entry.is_unreadable,
    )


def as_row(item: AuditItem) -> tuple[object, ...]:
    """The values of an item, in the order of COLUMNS."""
    told = msgspec.to_builtins(item)
    return tuple(told[name] for name in COLUMNS)


def _read(given: Mapping[str, str]) -> tuple[TrailQuery, bool]:
    errors: list[FieldError] = []
    query = TrailQuery(
        notification_id=parse(given, "notificationId", _ID, errors),
        target_id=given.get("targetId"),
        user=given.get("user"),
        service=given.get("service"),
        kind=parse(given, "kind", read_one_of(audit.Kind), errors),
        since=parse(given, "from", read_moment, errors),
        until=parse(given, "to", read_moment, errors),
        before=parse(given, "cursor", read_cursor, errors),
        limit=parse(given, "limit", read_limit, errors) or DEFAULT_LIMIT,
    )
    chosen = parse(given, "format", _format, errors)
    if errors:
        raise Invalid(errors)
    return query, chosen == "csv"


def _format(text: str) -> str:
    if text not in FORMATS:
        raise ValueError(f"Use {' or '.join(FORMATS)}.")
    return text
