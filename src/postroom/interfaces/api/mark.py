"""The endpoint that marks all that a person's list holds."""

from litestar import post
from litestar.types import ASGIApp

from postroom.domain.action import READING, ActionType, action_named
from postroom.domain.caller import Person
from postroom.domain.errors import FieldError, Forbidden, Invalid
from postroom.domain.scope import Scope
from postroom.features.notifications.mark import Mark, mark
from postroom.interfaces.api.answer import json_answer
from postroom.interfaces.api.body import read_body
from postroom.interfaces.api.parts import AnyRequest, parts_of
from postroom.interfaces.api.query import COUNTABLE, LARGEST_LIMIT, parse_filters
from postroom.interfaces.api.schemas import MarkBody, MarkedItem
from postroom.interfaces.edge import caller_ip_of, correlation_id_of
from postroom.kit.ids import is_id

KNOWN = tuple(name for name in COUNTABLE if name != "service")
"""Nobody marks what is on the lists of others."""


@post("/notifications/mark", status_code=200)
async def mark_notifications(request: AnyRequest) -> ASGIApp:
    postroom, authenticator = parts_of(request)
    caller = await authenticator.caller(request, scope=Scope.WRITE)
    if not isinstance(caller, Person):
        raise Forbidden("Only a person has a list to mark: do it with their token.")
    filters = parse_filters(request, known=KNOWN)
    body, faults = await read_body(request, MarkBody)
    wanted = Mark(
        type=_action(body, faults),
        filters=filters,
        ids=_ids(body, faults),
        correlation_id=correlation_id_of(request.scope),
        ip=caller_ip_of(request.scope, behind_gateway=postroom.settings.trust.behind_gateway),
    )
    if faults:
        raise Invalid(faults)
    async with postroom.database.transaction() as conn:
        done = await mark(conn, wanted, person=caller, vault=postroom.vault, now=postroom.clock())
    postroom.live.ring()
    return json_answer(MarkedItem(marked=done.number, is_complete=done.is_complete))


def _action(body: MarkBody, faults: list[FieldError]) -> ActionType:
    action = action_named(body.action_type or "")
    if action in READING:
        return action
    if not any(fault.field == "actionType" for fault in faults):
        faults.append(FieldError("actionType", f"Use one of {', '.join(sorted(READING))}."))
    return ActionType.IS_SEEN


def _ids(body: MarkBody, faults: list[FieldError]) -> tuple[str, ...] | None:
    if body.ids is None:
        return None
    if len(body.ids) > LARGEST_LIMIT:
        faults.append(FieldError("ids", f"Send up to {LARGEST_LIMIT}, or leave them out."))
    elif not all(is_id(each) for each in body.ids):
        faults.append(FieldError("ids", "Use UUIDs, as in 2adbbec5-cf23-414d-beb3-e6d07968e7b9."))
    return tuple(each.lower() for each in body.ids)
