"""Finding notifications: one by its id, and pages of them by filters, newest first."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, NoReturn

import msgspec
from sqlalchemy import ColumnElement, Row
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.domain.action import FINAL, ActionType
from postroom.domain.caller import Caller, Person, ServiceCaller
from postroom.domain.channel import Channel, from_mask, to_mask
from postroom.domain.errors import Forbidden, NotFound
from postroom.domain.masking import mask_action, mask_personal
from postroom.domain.notification import Delivery, Notification
from postroom.domain.status import Status
from postroom.features.notifications import store
from postroom.features.notifications.seal import audience_index, open_action, open_personal, reader_index
from postroom.features.notifications.tables import notifications
from postroom.features.notifications.visibility import (
    Reach,
    Sight,
    audiences_of,
    is_kept_by,
    is_read_by,
    readable_by,
    visible_to,
    within,
)
from postroom.kit.crypto import Vault
from postroom.kit.ids import first_id_at

_NOBODY = Person(email="")
_MOST_MERGED = 100
"""SQLite merges 500 at most; who is in so many groups waits for a slower list."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to; None means any. `before` is the id that the page continues after.

    `reach` alone widens it, from what is the caller's own.
    """

    channels: tuple[Channel, ...] | None = None
    target_id: str | None = None
    target_type: str | None = None
    user: str | None = None
    is_read: bool | None = None
    require_action: bool | None = None
    outstanding: bool | None = None
    """Whether it still waits for somebody's decision."""
    action: ActionType | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    reference: str | None = None
    reach: Reach | None = None
    before: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Page:
    """`next_before` continues the list, None at its end."""

    items: tuple[Notification, ...]
    next_before: str | None


MOST_COUNTED = 10_000


class Count(NamedTuple):
    """There are `number`, or more where it is not exact."""

    number: int
    is_exact: bool


async def find_one(
    conn: AsyncConnection, notification_id: str, *, caller: Caller, vault: Vault
) -> Notification:
    """The notification as the caller may see it; NotFound whether it is not there or not for them."""
    row = await store.notification(conn, notification_id, visible=readable_by(caller, vault))
    if row is None:
        raise NotFound("There is no such notification.")
    (found,) = await _assemble(conn, [row], caller=caller, vault=vault)
    return found


async def find_own(
    conn: AsyncConnection, ids: Collection[str], *, caller: ServiceCaller, vault: Vault
) -> dict[str, Notification]:
    """Those of the service's notifications by their ids, also what has been removed since."""
    rows = await store.notifications_of(conn, ids, service_id=caller.service_id)
    return {found.id: found for found in await _assemble(conn, rows, caller=caller, vault=vault)}


async def find_some(
    conn: AsyncConnection, ids: Collection[str], *, caller: Caller, vault: Vault
) -> dict[str, Notification]:
    """Those of the notifications that are the caller's, by their ids, as `find_page` shows them."""
    where = [notifications.c.id.in_(list(ids)), visible_to(caller, vault)]
    rows = await store.page(conn, where, limit=len(ids))
    return {found.id: found for found in await _assemble(conn, rows, caller=caller, vault=vault)}


async def find_as_new(
    conn: AsyncConnection, ids: Collection[str], *, vault: Vault
) -> dict[str, Notification]:
    """Notifications by their ids as they are shown to anybody they address who has done nothing yet."""
    rows = await store.page(conn, [notifications.c.id.in_(list(ids))], limit=len(ids))
    return {found.id: found for found in await _assemble(conn, rows, caller=_NOBODY, vault=vault)}


async def find_among(
    conn: AsyncConnection, ids: Sequence[str], *, caller: Caller, vault: Vault
) -> tuple[Notification, ...]:
    """Those of the notifications that the caller may read, newest first."""
    where = [notifications.c.id.in_(list(ids)), readable_by(caller, vault)]
    rows = await store.page(conn, where, limit=len(ids))
    return tuple(await _assemble(conn, rows, caller=caller, vault=vault))


async def refuse_change(
    conn: AsyncConnection, notification_id: str, *, caller: Caller, vault: Vault
) -> NoReturn:
    """Forbidden to who may read the notification; to everybody else there is none."""
    await find_one(conn, notification_id, caller=caller, vault=vault)
    raise Forbidden("You may read this notification, but not change it.")


async def find_page(conn: AsyncConnection, filters: Filters, *, caller: Caller, vault: Vault) -> Page:
    """One page, in two or three queries however long it is."""
    rows = await _rows(conn, filters, caller=caller, vault=vault, limit=filters.limit + 1)
    shown = rows[: filters.limit]
    items = await _assemble(conn, shown, caller=caller, vault=vault)
    return Page(items=tuple(items), next_before=shown[-1].id if len(rows) > filters.limit else None)


