"""The list of what is for the officer who is signed in."""

from dataclasses import replace
from datetime import UTC, datetime

from litestar.handlers import HTTPRouteHandler

from postroom.domain import target_type
from postroom.domain.action import ActionType
from postroom.domain.errors import FieldError, Invalid
from postroom.features.notifications.find import Filters, find_page
from postroom.features.notifications.mark import Mark, mark
from postroom.interfaces.web.failures import show_failure
from postroom.interfaces.web.paths import INBOX
from postroom.interfaces.web.selection import SHOWN, Selection, selection
from postroom.interfaces.web.shell import Answer
from postroom.interfaces.web.visit import Door, Visit, form, view
from postroom.interfaces.web.words import kind_of

A_PAGE = 25
_DONE = {"removed": "Removed from your notifications", "marked": "Marked as read"}


def handlers(door: Door) -> list[HTTPRouteHandler]:
    return [
        view(door, INBOX, _list, on_error=show_failure),
        form(door, f"{INBOX}/mark", _mark, on_error=show_failure),
        form(door, f"{INBOX}/token", _token, on_error=show_failure),
    ]


async def _list(visit: Visit) -> Answer:
    chosen = selection(visit.asked)
    now = visit.app.clock()
    filters = replace(_filters(visit, chosen), before=chosen.before or None, limit=A_PAGE)
    async with visit.app.database.reading() as conn:
        page = await find_page(conn, filters, caller=visit.person, vault=visit.app.vault, now=now)
    older = page.next_before
    return await visit.page(
        "inbox.html",
        title="My notifications",
        items=page.items,
        chosen=chosen,
        shown=SHOWN.items(),
        types=_types(chosen.type),
        first=replace(chosen, before="").listed() if chosen.before else None,
        older=older and replace(chosen, before=older).listed(),
        newest=_newest(visit),
        now=now,
        late_before=_late_before(visit),
        done=_DONE.get(visit.asked("done")),
    )


def _newest(visit: Visit) -> str:
    """What comes after it is not marked with what is shown: nobody has seen it yet."""
    return visit.app.clock().isoformat()


async def _mark(visit: Visit) -> Answer:
    chosen = replace(selection(lambda name: visit.fields.get(name, "")), before="")
    filters = replace(_filters(visit, chosen), created_to=_moment(visit.fields.get("newest", "")))
    wanted = Mark(ActionType.IS_READ, filters, correlation_id=visit.correlation_id, ip=visit.ip)
    is_complete = False
    while not is_complete:
        async with visit.app.database.transaction() as conn:
            _, is_complete = await mark(
                conn, wanted, person=visit.person, vault=visit.app.vault, now=visit.app.clock()
            )
    visit.tell()
    return visit.go(chosen.listed(done="marked"))


async def _token(visit: Visit) -> Answer:
    """What the bell of a page calls the API with: for minutes, and only to a page that this person has."""
    token = await visit.door.sessions.token_for_script(visit.visitor)
    return visit.script({"token": token})


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid([FieldError("newest", "Reload the page.")]) from None


def _filters(visit: Visit, chosen: Selection) -> Filters:
    kind, show = chosen.type, chosen.show
    return Filters(
        target_type=(target_type.canonical(kind) or kind) if kind else None,
        is_read=False if show == "unread" else None,
        is_archived=True if show == "archived" else None,
        outstanding=True if show in ("action", "overdue") else None,
        waiting_since_before=_late_before(visit) if show == "overdue" else None,
    )


def _late_before(visit: Visit) -> datetime:
    """What has waited for a decision since before that is overdue."""
    return visit.app.clock() - visit.app.settings.overdue_after


def _types(chosen: str) -> list[tuple[str, str]]:
    known = dict(target_type.KNOWN)
    if chosen:
        known.setdefault(chosen, kind_of(chosen))
    return [("", "Any"), *sorted(known.items(), key=lambda each: each[1])]
