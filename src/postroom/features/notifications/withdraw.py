"""Taking a notification away: its service from every list, an officer of a group from their own."""

from datetime import datetime

from postroom.domain.action import is_outstanding
from postroom.domain.caller import Caller, Person
from postroom.domain.delivery import cancel
from postroom.domain.errors import Conflict
from postroom.domain.notification import Notification
from postroom.domain.reading import Reading
from postroom.features import audit, readers, screens, webhooks
from postroom.features.notifications import store
from postroom.features.notifications.changes import Request, write_changes
from postroom.features.notifications.find import find_one, is_outstanding_row, refuse_change
from postroom.features.notifications.seal import reader_index
from postroom.features.notifications.visibility import visible_to
from postroom.kit.crypto import Vault
from postroom.kit.database import AsyncConnection
from postroom.kit.queue import JobQueue


def is_removable(notification: Notification) -> bool:
    """Whether removing it would succeed now."""
    is_awaited = is_outstanding(require_action=notification.require_action, performed=notification.action)
    return notification.ended is None and not is_awaited


async def withdraw(
    conn: AsyncConnection,
    notification_id: str,
    *,
    caller: Caller,
    vault: Vault,
    queue: JobQueue,
    now: datetime,
    correlation_id: str | None = None,
    ip: str | None = None,
) -> None:
    """Remove it, in the caller's transaction. Conflict while it waits for somebody's decision.

    What nobody has begun to send is cancelled; what is sent is not recalled. The audit stays.
    """
    row = await store.notification(conn, notification_id, visible=visible_to(caller, vault), lock=True)
    if row is None:
        await refuse_change(conn, notification_id, caller=caller, vault=vault)
    current = await find_one(conn, notification_id, caller=caller, vault=vault)
    if not is_removable(current):
        raise Conflict("This still needs somebody's decision: approve, validate or reject it first.")
    if isinstance(caller, Person) and current.personal.user != caller.email:
        kind, screen = audit.Kind.HIDDEN, reader_index(vault, caller.email)
        about = readers.About(notification_id, row.audience, is_outstanding_row(row))
        await readers.change_state(conn, about, reader=screen, change=_hidden, now=now)
    else:
        kind, screen = audit.Kind.REMOVED, row.audience
        await store.update_notification(conn, notification_id, {"removed_at": now})
        was = is_outstanding_row(row)
        await readers.count_again(conn, notification_id, audience=row.audience, was=was, now=None)
        await _cancel(conn, current, queue=queue, now=now)
    entry = audit.Entry(
        kind=kind,
        at=now,
        notification_id=notification_id,
        service_id=current.service_id,
        actor=caller.display_name,
        correlation_id=correlation_id,
        ip=ip,
    )
    await audit.record(conn, [entry], vault=vault)
    if kind is audit.Kind.REMOVED:
        await webhooks.record(conn, [_removed(entry, caller)])
    if screen is not None:
        gone = screens.changed(screens.Kind.REMOVED, screen=screen, at=now, notification_id=notification_id)
        await screens.record(conn, [gone])


def _hidden(reading: Reading) -> Reading:
    return reading | Reading.HIDDEN


def _removed(entry: audit.Entry, caller: Caller) -> webhooks.Event:
    return webhooks.happened(
        webhooks.Kind.REMOVED,
        at=entry.at,
        service_id=entry.service_id,
        notification_id=entry.notification_id,
        actor=webhooks.Actor.OFFICER if isinstance(caller, Person) else webhooks.Actor.SERVICE,
        correlation_id=entry.correlation_id,
    )


async def _cancel(conn: AsyncConnection, current: Notification, *, queue: JobQueue, now: datetime) -> None:
    requests = [Request(delivery.id, lambda state: cancel(state, now=now)) for delivery in current.deliveries]
    if requests:
        await write_changes(conn, requests, queue=queue, gate=None)
