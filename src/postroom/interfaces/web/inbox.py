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
from postroom.interfaces.web.paths import INBOX, with_query
from postroom.interfaces.web.shell import Answer
from postroom.interfaces.web.visit import Door, Visit, form, view
from postroom.interfaces.web.words import kind_of
from postroom.kit.ids import is_id

A_PAGE = 25
SHOWN = {
    "": "Everything",
    "unread": "Unread",
    "action": "Needs action",
    "overdue": "Overdue",
    "archived": "Archived",
}
_LONGEST_TYPE = 64
_DONE = {"removed": "Removed from your notifications", "marked": "Marked as read"}


def handlers(door: Door) -> list[HTTPRouteHandler]:
    return [
        view(door, INBOX, _list, on_error=show_failure),
        form(door, f"{INBOX}/mark", _mark, on_error=show_failure),
    ]


async def _list(visit: Visit) -> Answer:
    show, kind = visit.asked("show"), visit.asked("type")[:_LONGEST_TYPE]
    show = show if show in SHOWN else ""
    before = visit.asked("before").lower()
    filters = replace(_filters(visit, show, kind), before=before if is_id(before) else None, limit=A_PAGE)
    async with visit.app.database.reading() as conn:
        page = await find_page(
            conn, filters, caller=visit.person, vault=visit.app.vault, now=visit.app.clock()
        )
    older = page.next_before
    return await visit.page(
        "inbox.html",
        title="My notifications",
        items=page.items,
        show=show,
        shown=SHOWN.items(),
        type=kind,
        types=_types(kind),
        first=with_query(INBOX, show=show, type=kind) if filters.before else None,
        older=older and with_query(INBOX, show=show, type=kind, before=older),
        newest=_newest(visit),
        done=_DONE.get(visit.asked("done")),
    )


def _newest(visit: Visit) -> str:
    """What comes after it is not marked with what is shown: nobody has seen it yet."""
    return visit.app.clock().isoformat()


async def _mark(visit: Visit) -> Answer:
    show, kind = visit.fields.get("show", ""), visit.fields.get("type", "")[:_LONGEST_TYPE]
    show = show if show in SHOWN else ""
    filters = replace(_filters(visit, show, kind), created_to=_moment(visit.fields.get("newest", "")))
    wanted = Mark(ActionType.IS_READ, filters, correlation_id=visit.correlation_id, ip=visit.ip)
    is_complete = False
    while not is_complete:
        async with visit.app.database.transaction() as conn:
            _, is_complete = await mark(
                conn, wanted, person=visit.person, vault=visit.app.vault, now=visit.app.clock()
            )
    visit.tell()
    return visit.go(INBOX, show=show, type=kind, done="marked")


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid([FieldError("newest", "Reload the page.")]) from None


def _filters(visit: Visit, show: str, kind: str) -> Filters:
    late_before = visit.app.clock() - visit.app.settings.overdue_after
    return Filters(
        target_type=(target_type.canonical(kind) or kind) if kind else None,
        is_read=False if show == "unread" else None,
        is_archived=True if show == "archived" else None,
        outstanding=True if show in ("action", "overdue") else None,
        waiting_since_before=late_before if show == "overdue" else None,
    )


def _types(chosen: str) -> list[tuple[str, str]]:
    known = dict(target_type.KNOWN)
    if chosen:
        known.setdefault(chosen, kind_of(chosen))
    return [("", "Any"), *sorted(known.items(), key=lambda each: each[1])]
