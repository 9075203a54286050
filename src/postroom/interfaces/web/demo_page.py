"""The bell for the demo's officers, with something to send them. Elsewhere it is not there."""

from collections.abc import Mapping
from typing import Any

from litestar.handlers import HTTPRouteHandler

from postroom.domain.caller import ServiceCaller
from postroom.domain.channel import Channel
from postroom.domain.errors import FieldError, Invalid, NotFound
from postroom.domain.notification import FollowOn
from postroom.features.notifications.request import NewNotification
from postroom.interfaces.web.failures import show_failure
from postroom.interfaces.web.paths import DEMO
from postroom.interfaces.web.shell import Answer
from postroom.interfaces.web.sign_in import demo_token
from postroom.interfaces.web.visit import Door, Visit, form, view

SAMPLES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "plain": (
        "Something to read",
        {"target_type": "FailedDirectDebits", "message": "3 direct debits failed last night."},
    ),
    "asks": (
        "Something to decide",
        {
            "target_type": "Estimates",
            "message": "The estimates for Arlington Estate are ready. Approve or reject them.",
            "require_action": True,
        },
    ),
    "sensitive": (
        "Something sensitive",
        {
            "target_type": "Person",
            "message": "A cautionary contact was recorded for a household you visit tomorrow.",
            "sensitive": True,
        },
    ),
    "leads": (
        "Something to do elsewhere",
        {
            "target_type": "Repair",
            "message": "Work order 1007 waits for a follow-on visit.",
            "follow_on": FollowOn("Open the work order", "https://repairs.hackney.gov.uk/work-orders/1007"),
        },
    ),
}


def handlers(door: Door) -> list[HTTPRouteHandler]:
    if not door.app.settings.pages.ready_officers:
        return []
    return [
        view(door, DEMO, _show, on_error=show_failure, open_to_all=True),
        form(door, f"{DEMO}/token", _token, on_error=show_failure, open_to_all=True),
        form(door, f"{DEMO}/send", _send, on_error=show_failure, open_to_all=True),
    ]


async def _show(visit: Visit) -> Answer:
    officers = visit.app.settings.pages.ready_officers
    groups = dict.fromkeys(group for each in officers for group in each.groups)
    return await visit.page(
        "demo.html",
        title="The bell",
        officers=officers,
        audiences=[
            *((each.email, each.email) for each in officers),
            *((f"group:{name}", f"the group {name}") for name in groups),
        ],
        samples=[(name, label) for name, (label, _) in SAMPLES.items()],
        chosen=(visit.asked("to"), visit.asked("what")),
    )


async def _token(visit: Visit) -> Answer:
    token = demo_token(visit)
    if token is None:
        raise NotFound("There is no such officer.")
    return visit.script({"token": token})


async def _send(visit: Visit) -> Answer:
    app, to, what = visit.app, visit.fields.get("to", ""), visit.fields.get("what", "")
    service = await app.directory.by_name(app.settings.pages.ready_service)
    if what not in SAMPLES or service is None:
        raise Invalid([FieldError("what", "Choose what to send.")])
    new = NewNotification(channels=(Channel.SCREEN,), user=to, target_id="demo", **SAMPLES[what][1])
    await app.creator.create(new, caller=ServiceCaller(service.id, service.name), now=app.clock())
    return visit.go(DEMO, to=to, what=what)
