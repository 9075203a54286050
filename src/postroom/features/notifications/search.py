"""Searching over services by what is known of a notification: one thing at a time, newest first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, select

from postroom.channels.carriers import CARRIERS
from postroom.domain.caller import Caller
from postroom.domain.channel import Channel
from postroom.domain.notification import Personal
from postroom.features.notifications.find import Page, find_among
from postroom.features.notifications.seal import audience_index
from postroom.features.notifications.tables import deliveries, notifications
from postroom.kit.crypto import Vault
from postroom.kit.database import AsyncConnection
from postroom.kit.ids import is_id


class By(StrEnum):
    TARGET = "target"
    RECIPIENT = "recipient"
    REFERENCE = "reference"
    NOTIFY_ID = "notify-id"
    CORRELATION_ID = "correlation-id"
    ID = "id"


@dataclass(frozen=True, slots=True)
class Sought:
    """`text` is what is known; `service_ids` are those to look among. `before` continues a page."""

    by: By
    text: str = field(repr=False)
    service_ids: tuple[str, ...]
    before: str | None = None
    limit: int = 50


async def search(conn: AsyncConnection, sought: Sought, *, caller: Caller, vault: Vault) -> Page:
    """A page of what the caller may read, as they may see it.

    Everything is found by an index: by a recipient through the blind ones, however the address or number
    is written.
    """
    if not sought.service_ids:
        return Page(items=(), next_before=None)
    found: set[str] = set()
    for statement in _statements(sought, vault):
        found |= {row[0] for row in await conn.execute(statement)}
    ids = sorted(found, reverse=True)[: sought.limit + 1]
    shown = ids[: sought.limit]
    items = await find_among(conn, shown, caller=caller, vault=vault)
    return Page(items=items, next_before=shown[-1] if len(ids) > sought.limit else None)


def _statements(sought: Sought, vault: Vault) -> Iterator[Select[Any]]:
    """The newest ids, asked of each place where what is known can stand."""
    text, one = sought.text, sought.text.lower()
    of, to = notifications.c, deliveries.c
    match sought.by:
        case By.TARGET:
            yield _of_notifications(sought, of.target_id == text)
        case By.REFERENCE:
            yield _of_notifications(sought, of.reference == text)
        case By.CORRELATION_ID:
            yield _of_notifications(sought, of.correlation_id == text)
        case By.RECIPIENT:
            yield _of_notifications(sought, of.audience == audience_index(vault, one))
            indexes = _recipient_indexes(text, vault)
            if indexes:
                yield _of_deliveries(sought, to.recipient_index.in_(indexes))
        case By.NOTIFY_ID if is_id(text):
            yield _of_deliveries(sought, to.notify_id == one)
        case By.ID if is_id(text):
            yield _of_notifications(sought, of.id == one)
            yield _of_deliveries(sought, to.id == one)


def _of_notifications(sought: Sought, is_meant: ColumnElement[bool]) -> Select[Any]:
    columns = notifications.c
    where = [is_meant, columns.removed_at.is_(None), columns.service_id.in_(sought.service_ids)]
    if sought.before is not None:
        where.append(columns.id < sought.before)
    return select(columns.id).where(*where).order_by(columns.id.desc()).limit(sought.limit + 1)


def _of_deliveries(sought: Sought, is_meant: ColumnElement[bool]) -> Select[Any]:
    ours = deliveries.c
    joined = deliveries.join(notifications, notifications.c.id == ours.notification_id)
    where = [is_meant, notifications.c.removed_at.is_(None), ours.service_id.in_(sought.service_ids)]
    if sought.before is not None:
        where.append(ours.notification_id < sought.before)
    wanted = select(ours.notification_id).distinct().select_from(joined).where(*where)
    return wanted.order_by(ours.notification_id.desc()).limit(sought.limit + 1)


def _recipient_indexes(text: str, vault: Vault) -> Sequence[bytes]:
    """The text as an email address or as a mobile number, whichever it can be."""
    tried = {Channel.EMAIL: Personal(email=text), Channel.TEXT: Personal(mobile_number=text)}
    return [
        vault.blind_index(CARRIERS[channel].recipient(personal, prepend_name=False).text, purpose="recipient")
        for channel, personal in tried.items()
        if not CARRIERS[channel].check(personal, prepend_name=False)
    ]