async def count_found(conn: AsyncConnection, filters: Filters, *, caller: Caller, vault: Vault) -> Count:
    """How many there are in all the pages. However many, no more than MOST_COUNTED are read."""
    where = [_extent(filters, caller, vault), *_conditions(filters, caller, vault)]
    number = await store.count(conn, where, most=MOST_COUNTED + 1)
    return Count(number=min(number, MOST_COUNTED), is_exact=number <= MOST_COUNTED)


async def _rows(
    conn: AsyncConnection, filters: Filters, *, caller: Caller, vault: Vault, limit: int
) -> list[Row[Any]]:
    conditions = _conditions(filters, caller, vault)
    if isinstance(caller, ServiceCaller) or filters.reach is not None:
        return await store.page(conn, [_extent(filters, caller, vault), *conditions], limit=limit)
    audiences = sorted(audiences_of(caller, vault))
    if len(audiences) > _MOST_MERGED:
        return await store.page(conn, [visible_to(caller, vault), *conditions], limit=limit)
    conditions.append(is_kept_by(caller, vault))
    return await store.page_of_audiences(conn, audiences, conditions, limit=limit)


def _extent(filters: Filters, caller: Caller, vault: Vault) -> ColumnElement[bool]:
    if filters.reach is None:
        return visible_to(caller, vault)
    narrowed = filters.target_id is not None or filters.reference is not None
    return within(filters.reach, narrowed=narrowed)


def _conditions(filters: Filters, caller: Caller, vault: Vault) -> list[ColumnElement[bool]]:
    table = notifications.c
    where: list[ColumnElement[bool]] = []
    if filters.channels is not None:
        either = table.channels.op("|")(table.extra_channels)
        where.append(either.op("&")(to_mask(filters.channels)) != 0)
    if filters.user is not None:
        where.append(table.audience == audience_index(vault, filters.user))
    if filters.is_read is not None:
        read = is_read_by(caller, vault)
        where.append(read if filters.is_read else ~read)
    if filters.outstanding is not None:
        settled = table.action.in_(sorted(FINAL))
        open_one = table.require_action & (table.action.is_(None) | ~settled)
        where.append(open_one if filters.outstanding else ~table.require_action | settled)
    if filters.created_from is not None:
        where.append(table.id >= first_id_at(filters.created_from))
    if filters.created_to is not None:
        where.append(table.id < first_id_at(filters.created_to))
    if filters.before is not None:
        where.append(table.id < filters.before)
    equal = {
        table.target_id: filters.target_id,
        table.target_type: filters.target_type,
        table.require_action: filters.require_action,
        table.action: filters.action,
        table.reference: filters.reference,
    }
    return where + [column == value for column, value in equal.items() if value is not None]


async def _assemble(
    conn: AsyncConnection, rows: Sequence[Row[Any]], *, caller: Caller, vault: Vault
) -> list[Notification]:
    if not rows:
        return []
    ids = [row.id for row in rows]
    carried = [row.id for row in rows if row.template_ids != "{}"]
    deliveries: dict[str, list[Delivery]] = {}
    for each in await store.deliveries_of(conn, carried) if carried else ():
        deliveries.setdefault(each.notification_id, []).append(to_delivery(each))
    if isinstance(caller, ServiceCaller):
        read = {row.id for row in rows if row.first_read_at is not None}
    else:
        read = await store.read_by(conn, ids, reader=reader_index(vault, caller.email))
    sight = Sight(caller, vault)
    return [
        _to_notification(
            row,
            tuple(deliveries.get(row.id, ())),
            is_read=row.id in read,
            is_full=sight.is_full(row),
            vault=vault,
        )
        for row in rows
    ]


def to_delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        id=row.id,
        channel=Channel(row.channel),
        status=Status(row.status),
        notify_id=row.notify_id,
        attempts=row.attempts,
        sent_at=row.sent_at,
        completed_at=row.completed_at,
        failure_reason=row.reason,
        template_version=row.used_version or row.template_version,
        checked_version=row.template_version,
    )


def _to_notification(
    row: Row[Any], deliveries: tuple[Delivery, ...], *, is_read: bool, is_full: bool, vault: Vault
) -> Notification:
    personal = open_personal(vault, row.id, row.personal)
    action_detail = open_action(vault, row.id, row.action_personal)
    template_ids = msgspec.json.decode(row.template_ids, type=dict[str, str])
    return Notification(
        id=row.id,
        service_id=row.service_id,
        target_id=row.target_id,
        target_type=row.target_type,
        channels=from_mask(row.channels),
        extra_channels=from_mask(row.extra_channels),
        reference=row.reference,
        template_id=row.template_id,
        template_ids={Channel(channel): template_id for channel, template_id in template_ids.items()},
        require_action=row.require_action,
        template_unchecked=row.template_unchecked,
        personal=personal if is_full else mask_personal(personal),
        created_at=row.created_at,
        version=row.version,
        is_read=is_read,
        action=None if row.action is None else ActionType(row.action),
        action_at=row.action_at,
        action_detail=action_detail if is_full else mask_action(action_detail),
        deliveries=deliveries,
    )
