"""Popups on this computer: turned on and off by scripts, for the officer who is signed in."""

from litestar.handlers import HTTPRouteHandler

from postroom.domain.errors import NotFound
from postroom.features.inbox.push.subscriptions import (
    Address,
    is_known,
    subscribe,
    subscriptions_of,
    unsubscribe,
    unsubscribe_all,
)
from postroom.interfaces.web.failures import show_failure
from postroom.interfaces.web.paths import INBOX
from postroom.interfaces.web.shell import Answer
from postroom.interfaces.web.visit import Door, Visit, form, view

PATH = f"{INBOX}/popups"
_DONE = {"off": "Popups are off on all your computers"}


def handlers(door: Door) -> list[HTTPRouteHandler]:
    return [
        view(door, PATH, _show, on_error=show_failure),
        form(door, PATH, _change, on_error=show_failure),
    ]


async def _show(visit: Visit) -> Answer:
    async with visit.app.database.reading() as conn:
        found = await subscriptions_of(conn, visit.person, vault=visit.app.vault)
    return await visit.page(
        "popups.html",
        title="Popups on this computer",
        back=INBOX,
        browsers=found,
        done=_DONE.get(visit.asked("done")),
    )


async def _change(visit: Visit) -> Answer:
    """What a script sends about its own browser, or the button about all of them."""
    how = visit.fields.get("how")
    endpoint = visit.fields.get("endpoint", "")
    async with visit.app.database.transaction() as conn:
        if how == "confirm" and not await is_known(conn, endpoint, vault=visit.app.vault):
            raise NotFound("Popups have been turned off in this browser.")
        if how in ("on", "confirm"):
            address = Address(endpoint, visit.fields.get("p256dh", ""), visit.fields.get("auth", ""))
            await subscribe(
                conn,
                visit.person,
                address,
                vault=visit.app.vault,
                private=visit.app.settings.private_webhooks,
                now=visit.app.clock(),
            )
        elif how == "off":
            await unsubscribe(conn, visit.person, vault=visit.app.vault, endpoint=endpoint)
        elif how == "all-off":
            await unsubscribe_all(conn, visit.person, vault=visit.app.vault)
        else:
            raise NotFound("There is no such button.")
    return visit.go(PATH, done="off" if how == "all-off" else None)
