"""Taking from screens what has expired, and what a later notification of its thread replaces."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text

from postroom.domain.delivery import expire
from postroom.domain.notification import EndedBy
from postroom.features import audit, readers, screens, webhooks
from postroom.features.notifications import store, terms
from postroom.features.notifications.changes import Request, write_changes
from postroom.features.notifications.find import is_outstanding_row
from postroom.kit.crypto import Vault
from postroom.kit.database import AsyncConnection
from postroom.kit.queue import JobQueue

MOST_EXPIRED = 200
"""So many are taken away in one transaction."""

Thread = tuple[str, bytes, str]
"""A service, an audience, and the service's key of the thread."""


async def replace_earlier(
    conn: AsyncConnection, later: Mapping[Thread, str], *, vault: Vault, now: datetime
) -> None:
    """Take from screens what stands there of these threads: each is about to get a later one, by its id.

    What was to be sent of them is sent: an email is a message of its own.
    """
    threads = sorted(later)
    await _hold(conn, threads)
    places = await terms.open_in_threads(conn, threads)
    rows = await terms.lock_those_on_screens(conn, places)
    await terms.forget(conn, places.keys() - {row.id for row in rows})
    replaced_by = {row.id: later[threads[places[row.id]]] for row in rows}
    for row in rows:
        await _take_away(conn, row, by=EndedBy.REPLACED, at=now, replaced_by=replaced_by[row.id])
    entries = [_entry(audit.Kind.REPLACED, row, now, detail=replaced_by[row.id]) for row in rows]
    await audit.record(conn, entries, vault=vault)
    events = [_event(webhooks.Kind.REMOVED, row, now, reason=EndedBy.REPLACED.value) for row in rows]
    await webhooks.record(conn, events)


async def _hold(conn: AsyncConnection, threads: Sequence[Thread]) -> None:
    """One transaction at a time adds to a thread: of two that could not see one another both would stay."""
    if conn.dialect.name != "postgresql":
        return
    for service_id, audience, key in threads:
        name = f"{service_id} {audience.hex()} {key}"
        await conn.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})


async def has_anything_expired(conn: AsyncConnection, *, now: datetime) -> bool:
    return bool(await terms.due_to_expire(conn, now=now, limit=1))


async def end_expired(conn: AsyncConnection, *, vault: Vault, queue: JobQueue, now: datetime) -> int:
    """Take away what has expired, MOST_EXPIRED at most, with what nobody has begun to send; how many."""
    due = await terms.due_to_expire(conn, now=now, limit=MOST_EXPIRED)
    if not due:
        return 0
    rows = await terms.lock_those_on_screens(conn, due)
    for row in rows:
        await _take_away(conn, row, by=EndedBy.EXPIRED, at=now)
    await terms.forget(conn, set(due) - {row.id for row in rows})
    await _expire_deliveries(conn, rows, queue=queue, now=now)
    await audit.record(conn, [_entry(audit.Kind.EXPIRED, row, now) for row in rows], vault=vault)
    await webhooks.record(conn, [_event(webhooks.Kind.EXPIRED, row, now) for row in rows])
    return len(due)


async def _take_away(
    conn: AsyncConnection, row: Row[Any], *, by: EndedBy, at: datetime, replaced_by: str | None = None
) -> None:
    await store.update_notification(conn, row.id, {"removed_at": at})
    await terms.end(conn, row.id, by=by, at=at, replaced_by=replaced_by)
    if row.audience is None:
        return
    was = is_outstanding_row(row)
    await readers.count_again(conn, row.id, audience=row.audience, was=was, now=None)
    gone = screens.changed(screens.Kind.REMOVED, screen=row.audience, at=at, notification_id=row.id)
    await screens.record(conn, [gone])


async def _expire_deliveries(
    conn: AsyncConnection, rows: Sequence[Row[Any]], *, queue: JobQueue, now: datetime
) -> None:
    carried = [row.id for row in rows if row.template_ids != "{}"]
    deliveries = await store.deliveries_of(conn, carried) if carried else []
    requests = [Request(each.id, lambda state: expire(state, now=now)) for each in deliveries]
    if requests:
        await write_changes(conn, requests, queue=queue, gate=None)


def _entry(kind: audit.Kind, row: Row[Any], at: datetime, *, detail: str | None = None) -> audit.Entry:
    return audit.Entry(kind=kind, at=at, notification_id=row.id, service_id=row.service_id, detail=detail)


def _event(kind: webhooks.Kind, row: Row[Any], at: datetime, *, reason: str | None = None) -> webhooks.Event:
    return webhooks.happened(
        kind,
        at=at,
        service_id=row.service_id,
        notification_id=row.id,
        actor=webhooks.Actor.POSTROOM,
        reason=reason,
    )
