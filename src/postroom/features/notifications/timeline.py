"""The life of one notification, line by line: what was decided, tried, answered and told, and what is next.

Nothing is kept for it: it is read from the audit entries, attempts, receipts, deliveries and calls that are
kept anyway, in as many queries however long it is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, or_, select

from postroom.domain.caller import Caller, Person, ServiceCaller
from postroom.domain.channel import Channel
from postroom.domain.errors import NotFound
from postroom.domain.masking import mask_text
from postroom.domain.status import Status, is_final
from postroom.features import audit, webhooks
from postroom.features.notifications import store, terms, wording
from postroom.features.notifications.tables import attempts, notifications, receipts
from postroom.features.notifications.visibility import Sight, readable_by
from postroom.kit.crypto import Vault
from postroom.kit.database import AsyncConnection


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened, in plain English; `is_ahead` where it is still to come.

    `kind` is one of accepted, checked, claimed, answered, receipt, ended, waiting, webhook, and the kinds of
    audit entries. `actor` is who did it, where that was a person.
    """

    at: datetime
    kind: str
    text: str
    channel: Channel | None = None
    delivery_id: str | None = None
    actor: str | None = None
    note: str | None = field(default=None, repr=False)
    correlation_id: str | None = None
    is_ahead: bool = False


@dataclass(frozen=True, slots=True)
class Timeline:
    notification_id: str
    service_id: str
    lines: tuple[Line, ...]


async def timeline(
    conn: AsyncConnection, notification_id: str, *, caller: Caller, vault: Vault, now: datetime
) -> Timeline:
    """The lines in the order of their moments; NotFound whether it is not there or not for the caller.

    What was removed is still told to who reads everything by a role.
    """
    row = await _row(conn, notification_id, caller, vault)
    entries = await audit.entries_about(conn, notification_id, vault=vault)
    deliveries = await store.deliveries_of(conn, [notification_id])
    tries = await _attempts(conn, [each.id for each in deliveries])
    received = await _receipts(conn, [each.notify_id for each in deliveries if each.notify_id is not None])
    told, to_be_told = await webhooks.calls_about(conn, notification_id)
    show = _Shown(caller, is_full=Sight(caller, vault).is_full(row))
    lines = [
        *(show.entry(entry) for entry in entries),
        *_deliveries(deliveries, tries, received, unchecked=row.template_unchecked, now=now),
        *(Line(each.at, "webhook", wording.of_told(each)) for each in told),
        *(_ahead(each.due_at, "webhook", wording.of_to_be_told(each, now)) for each in to_be_told),
    ]
    in_order = sorted(lines, key=lambda line: (line.is_ahead, line.at))
    return Timeline(notification_id, row.service_id, tuple(in_order))


async def _row(conn: AsyncConnection, notification_id: str, caller: Caller, vault: Vault) -> Row[Any]:
    wanted = select(notifications).where(notifications.c.id == notification_id, readable_by(caller, vault))
    if not (isinstance(caller, Person) and caller.sees_everything):
        wanted = wanted.where(or_(notifications.c.removed_at.is_(None), terms.has_ended()))
    row = (await conn.execute(wanted)).first()
    if row is None:
        raise NotFound("There is no such notification.")
    return row


async def _attempts(conn: AsyncConnection, delivery_ids: Sequence[str]) -> Sequence[Row[Any]]:
    if not delivery_ids:
        return ()
    wanted = select(attempts).where(attempts.c.delivery_id.in_(delivery_ids))
    return (await conn.execute(wanted.order_by(attempts.c.number))).all()


async def _receipts(conn: AsyncConnection, notify_ids: Sequence[str]) -> Sequence[Row[Any]]:
    if not notify_ids:
        return ()
    wanted = select(receipts).where(receipts.c.notify_id.in_(notify_ids))
    return (await conn.execute(wanted.order_by(receipts.c.id))).all()


@dataclass(frozen=True, slots=True)
class _Shown:
    """Audit entries as the caller may see them."""

    caller: Caller
    is_full: bool

    def entry(self, entry: audit.Recorded) -> Line:
        # A service hears that it was read, but not by whom.
        is_told = not (isinstance(self.caller, ServiceCaller) and wording.is_of_one_reader(entry))
        text = wording.of_entry(entry)
        if entry.is_unreadable:
            text = f"{text} {wording.BY_WHOM_IS_LOST}"
        line = Line(entry.at, entry.kind.value, text, correlation_id=entry.correlation_id)
        return replace(
            line,
            actor=entry.actor if is_told else None,
            note=entry.note if self.is_full else mask_text(entry.note),
        )


def _deliveries(
    rows: Sequence[Row[Any]],
    tries: Sequence[Row[Any]],
    received: Sequence[Row[Any]],
    *,
    unchecked: bool,
    now: datetime,
) -> Iterator[Line]:
    for row in rows:
        lines = [
            Line(row.created_at, "checked", wording.of_check(row, unchecked=unchecked)),
            *_of_attempts([each for each in tries if each.delivery_id == row.id], row),
            *(
                Line(each.received_at, "receipt", wording.of_receipt(each))
                for each in received
                if each.notify_id == row.notify_id
            ),
            *_end_or_next(row, now),
        ]
        yield from (replace(line, channel=Channel(row.channel), delivery_id=row.id) for line in lines)


def _of_attempts(tries: Sequence[Row[Any]], delivery: Row[Any]) -> Iterator[Line]:
    for each in tries:
        yield Line(each.started_at, "claimed", f"Try {each.number} began.")
        if each.ended_at is not None:
            yield Line(each.ended_at, "answered", wording.of_answer(each, delivery))


def _end_or_next(row: Row[Any], now: datetime) -> Iterator[Line]:
    if is_final(Status(row.status)):
        yield Line(row.completed_at or row.created_at, "ended", wording.of_end(row))
    elif row.due_at is not None:
        yield _ahead(row.due_at, "waiting", wording.of_next(row, now))


def _ahead(at: datetime, kind: str, text: str) -> Line:
    return Line(at, kind, text, is_ahead=True)
