"""Putting notifications together from their rows, as their caller may see them."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Row

from postroom.domain.action import ActionType
from postroom.domain.caller import Caller, Person
from postroom.domain.channel import Channel, from_mask
from postroom.domain.masking import mask_action, mask_personal
from postroom.domain.notification import ActionDetail, Delivery, Ended, Notification, Personal
from postroom.domain.reading import Reading
from postroom.domain.status import Status
from postroom.features import readers
from postroom.features.notifications import store, terms
from postroom.features.notifications.seal import open_action, personal_if_it_opens, reader_index
from postroom.features.notifications.visibility import Sight
from postroom.kit.crypto import CannotOpen, Vault
from postroom.kit.database import AsyncConnection


async def assemble(
    conn: AsyncConnection, rows: Sequence[Row[Any]], *, caller: Caller, vault: Vault
) -> list[Notification]:
    if not rows:
        return []
    carried = [row.id for row in rows if row.template_ids != "{}"]
    deliveries: dict[str, list[Delivery]] = {}
    for each in await store.deliveries_of(conn, carried) if carried else ():
        deliveries.setdefault(each.notification_id, []).append(to_delivery(each))
    readings = await _readings(conn, rows, caller=caller, vault=vault)
    ends = await terms.ends_of(conn, [row.id for row in rows if row.removed_at is not None])
    sight = Sight(caller, vault)
    return [
        _to_notification(
            row,
            tuple(deliveries.get(row.id, ())),
            reading=readings.get(row.id, Reading.UNSEEN),
            is_full=sight.is_full(row),
            ended=ends.get(row.id),
            vault=vault,
        )
        for row in rows
    ]


async def _readings(
    conn: AsyncConnection, rows: Sequence[Row[Any]], *, caller: Caller, vault: Vault
) -> dict[str, Reading]:
    """What the person has done with each; for a service, what anybody has."""
    if isinstance(caller, Person):
        reader = reader_index(vault, caller.email)
        return await readers.states_of(conn, [row.id for row in rows], reader=reader)
    read = {row.id for row in rows if row.first_read_at is not None}
    others = [row.id for row in rows if row.audience is not None and row.id not in read]
    return dict.fromkeys(read, Reading.SEEN | Reading.READ) | await readers.states_of_anyone(conn, others)


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
    row: Row[Any],
    deliveries: tuple[Delivery, ...],
    *,
    reading: Reading,
    is_full: bool,
    ended: Ended | None,
    vault: Vault,
) -> Notification:
    personal, action_detail, is_unreadable = _opened(row, vault)
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
        is_read=bool(reading & Reading.READ),
        is_seen=bool(reading & Reading.SEEN),
        is_archived=bool(reading & Reading.ARCHIVED),
        action=None if row.action is None else ActionType(row.action),
        action_at=row.action_at,
        action_detail=action_detail if is_full else mask_action(action_detail),
        ended=ended,
        is_unreadable=is_unreadable,
        deliveries=deliveries,
    )


def _opened(row: Row[Any], vault: Vault) -> tuple[Personal, ActionDetail | None, bool]:
    """What is sealed, and whether some of it cannot be opened: that one alone is then shown without it."""
    personal = personal_if_it_opens(vault, row.id, row.personal)
    try:
        action_detail, is_unreadable = open_action(vault, row.id, row.action_personal), personal is None
    except CannotOpen:
        action_detail, is_unreadable = None, True
    return personal or Personal(), action_detail, is_unreadable
