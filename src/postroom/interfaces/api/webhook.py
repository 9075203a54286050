"""The endpoints of a service's webhook: where it is called, with which secret, and what came of the calls."""

from collections.abc import Mapping

from litestar import delete, get, post, put
from litestar.types import ASGIApp

from postroom.domain.caller import ServiceCaller
from postroom.domain.errors import FieldError, Invalid
from postroom.domain.scope import Scope
from postroom.features.webhooks.attempts import AttemptFilters, WebhookAttempt, find_attempts
from postroom.features.webhooks.endpoints import (
    Endpoint,
    find_endpoint,
    remove_endpoint,
    rotate_secret,
    set_endpoint,
)
from postroom.features.webhooks.retry import Outcome
from postroom.interfaces.api.answer import json_answer
from postroom.interfaces.api.body import read_body
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
from postroom.interfaces.api.roles import signed
from postroom.interfaces.api.schemas import WebhookAttemptItem, WebhookBody, WebhookItem

KNOWN = ("eventId", "notificationId", "outcome", "madeFrom", "madeTo", "limit", "cursor")
_ANY_ID = read_id("Use an id as it stands.")


@put("/webhook")
async def set_webhook(request: AnyRequest) -> ASGIApp:
    postroom, authenticator = parts_of(request)
    caller = await authenticator.service(request, scope=Scope.WRITE)
    body, faults = await read_body(request, WebhookBody)
    if body.url is None and not faults:
        faults.append(FieldError("url", "Say where to call."))
    if faults or body.url is None:
        raise Invalid(faults)
    async with postroom.database.transaction() as conn:
        secret = await set_endpoint(
            conn,
            caller.service_id,
            body.url,
            vault=postroom.vault,
            private=postroom.settings.private_webhooks,
            now=postroom.clock(),
            by=signed(request, caller),
        )
        endpoint = await find_endpoint(conn, caller.service_id, vault=postroom.vault)
    return json_answer(to_webhook_item(endpoint, secret), status=200 if secret is None else 201)


@get("/webhook")
async def get_webhook(request: AnyRequest) -> ASGIApp:
    postroom, authenticator = parts_of(request)
    caller = await authenticator.service(request, scope=Scope.READ)
    async with postroom.database.reading() as conn:
        endpoint = await find_endpoint(conn, caller.service_id, vault=postroom.vault)
    return json_answer(to_webhook_item(endpoint, None))


@delete("/webhook", status_code=204)
async def remove_webhook(request: AnyRequest) -> None:
    postroom, authenticator = parts_of(request)
    caller = await authenticator.service(request, scope=Scope.WRITE)
    async with postroom.database.transaction() as conn:
        await remove_endpoint(conn, caller.service_id, by=signed(request, caller))


@post("/webhook/rotate", status_code=200)
async def rotate_webhook_secret(request: AnyRequest) -> ASGIApp:
    postroom, authenticator = parts_of(request)
    caller = await authenticator.service(request, scope=Scope.WRITE)
    async with postroom.database.transaction() as conn:
        secret = await rotate_secret(
            conn,
            caller.service_id,
            vault=postroom.vault,
            now=postroom.clock(),
            by=signed(request, caller),
        )
        endpoint = await find_endpoint(conn, caller.service_id, vault=postroom.vault)
    return json_answer(to_webhook_item(endpoint, secret))


@get("/webhook/attempts")
async def list_webhook_attempts(request: AnyRequest) -> ASGIApp:
    postroom, authenticator = parts_of(request)
    caller = await authenticator.service(request, scope=Scope.READ)
    given = {name: values[0] for name, values in read_parameters(request, known=KNOWN).items()}
    filters = _to_filters(given, caller)
    async with postroom.database.reading() as conn:
        found, next_before = await find_attempts(conn, filters)
    headers = next_link(
        "/webhook/attempts", given.items(), cursor=next_before, prefix=postroom.settings.api_prefix
    )
    return json_answer([to_attempt_item(each) for each in found], headers=headers)


def _to_filters(given: Mapping[str, str], caller: ServiceCaller) -> AttemptFilters:
    errors: list[FieldError] = []
    filters = AttemptFilters(
        service_id=caller.service_id,
        event_id=parse(given, "eventId", _ANY_ID, errors),
        notification_id=parse(given, "notificationId", _ANY_ID, errors),
        outcome=parse(given, "outcome", read_one_of(Outcome), errors),
        made_from=parse(given, "madeFrom", read_moment, errors),
        made_to=parse(given, "madeTo", read_moment, errors),
        before=parse(given, "cursor", read_cursor, errors),
        limit=parse(given, "limit", read_limit, errors) or DEFAULT_LIMIT,
    )
    if errors:
        raise Invalid(errors)
    return filters


def to_webhook_item(endpoint: Endpoint, secret: str | None) -> WebhookItem:
    return WebhookItem(
        url=endpoint.url,
        secret=secret,
        is_on=endpoint.off_at is None,
        off_at=endpoint.off_at,
        off_reason=endpoint.off_reason,
        failing_since=endpoint.failing_since,
        former_secret_until=endpoint.former_until,
        waiting=endpoint.waiting,
        created_at=endpoint.created_at,
    )


def to_attempt_item(attempt: WebhookAttempt) -> WebhookAttemptItem:
    return WebhookAttemptItem(
        id=attempt.id,
        event_id=attempt.event_id,
        notification_id=attempt.notification_id,
        number=attempt.number,
        at=attempt.at,
        took_ms=attempt.took_ms,
        status_code=attempt.status_code,
        error=attempt.error,
        outcome=attempt.outcome.value,
    )
