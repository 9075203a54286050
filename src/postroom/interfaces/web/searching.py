"""Developers search all notifications, and read what became of one."""

from litestar.handlers import HTTPRouteHandler

from postroom.domain.errors import FieldError, NotFound
from postroom.features.notifications.characters import has_control
from postroom.features.notifications.dead_letters import count_dead
from postroom.features.notifications.find import Page, find_one
from postroom.features.notifications.search import By, Sought, search
from postroom.features.notifications.timeline import timeline
from postroom.interfaces.web.failures import show_failure
from postroom.interfaces.web.notification import wanted_id
from postroom.interfaces.web.paths import DEVELOPER
from postroom.interfaces.web.shell import Answer
from postroom.interfaces.web.visit import READERS, Door, Visit, form, view
from postroom.kit.ids import is_id

A_PAGE = 25
BY = {
    By.TARGET: "Target id",
    By.RECIPIENT: "Recipient: an email address or mobile number",
    By.REFERENCE: "Reference",
    By.NOTIFY_ID: "GOV.UK Notify’s id",
    By.CORRELATION_ID: "Correlation id",
    By.ID: "Our id, of a notification or a delivery",
}
_LONGEST = 320


def handlers(door: Door) -> list[HTTPRouteHandler]:
    return [
        view(door, DEVELOPER, _home, on_error=show_failure),
        # A recipient is personal: what is searched for never stands in an address.
        form(door, f"{DEVELOPER}/search", _search, on_error=show_failure),
        view(door, f"{DEVELOPER}/search", _home, on_error=show_failure),
        view(door, f"{DEVELOPER}/notifications/{{id:str}}", _one, on_error=show_failure),
    ]


async def _home(visit: Visit) -> Answer:
    visit.need(READERS)
    return await _page(visit)


async def _search(visit: Visit) -> Answer:
    visit.need(READERS)
    text = visit.fields.get("text", "").strip()
    fault = _fault(text)
    if fault is not None:
        return await _page(visit, errors=(FieldError("text", fault),), status=400)
    chosen = visit.fields.get("by", "")
    before = visit.fields.get("before", "").lower()
    sought = Sought(
        By(chosen) if chosen in set(By) else By.TARGET,
        text,
        service_ids=await _service_ids(visit),
        before=before if is_id(before) else None,
        limit=A_PAGE,
    )
    async with visit.app.database.reading() as conn:
        found = await search(conn, sought, caller=visit.person, vault=visit.app.vault)
    return await _page(visit, found=found)


def _fault(text: str) -> str | None:
    if not text:
        return "Enter what to search for"
    if len(text) > _LONGEST or has_control(text):
        return f"Use up to {_LONGEST} characters on one line"
    return None


async def _service_ids(visit: Visit) -> tuple[str, ...]:
    every = await visit.app.directory.every()
    named = visit.fields.get("service", "")
    return tuple(each.id for each in every if named in ("", each.name))


async def _page(
    visit: Visit,
    *,
    found: Page | None = None,
    errors: tuple[FieldError, ...] = (),
    status: int = 200,
) -> Answer:
    every = await visit.app.directory.every()
    async with visit.app.database.reading() as conn:
        dead = await count_dead(conn)
    return await visit.page(
        "search.html",
        title="Search" if found is not None else "Developer",
        status=status,
        errors=errors,
        found=found,
        sought={name: visit.fields.get(name, "") for name in ("by", "text", "service")},
        by=[(each.value, label) for each, label in BY.items()],
        services=[("", "All services"), *((each.name, each.name) for each in every)],
        names={each.id: each.name for each in every},
        dead=sum(dead.values()),
    )


async def _one(visit: Visit) -> Answer:
    visit.need(READERS)
    app, notification_id = visit.app, wanted_id(visit)
    async with app.database.reading() as conn:
        told = await timeline(conn, notification_id, caller=visit.person, vault=app.vault, now=app.clock())
        try:
            found = await find_one(conn, notification_id, caller=visit.person, vault=app.vault)
        except NotFound:
            found = None  # Removed from every list: what happened is told all the same.
    service = await app.directory.by_id(told.service_id)
    return await visit.page(
        "developer_notification.html",
        title="Notification",
        back=DEVELOPER,
        one=found,
        lines=told.lines,
        id=notification_id,
        service=service.name if service else "",
    )
