"""The endpoint that takes many notifications at once."""

from collections.abc import Sequence

import msgspec
from litestar import post
from litestar.types import ASGIApp

from postroom.domain.caller import ServiceCaller
from postroom.domain.errors import FieldError, Invalid
from postroom.domain.notification import Notification
from postroom.domain.scope import Scope
from postroom.features.notifications.bulk import LARGEST, BulkOnce, Item, check_many, create_many
from postroom.features.notifications.create import Created
from postroom.interfaces.api.allowances import allowance_headers
from postroom.interfaces.api.answer import json_answer
from postroom.interfaces.api.body import LARGEST_BULK, read_bodies
from postroom.interfaces.api.notifications import idempotency_key, wants_validation
from postroom.interfaces.api.parts import AnyRequest, parts_of
from postroom.interfaces.api.problems import TooLarge, problem_of
from postroom.interfaces.api.schemas import BulkResult, NotificationBody
from postroom.interfaces.api.translate import to_item, to_new_notification, to_validation
from postroom.interfaces.edge import correlation_id_of


@post("/notifications/bulk", status_code=207, request_max_body_size=LARGEST_BULK + 1024)
async def create_notifications(request: AnyRequest) -> ASGIApp:
    postroom, authenticator = parts_of(request)
    caller = await authenticator.service(request, scope=Scope.WRITE)
    faults: list[FieldError] = []
    key = idempotency_key(request, faults)
    validate_only = wants_validation(request, faults)
    if faults:
        raise Invalid(faults)
    bodies = await read_bodies(request, NotificationBody, most=LARGEST)
    # It counts as the calls that it saves: all of them, or it is refused before anything is accepted.
    await authenticator.take_more(request, caller, calls=len(bodies) - 1)
    correlation_id = correlation_id_of(request.scope)
    items = [_to_item(each, correlation_id) for each in bodies]
    if validate_only:
        return await _validated(request, items, caller)
    results = await create_many(
        items,
        creator=postroom.creator,
        caller=caller,
        now=postroom.clock(),
        once=None if key is None else BulkOnce(key=key, body=_said(bodies)),
    )
    shown = [_result(index, each, correlation_id) for index, each in enumerate(results)]
    return json_answer(shown, status=207, headers=allowance_headers(request.scope))


async def _validated(request: AnyRequest, items: Sequence[Item], caller: ServiceCaller) -> ASGIApp:
    postroom, _ = parts_of(request)
    results = await check_many(items, creator=postroom.creator, caller=caller, now=postroom.clock())
    correlation_id = correlation_id_of(request.scope)
    shown = [_validation(index, each, correlation_id) for index, each in enumerate(results)]
    return json_answer(shown, status=207, headers=allowance_headers(request.scope))


def _to_item(
    read: tuple[NotificationBody, list[FieldError]] | TooLarge | Invalid, correlation_id: str | None
) -> Item:
    if isinstance(read, Exception):
        return Item(new=None, refused=read)
    body, faults = read
    return Item(new=to_new_notification(body, faults, correlation_id=correlation_id), faults=faults)


def _said(bodies: Sequence[tuple[NotificationBody, list[FieldError]] | TooLarge | Invalid]) -> bytes:
    """What the bulk says, however it is written."""
    read = [None if isinstance(each, Exception) else each[0] for each in bodies]
    return msgspec.json.encode(read, order="sorted")


def _result(index: int, result: Created | Exception, correlation_id: str | None) -> BulkResult:
    if isinstance(result, Exception):
        return _refused(index, result, correlation_id)
    return BulkResult(
        index=index,
        status=201,
        notification=to_item(result.notification),
        idempotent_replay=result.replayed,
    )


def _validation(index: int, result: Notification | Exception, correlation_id: str | None) -> BulkResult:
    if isinstance(result, Exception):
        return _refused(index, result, correlation_id)
    return BulkResult(index=index, status=200, validation=to_validation(result))


def _refused(index: int, error: Exception, correlation_id: str | None) -> BulkResult:
    problem = problem_of(error, correlation_id=correlation_id)
    return BulkResult(index=index, status=problem.status, problem=problem)
