"""One notification, and what the officer who is signed in does about it."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from litestar.handlers import HTTPRouteHandler

from postroom.domain.action import ActionType
from postroom.domain.errors import Conflict, FieldError, Forbidden, Invalid, NotFound, Stale
from postroom.domain.notification import Notification
from postroom.features.notifications.act import LONGEST_NOTE, Action, act
from postroom.features.notifications.characters import has_control
from postroom.features.notifications.find import find_one
from postroom.features.notifications.timeline import Line, timeline
from postroom.features.notifications.withdraw import is_removable, withdraw
from postroom.interfaces.edge import looks_ahead
from postroom.interfaces.web.failures import show_failure
from postroom.interfaces.web.paths import INBOX
from postroom.interfaces.web.selection import Selection, selection
from postroom.interfaces.web.shell import Answer
from postroom.interfaces.web.visit import Door, Visit, form, view
from postroom.interfaces.web.words import is_outstanding, kind_of
from postroom.kit.database import DatabaseUnavailable, LockTimeout
from postroom.kit.ids import is_id

_DOES: Mapping[str, ActionType] = {
    "read": ActionType.IS_READ,
    "seen": ActionType.IS_READ,
    "unread": ActionType.IS_UNREAD,
    "archive": ActionType.ARCHIVED,
    "back": ActionType.IS_UNREAD,
    "take": ActionType.INITIATED,
    "approve": ActionType.APPROVED,
    "validate": ActionType.VALIDATE,
    "reject": ActionType.REJECTED,
}
_DONE: Mapping[str, str] = {
    "read": "Marked as read",
    "seen": "You have confirmed that you have seen it",
    "unread": "Marked as unread",
    "archive": "Archived. You find it under Archived.",
    "back": "It is on your list again, as unread",
    "take": "You have taken it up",
    "approve": "You have approved it",
    "validate": "You have validated it",
    "reject": "You have rejected it",
}
_WITH_NOTE = frozenset({"take", "approve", "validate", "reject"})
_CHANGED = "Somebody changed this since you opened it. Look at how it stands now, then decide."


def handlers(door: Door) -> list[HTTPRouteHandler]:
    one = f"{INBOX}/{{id:str}}"
    return [
        view(door, one, _show, on_error=show_failure),
        view(door, f"{one}/follow", _follow, on_error=show_failure),
        form(door, f"{one}/act", _act, on_error=show_failure),
        form(door, f"{one}/remove", _remove, on_error=show_failure),
    ]


def wanted_id(visit: Visit) -> str:
    """The id in the address; NotFound where it cannot be one."""
    text = str(visit.request.path_params["id"])
    if not is_id(text):
        raise NotFound("There is no such notification.")
    return text.lower()


async def _show(visit: Visit) -> Answer:
    if not looks_ahead(visit.request.scope):
        await _have_seen(visit)
    return await _page(visit, done=_DONE.get(visit.asked("done")))


async def _have_seen(visit: Visit) -> None:
    """Who opens it has seen it, and the audit says so. That they confirm or decide, they say themselves."""
    app, notification_id = visit.app, wanted_id(visit)
    async with app.database.reading() as conn:
        found = await find_one(conn, notification_id, caller=visit.person, vault=app.vault)
    if found.is_seen or found.ended is not None:
        return
    # Who may only read it is shown it all the same, and so is everybody while nothing can be written.
    with suppress(Forbidden, Conflict, NotFound, DatabaseUnavailable, LockTimeout):
        await _perform(visit, notification_id, ActionType.IS_SEEN)


async def _page(
    visit: Visit,
    *,
    done: str | None = None,
    errors: tuple[FieldError, ...] = (),
    status: int = 200,
) -> Answer:
    found, lines = await _found(visit)
    person, app = visit.person, visit.app
    is_theirs = not person.sees_everything or found.personal.user in person.audiences
    back = _back(visit)
    return await visit.page(
        "notification.html",
        title=kind_of(found.target_type),
        status=status,
        errors=errors,
        back=back.listed(),
        chosen=back,
        one=found,
        lines=lines,
        done=done,
        now=app.clock(),
        is_theirs=is_theirs and found.ended is None,
        is_outstanding=is_outstanding(found) and found.ended is None,
        is_removable=is_removable(found),
        note=visit.fields.get("note", ""),
        longest_note=LONGEST_NOTE,
        rejecting_needs_note=ActionType.REJECTED in app.settings.need_note,
    )


def _back(visit: Visit) -> Selection:
    """What of the list they came from."""
    is_form = bool(visit.fields)
    return selection(lambda name: visit.fields.get(name, "") if is_form else visit.asked(name))


async def _found(visit: Visit) -> tuple[Notification, tuple[Line, ...]]:
    app, notification_id = visit.app, wanted_id(visit)
    async with app.database.reading() as conn:
        found = await find_one(conn, notification_id, caller=visit.person, vault=app.vault)
        told = await timeline(conn, notification_id, caller=visit.person, vault=app.vault, now=app.clock())
    return found, told.lines


async def _act(visit: Visit) -> Answer:
    what = visit.fields.get("do", "")
    if what not in _DOES:
        raise Invalid([FieldError("do", "Choose what to do.")])
    notification_id = wanted_id(visit)
    try:
        await _perform(visit, notification_id, _DOES[what], note=_note(visit) if what in _WITH_NOTE else None)
    except Invalid as error:
        faults = tuple(FieldError("note", fault.message) for fault in error.errors)
        return await _page(visit, errors=faults, status=400)
    except Stale:
        return await _after_another(visit, what, _CHANGED, status=412)
    except Conflict as error:
        return await _after_another(visit, what, str(error), status=409)
    return visit.go(_back(visit).of(notification_id, done=what))


def _note(visit: Visit) -> str | None:
    note = visit.fields.get("note", "").strip()
    if has_control(note):
        raise Invalid([FieldError("note", "Remove the control characters.")])
    return note or None


async def _perform(visit: Visit, notification_id: str, what: ActionType, *, note: str | None = None) -> None:
    app = visit.app
    action = Action(
        type=what,
        note=note,
        if_match=visit.fields.get("etag") or None,
        correlation_id=visit.correlation_id,
        ip=visit.ip,
    )
    async with app.database.transaction() as conn:
        await act(
            conn,
            notification_id,
            action,
            caller=visit.person,
            vault=app.vault,
            now=app.clock(),
            need_note=app.settings.need_note,
        )
    visit.tell()


async def _after_another(visit: Visit, what: str, why: str, *, status: int) -> Answer:
    """Somebody was faster. Where it was this very person, with this very deed, it is simply done."""
    found, _ = await _found(visit)
    wanted: Any = _DOES[what]
    is_read = {ActionType.IS_READ: True, ActionType.IS_UNREAD: False}.get(wanted)
    by_them = found.action_detail is not None and found.action_detail.done_by == visit.person.email
    is_archived = wanted is ActionType.ARCHIVED and found.is_archived
    if is_archived or is_read is found.is_read or (found.action is wanted and by_them):
        return visit.go(_back(visit).of(found.id, done=what))
    return await _page(visit, errors=(FieldError("main-content", why),), status=status)


async def _follow(visit: Visit) -> Answer:
    """On to what there is to do elsewhere; who goes there from our page, takes it up."""
    notification_id = wanted_id(visit)
    async with visit.app.database.reading() as conn:
        found = await find_one(conn, notification_id, caller=visit.person, vault=visit.app.vault)
    if found.personal.follow_on is None:
        raise NotFound("There is nothing to go on to.")
    site = visit.request.headers.get("sec-fetch-site", "none")
    is_wanted = site in ("same-origin", "none") and not looks_ahead(visit.request.scope)
    if is_wanted and found.action is None:
        # Somebody who may only read it, or comes as another takes it up, is led on all the same.
        with suppress(Forbidden, Conflict, NotFound):
            await _perform(visit, notification_id, ActionType.INITIATED)
    return visit.leave(found.personal.follow_on.url)


async def _remove(visit: Visit) -> Answer:
    app, notification_id = visit.app, wanted_id(visit)
    async with app.database.transaction() as conn:
        await withdraw(
            conn,
            notification_id,
            caller=visit.person,
            vault=app.vault,
            queue=app.queue,
            now=app.clock(),
            correlation_id=visit.correlation_id,
            ip=visit.ip,
        )
    visit.tell()
    return visit.go(_back(visit).listed(done="removed"))
