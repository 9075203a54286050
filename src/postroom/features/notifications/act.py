"""What people do about a notification: read it, take it up, approve or reject it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.domain.action import NOTE_REQUIRED, READING, ActionType, Refused, decide
from postroom.domain.caller import Caller, Person, ServiceCaller
from postroom.domain.errors import Conflict, FieldError, Invalid, Stale
from postroom.domain.notification import ActionDetail, Notification
from postroom.features import audit, screens, webhooks
from postroom.features.notifications import store
from postroom.features.notifications.find import find_one, refuse_change
from postroom.features.notifications.seal import reader_index, seal_action
from postroom.features.notifications.visibility import visible_to
from postroom.kit.crypto import Vault

LONGEST_NOTE = 2_000


@dataclass(frozen=True, slots=True)
class Action:
    """One action by one caller. `if_match` is the ETag that the caller acts on, None for any."""

    type: ActionType
    note: str | None = field(default=None, repr=False)
    if_match: str | None = None
    correlation_id: str | None = None
    ip: str | None = field(default=None, repr=False)


async def act(
    conn: AsyncConnection,
    notification_id: str,
    action: Action,
    *,
    caller: Caller,
    vault: Vault,
    now: datetime,
) -> Notification:
    """Record the action, in the caller's transaction; the notification as it is then.

    Invalid, NotFound, Forbidden (it may only be read), Stale (another version than `if_match`) or Conflict
    (it is settled already) otherwise.
    """
    _check(action)
    row = await store.notification(conn, notification_id, visible=visible_to(caller, vault), lock=True)
    if row is None:
        await refuse_change(conn, notification_id, caller=caller, vault=vault)
    current = await find_one(conn, notification_id, caller=caller, vault=vault)
    if action.if_match is not None and not current.is_named_by(action.if_match):
        raise Stale("The notification has changed since it was read.")
    if action.type in READING:
        changed = await _read(conn, current, action.type, caller=caller, vault=vault, now=now)
    else:
        await _perform(conn, current, action, caller=caller, vault=vault, now=now)
        changed = True
    if not changed:
        return current
    entry = audit.Entry(
        kind=audit.Kind.ACTION,
        at=now,
        notification_id=notification_id,
        service_id=current.service_id,
        actor=caller.display_name,
        note=action.note or None,
        detail=action.type.value,
        correlation_id=action.correlation_id,
        ip=action.ip,
    )
    await audit.record(conn, [entry], vault=vault)
    await _tell(conn, action, entry, caller=caller)
    await _show(conn, action, row, caller=caller, vault=vault, now=now)
    return await find_one(conn, notification_id, caller=caller, vault=vault)


async def _tell(conn: AsyncConnection, action: Action, entry: audit.Entry, *, caller: Caller) -> None:
    """Tell the service that it was read, or what was done; not by whom, nor that it is unread again."""
    if action.type is ActionType.IS_UNREAD:
        return
    is_read = action.type in READING
    event = webhooks.happened(
        webhooks.Kind.READ if is_read else webhooks.Kind.ACTIONED,
        at=entry.at,
        service_id=entry.service_id,
        notification_id=entry.notification_id,
        actor=webhooks.Actor.SERVICE if isinstance(caller, ServiceCaller) else webhooks.Actor.OFFICER,
        action=None if is_read else action.type,
        correlation_id=action.correlation_id,
    )
    await webhooks.record(conn, [event])


async def _show(
    conn: AsyncConnection, action: Action, row: Row[Any], *, caller: Caller, vault: Vault, now: datetime
) -> None:
    """What was done shows on every screen that it is on; that it was read, on the reader's alone."""
    screen = row.audience
    if action.type in READING:
        screen = reader_index(vault, caller.email) if isinstance(caller, Person) else None
    if screen is not None:
        change = screens.changed(screens.Kind.CHANGED, screen=screen, at=now, notification_id=row.id)
        await screens.record(conn, [change])


def _check(action: Action) -> None:
    if action.note is not None and len(action.note) > LONGEST_NOTE:
        raise Invalid([FieldError("actionNote", f"Use up to {LONGEST_NOTE} characters.")])
    if action.type in NOTE_REQUIRED and not (action.note or "").strip():
        raise Invalid([FieldError("actionNote", f"Say why: {action.type} needs a note.")])


async def _read(
    conn: AsyncConnection,
    current: Notification,
    wanted: ActionType,
    *,
    caller: Caller,
    vault: Vault,
    now: datetime,
) -> bool:
    """Mark it read or unread for this caller alone; whether that changed anything."""
    is_read = wanted is ActionType.IS_READ
    if is_read is current.is_read:
        return False
    if isinstance(caller, ServiceCaller):
        await store.update_notification(conn, current.id, {"first_read_at": now if is_read else None})
        return True
    reader = reader_index(vault, caller.email)
    await store.set_reader_state(
        conn, current.id, reader=reader, values={"read_at": now if is_read else None}
    )
    still_read = is_read or await store.anyone_has_read(conn, current.id)
    await store.set_first_read(conn, current.id, at=now if still_read else None)
    return True


async def _perform(
    conn: AsyncConnection,
    current: Notification,
    action: Action,
    *,
    caller: Caller,
    vault: Vault,
    now: datetime,
) -> None:
    may_reopen = isinstance(caller, Person) and caller.may_reopen
    decided = decide(current.action, action.type, may_reopen=may_reopen)
    if isinstance(decided, Refused):
        raise Conflict(decided.why)
    detail = ActionDetail(done_by=caller.display_name, note=action.note or None)
    await store.update_notification(
        conn,
        current.id,
        {
            "action": decided.value,
            "action_at": now,
            "action_personal": seal_action(vault, current.id, detail),
        },
    )
