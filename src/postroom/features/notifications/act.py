"""What people do about a notification: read it, take it up, approve or reject it."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Row

from postroom.domain.action import NOTE_REQUIRED, READING, ActionType, Refused, decide, is_outstanding
from postroom.domain.caller import Caller, Person, ServiceCaller
from postroom.domain.errors import Conflict, FieldError, Forbidden, Invalid, Stale
from postroom.domain.notification import ActionDetail, EndedBy, Notification
from postroom.domain.reading import Reading, after
from postroom.features import audit, readers, screens, webhooks
from postroom.features.notifications import store
from postroom.features.notifications.find import WHY_ENDED, find_one, is_outstanding_row, refuse_change
from postroom.features.notifications.seal import reader_index, seal_action
from postroom.features.notifications.visibility import visible_to
from postroom.kit.crypto import Vault
from postroom.kit.database import AsyncConnection

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
    need_note: Collection[ActionType] = NOTE_REQUIRED,
) -> Notification:
    """Record the action, in the caller's transaction; the notification as it is then.

    Invalid, NotFound, Forbidden (it may only be read), Stale (another version than `if_match`) or Conflict
    (it is settled already) otherwise.
    """
    _check(action, need_note)
    row = await store.notification(conn, notification_id, visible=visible_to(caller, vault), lock=True)
    if row is None:
        await refuse_change(conn, notification_id, caller=caller, vault=vault)
    current = await find_one(conn, notification_id, caller=caller, vault=vault)
    if action.if_match is not None and not current.is_named_by(action.if_match):
        raise Stale("The notification has changed since it was read.")
    if current.personal.expires_at is not None and current.personal.expires_at <= now:
        raise Conflict(WHY_ENDED[EndedBy.EXPIRED])
    if action.type in READING:
        before, then = await _read(conn, row, action.type, caller=caller, vault=vault, now=now)
        if then == before:
            return current
        told = news_of_reading(before, then)
    else:
        await _perform(conn, row, action, caller=caller, vault=vault, now=now)
        told = webhooks.Kind.ACTIONED
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
    if told is not None:
        await _tell(conn, told, action, entry, caller=caller)
    await _show(conn, action, row, caller=caller, vault=vault, now=now)
    return await find_one(conn, notification_id, caller=caller, vault=vault)


async def _tell(
    conn: AsyncConnection, kind: webhooks.Kind, action: Action, entry: audit.Entry, *, caller: Caller
) -> None:
    """Tell the service what was done; not by whom."""
    event = webhooks.happened(
        kind,
        at=entry.at,
        service_id=entry.service_id,
        notification_id=entry.notification_id,
        actor=webhooks.Actor.SERVICE if isinstance(caller, ServiceCaller) else webhooks.Actor.OFFICER,
        action=action.type if kind is webhooks.Kind.ACTIONED else None,
        correlation_id=action.correlation_id,
    )
    await webhooks.record(conn, [event])


def news_of_reading(before: Reading, then: Reading) -> webhooks.Kind | None:
    """What a service is told: that it was seen or read; not that it is unread again, nor archived."""
    new = then & ~before
    if new & Reading.READ:
        return webhooks.Kind.READ
    return webhooks.Kind.SEEN if new & Reading.SEEN else None


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


def _check(action: Action, need_note: Collection[ActionType]) -> None:
    if action.note is not None and len(action.note) > LONGEST_NOTE:
        raise Invalid([FieldError("actionNote", f"Use up to {LONGEST_NOTE} characters.")])
    if action.type in need_note and not (action.note or "").strip():
        raise Invalid([FieldError("actionNote", f"Say why: {action.type} needs a note.")])


async def _read(
    conn: AsyncConnection, row: Row[Any], wanted: ActionType, *, caller: Caller, vault: Vault, now: datetime
) -> tuple[Reading, Reading]:
    """Do it for this caller alone; what held before, and what holds then."""
    if isinstance(caller, ServiceCaller):
        return await _read_by_service(conn, row, wanted, now=now)
    if wanted is ActionType.ARCHIVED and is_outstanding_row(row):
        raise Conflict("This still needs somebody's decision: approve, validate or reject it first.")
    before, then = await readers.change_state(
        conn,
        readers.About(row.id, row.audience, is_outstanding_row(row)),
        reader=reader_index(vault, caller.email),
        change=partial(after, action=wanted),
        now=now,
    )
    if (before ^ then) & Reading.READ:
        still_read = bool(then & Reading.READ) or await readers.anyone_has_read(conn, row.id)
        await store.set_first_read(conn, row.id, at=now if still_read else None)
    return before, then


async def _read_by_service(
    conn: AsyncConnection, row: Row[Any], wanted: ActionType, *, now: datetime
) -> tuple[Reading, Reading]:
    """For a service it is read, or not: it has no list of its own from which to put it away."""
    if wanted not in (ActionType.IS_READ, ActionType.IS_UNREAD):
        raise Forbidden("Only a person sees and archives: do it with their token.")
    before = Reading.UNSEEN if row.first_read_at is None else Reading.READ
    then = Reading.READ if wanted is ActionType.IS_READ else Reading.UNSEEN
    if then != before:
        await store.update_notification(conn, row.id, {"first_read_at": now if then else None})
    return before, then


async def _perform(
    conn: AsyncConnection, row: Row[Any], action: Action, *, caller: Caller, vault: Vault, now: datetime
) -> None:
    may_reopen = isinstance(caller, Person) and caller.may_reopen
    current = None if row.action is None else ActionType(row.action)
    decided = decide(current, action.type, may_reopen=may_reopen)
    if isinstance(decided, Refused):
        raise Conflict(decided.why)
    detail = ActionDetail(done_by=caller.display_name, note=action.note or None)
    await store.update_notification(
        conn,
        row.id,
        {
            "action": decided.value,
            "action_at": now,
            "action_personal": seal_action(vault, row.id, detail),
        },
    )
    await readers.count_again(
        conn,
        row.id,
        audience=row.audience,
        was=is_outstanding_row(row),
        now=is_outstanding(require_action=row.require_action, performed=decided),
    )
