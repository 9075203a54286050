"""The endpoints of feedback: a service reads what happened to its notifications, and has it sent again."""

from collections.abc import Mapping
from datetime import datetime

from litestar import get, post
from litestar.params import FromPath
from litestar.types import ASGIApp

from postroom.domain.errors import FieldError, Invalid
from postroom.domain.scope import Scope
from postroom.features.notifications.subjects import subjects_of
from postroom.features.webhooks.feed import end_of_feed, read_feed
from postroom.features.webhooks.resend import resend_one, resend_since
from postroom.interfaces.api.answer import json_answer
from postroom.interfaces.api.body import read_body
from postroom.interfaces.api.notifications import checked_id
from postroom.interfaces.api.parts import AnyRequest, parts_of
from postroom.interfaces.api.query import (
    DEFAULT_LIMIT,
    next_link,
    parse,
    read_limit,
    read_moment,
    read_parameters,
)
from postroom.interfaces.api.schemas import ResendBody, ResentItem

KNOWN = ("since", "limit")
NOW = "now"
"""In the place of a cursor: from the end of the feed on."""
_LONGEST_CURSOR = 18


@get("/feedback")
async def list_feedback(request: AnyRequest) -> ASGIApp:
    postroom, authenticator = parts_of(request)
    caller = await authenticator.service(request, scope=Scope.READ)
    given = {name: values[0] for name, values in read_parameters(request, known=KNOWN).items()}
    errors: list[FieldError] = []
    from_now = given.get("since") == NOW
    since = 0 if from_now else parse(given, "since", _read_place, errors) or 0
    limit = parse(given, "limit", read_limit, errors) or DEFAULT_LIMIT
    if errors:
        raise Invalid(errors)
    async with postroom.database.reading() as conn:
        if from_now:
            return _nothing_yet(given, await end_of_feed(conn, service_id=caller.service_id), request)
        page = await read_feed(
            conn, service_id=caller.service_id, since=since, limit=limit, subjects=subjects_of
        )
    cursor = page.items[-1].cursor if page.has_more else None
    headers = next_link(
        "/feedback", given.items(), cursor=cursor, prefix=postroom.settings.api_prefix, name="since"
    )
    return json_answer(page.items, headers=headers)


def _nothing_yet(given: Mapping[str, str], end: int, request: AnyRequest) -> ASGIApp:
    """No event, and where to read on."""
    postroom, _ = parts_of(request)
    headers = next_link(
        "/feedback", given.items(), cursor=str(end), prefix=postroom.settings.api_prefix, name="since"
    )
    return json_answer([], headers=headers)


@post("/feedback/{event_id:str}/resend", status_code=200)
async def resend_event(request: AnyRequest, event_id: FromPath[str]) -> ASGIApp:
    postroom, authenticator = parts_of(request)
    caller = await authenticator.service(request, scope=Scope.WRITE)
    wanted_id = checked_id(event_id)
    async with postroom.database.transaction() as conn:
        await resend_one(conn, wanted_id, service_id=caller.service_id, now=postroom.clock())
    postroom.dispatcher.ring()
    return json_answer(ResentItem(resent=1))


@post("/feedback/resend", status_code=200)
async def resend_events(request: AnyRequest) -> ASGIApp:
    postroom, authenticator = parts_of(request)
    caller = await authenticator.service(request, scope=Scope.WRITE)
    body, faults = await read_body(request, ResendBody)
    since = _since(body, faults)
    resent = await resend_since(postroom.database, since, service_id=caller.service_id, now=postroom.clock())
    postroom.dispatcher.ring()
    return json_answer(ResentItem(resent=resent))


def _since(body: ResendBody, faults: list[FieldError]) -> datetime:
    """The moment that the body names; Invalid with these faults and its own."""
    errors = list(faults)
    since: datetime | None = None
    if body.since is not None:
        since = parse({"since": body.since}, "since", read_moment, errors)
    elif not any(fault.field == "since" for fault in errors):
        errors.append(FieldError("since", "Say since when, as in 2026-11-23T09:30:00Z."))
    if errors or since is None:
        raise Invalid(errors)
    return since


def _read_place(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > _LONGEST_CURSOR:
        raise ValueError("Use the cursor of an event as it stands.")
    return int(text)
