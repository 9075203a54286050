"""For a manager: who has not yet confirmed what waits for a decision, as a page and as CSV."""

from collections.abc import Iterator

from litestar import Response
from litestar.handlers import HTTPRouteHandler

from postroom.features.inbox.register import Register, Unconfirmed, register_of
from postroom.interfaces.web.failures import show_failure
from postroom.interfaces.web.paths import REGISTER, with_query
from postroom.interfaces.web.shell import HEADERS, Answer
from postroom.interfaces.web.visit import MANAGERS, Door, Visit, view
from postroom.interfaces.web.words import exact, kind_of
from postroom.kit.csv_text import csv_text
from postroom.kit.ids import is_id

A_PAGE = 25
MOST_IN_A_FILE = 1_000
MOST_LINES = 100_000
_HEADINGS = ("Notification", "About", "Reference", "Created", "For", "Not yet confirmed by")
_AND_MORE = ("There are more than this file holds: the newest come first.",)


def handlers(door: Door) -> list[HTTPRouteHandler]:
    return [
        view(door, REGISTER, _show, on_error=show_failure),
        view(door, f"{REGISTER}/csv", _csv, on_error=show_failure),
    ]


async def _show(visit: Visit) -> Answer:
    visit.need(MANAGERS)
    before = visit.asked("before").lower()
    found = await _found(visit, before if is_id(before) else None, A_PAGE)
    return await visit.page(
        "register.html",
        title="Not yet confirmed",
        items=found.items,
        older=found.next_before and with_query(REGISTER, before=found.next_before),
        csv=f"{REGISTER}/csv",
    )


async def _found(visit: Visit, before: str | None, limit: int) -> Register:
    async with visit.app.database.reading() as conn:
        return await register_of(conn, visit.person, vault=visit.app.vault, before=before, limit=limit)


async def _csv(visit: Visit) -> Answer:
    """A line for each who has not confirmed, of the newest notifications; the last says if there is more."""
    visit.need(MANAGERS)
    found = await _found(visit, None, MOST_IN_A_FILE)
    lines = [line for item in found.items for line in _lines(item)]
    is_all = (
        found.next_before is None and len(lines) <= MOST_LINES and all(each.is_all for each in found.items)
    )
    rows = [_HEADINGS, *lines[:MOST_LINES], *([] if is_all else [_AND_MORE])]
    headers = HEADERS | {"Content-Disposition": 'attachment; filename="not-yet-confirmed.csv"'}
    # With a mark in front, so that a spreadsheet reads it as what it is.
    content = csv_text(rows).encode("utf-8-sig")
    return Response(content, media_type="text/csv", headers=headers)


def _lines(item: Unconfirmed) -> Iterator[tuple[str, ...]]:
    one = item.notification
    about = (one.id, kind_of(one.target_type), one.reference or "", exact(one.created_at), one.user)
    for email in item.missing:
        yield (*about, email)
