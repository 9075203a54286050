"""The endpoint of a notification's timeline."""

from litestar import get
from litestar.params import FromPath
from litestar.types import ASGIApp

from postroom.domain.scope import Scope
from postroom.features.notifications.timeline import Line, timeline
from postroom.interfaces.api.answer import json_answer
from postroom.interfaces.api.notifications import checked_id
from postroom.interfaces.api.parts import AnyRequest, parts_of
from postroom.interfaces.api.schemas import TimelineItem


@get("/notifications/{notification_id:str}/timeline")
async def get_timeline(request: AnyRequest, notification_id: FromPath[str]) -> ASGIApp:
    postroom, authenticator = parts_of(request)
    caller = await authenticator.caller(request, scope=Scope.READ)
    wanted_id = checked_id(notification_id)
    async with postroom.database.reading() as conn:
        found = await timeline(conn, wanted_id, caller=caller, vault=postroom.vault, now=postroom.clock())
    return json_answer([_to_item(line) for line in found.lines])


def _to_item(line: Line) -> TimelineItem:
    return TimelineItem(
        at=line.at,
        kind=line.kind,
        text=line.text,
        channel=None if line.channel is None else line.channel.value,
        delivery_id=line.delivery_id,
        actor=line.actor,
        note=line.note,
        correlation_id=line.correlation_id,
        is_ahead=line.is_ahead,
    )
