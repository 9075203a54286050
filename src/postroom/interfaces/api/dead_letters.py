"""The endpoints of dead letters: a service lists its own, and has them taken up again."""

from collections.abc import Mapping

from litestar import get, post
from litestar.params import FromPath
from litestar.types import ASGIApp

from postroom.domain.caller import ServiceCaller
from postroom.domain.channel import CARRIED, Channel, channel_named
from postroom.domain.errors import FieldError, Invalid, NotFound
from postroom.domain.scope import Scope
from postroom.features.notifications.dead_letters import (
    Cause,
    DeadLetter,
    Filters,
    Replayer,
    find_dead,
    replay_all,
    replay_one,
)
from postroom.interfaces.api.answer import json_answer
from postroom.interfaces.api.body import read_body
from postroom.interfaces.api.notifications import checked_id
from postroom.interfaces.api.parts import AnyRequest, parts_of
from postroom.interfaces.api.query import (
    DEFAULT_LIMIT,
    next_link,
    parse,
    read_cursor,
    read_id,
    read_limit,
    read_moment,
    read_one_of,
    read_parameters,
)
from postroom.interfaces.api.schemas import (
    AttemptItem,
    DeadLetterItem,
    ReplayBody,
    ReplayedItem,
    ReplayManyBody,
)
from postroom.interfaces.edge import correlation_id_of

_CHOOSING = ("channel", "templateId", "reference", "cause", "diedFrom", "diedTo")
KNOWN = (*_CHOOSING, "limit", "cursor")
_TEMPLATE = read_id("Use the id of a template.")


@get("/dead-letters")
async def list_dead_letters(request: AnyRequest) -> ASGIApp:
    postroom, authenticator = parts_of(request)
    caller = await authenticator.service(request, scope=Scope.READ)
    given = {name: values[0] for name, values in read_parameters(request, known=KNOWN).items()}
    filters = _to_filters(given, caller, [])
    async with postroom.database.reading() as conn:
        page = await find_dead(conn, filters)
    headers = next_link(
        "/dead-letters", given.items(), cursor=page.next_before, prefix=postroom.settings.api_prefix
    )
    return json_answer([to_item(each) for each in page.items], headers=headers)


@get("/dead-letters/{delivery_id:str}")
async def get_dead_letter(request: AnyRequest, delivery_id: FromPath[str]) -> ASGIApp:
    postroom, authenticator = parts_of(request)
    caller = await authenticator.service(request, scope=Scope.READ)
    filters = Filters(service_id=caller.service_id, delivery_id=checked_id(delivery_id), limit=1)
    async with postroom.database.reading() as conn:
        page = await find_dead(conn, filters)
    if not page.items:
        raise NotFound("There is no such dead letter.")
    return json_answer(to_item(page.items[0]))


@post("/dead-letters/{delivery_id:str}/replay", status_code=200)
async def replay_dead_letter(request: AnyRequest, delivery_id: FromPath[str]) -> ASGIApp:
    postroom, authenticator = parts_of(request)
    caller = await authenticator.service(request, scope=Scope.WRITE)
    wanted_id = checked_id(delivery_id)
    body, faults = await read_body(request, ReplayBody, may_be_empty=True)
    if faults:
        raise Invalid(faults)
    replayer = _replayer(request, caller, may_send_twice=body.may_send_twice)
    async with postroom.database.transaction() as conn:
        await replay_one(conn, wanted_id, service_id=caller.service_id, replayer=replayer)
    postroom.queue.ring()
    return json_answer(ReplayedItem(replayed=1))


@post("/dead-letters/replay", status_code=200)
async def replay_dead_letters(request: AnyRequest) -> ASGIApp:
    postroom, authenticator = parts_of(request)
    caller = await authenticator.service(request, scope=Scope.WRITE)
    body, faults = await read_body(request, ReplayManyBody)
    given = {
        "channel": body.channel,
        "templateId": body.template_id,
        "reference": body.reference,
        "cause": body.cause,
        "diedFrom": body.died_from,
        "diedTo": body.died_to,
    }
    chosen = {name: value for name, value in given.items() if value is not None}
    if not chosen and not body.all and not faults:
        faults.append(FieldError("body", f"Say which, by {', '.join(_CHOOSING)}, or send all: true."))
    filters = _to_filters(chosen, caller, faults)
    replayer = _replayer(request, caller, may_send_twice=body.may_send_twice)
    replayed = await replay_all(postroom.database, filters, replayer=replayer)
    postroom.queue.ring()
    return json_answer(ReplayedItem(replayed=replayed))


def _to_filters(given: Mapping[str, str], caller: ServiceCaller, faults: list[FieldError]) -> Filters:
    """The filters of a URL or a body; Invalid with these faults and all that are found."""
    errors = list(faults)
    filters = Filters(
        service_id=caller.service_id,
        channel=parse(given, "channel", _channel, errors),
        template_id=parse(given, "templateId", _TEMPLATE, errors),
        reference=given.get("reference"),
        cause=parse(given, "cause", read_one_of(Cause), errors),
        died_from=parse(given, "diedFrom", read_moment, errors),
        died_to=parse(given, "diedTo", read_moment, errors),
        before=parse(given, "cursor", read_cursor, errors),
        limit=parse(given, "limit", read_limit, errors) or DEFAULT_LIMIT,
    )
    if errors:
        raise Invalid(errors)
    return filters


def _channel(text: str) -> Channel:
    channel = channel_named(text)
    if channel not in CARRIED:
        raise ValueError(f"Use one of {', '.join(CARRIED)}.")
    return channel


def _replayer(request: AnyRequest, caller: ServiceCaller, *, may_send_twice: bool | None) -> Replayer:
    postroom = parts_of(request).app
    return Replayer(
        vault=postroom.vault,
        queue=postroom.queue,
        now=postroom.clock(),
        although_unsure=bool(may_send_twice),
        actor=caller.display_name,
        correlation_id=correlation_id_of(request.scope),
    )


def to_item(letter: DeadLetter) -> DeadLetterItem:
    return DeadLetterItem(
        id=letter.id,
        notification_id=letter.notification_id,
        channel=letter.channel.value,
        template_id=letter.template_id,
        reference=letter.reference,
        cause=letter.cause.value,
        reason=letter.reason,
        explanation=letter.explanation,
        created_at=letter.created_at,
        died_at=letter.died_at,
        replayed_at=letter.replayed_at,
        attempts=[
            AttemptItem(
                number=each.number,
                started_at=each.started_at,
                ended_at=each.ended_at,
                outcome=each.outcome,
                status_code=each.status_code,
                reason=each.reason,
            )
            for each in letter.attempts
        ],
    )
