"""The endpoints of notifications."""

from dataclasses import replace
from hashlib import blake2b
from urllib.parse import parse_qsl

import msgspec
from litestar import delete, get, patch, post
from litestar.params import FromPath
from litestar.types import ASGIApp

from postroom.domain.action import ActionType, action_named
from postroom.domain.caller import Caller, ServiceCaller
from postroom.domain.errors import FieldError, Invalid
from postroom.domain.notification import Notification
from postroom.domain.scope import Scope
from postroom.features.notifications.act import Action, act
from postroom.features.notifications.characters import has_control
from postroom.features.notifications.find import Filters, count_found, find_one, find_page
from postroom.features.notifications.idempotency import LONGEST_KEY, Once
from postroom.features.notifications.reach import reach
from postroom.features.notifications.request import NewNotification
from postroom.features.notifications.withdraw import withdraw
from postroom.interfaces.api.allowances import allowance_headers
from postroom.interfaces.api.answer import Answer, encode, json_answer
from postroom.interfaces.api.body import LARGEST_WITH_FILE, read_body
from postroom.interfaces.api.export import csv_answer, filters_of_csv, wants_csv
from postroom.interfaces.api.parts import AnyRequest, parts_of
from postroom.interfaces.api.query import COUNTABLE, next_link, parse_filters
from postroom.interfaces.api.schemas import ActionBody, CountItem, NotificationBody
from postroom.interfaces.api.translate import parse_flag, to_item, to_new_notification, to_validation
from postroom.interfaces.edge import caller_ip_of, correlation_id_of
from postroom.kit.ids import is_id


@post("/notifications", request_max_body_size=LARGEST_WITH_FILE + 1024)
async def create_notification(request: AnyRequest) -> ASGIApp:
    postroom, authenticator = parts_of(request)
    caller = await authenticator.service(request, scope=Scope.WRITE)
    body, faults = await read_body(request, NotificationBody)
    validate_only = wants_validation(request, faults)
    new = to_new_notification(body, faults, correlation_id=correlation_id_of(request.scope))
    once = _once(request, body, faults)
    if validate_only:
        return await _validated(request, new, caller, faults)
    created = await postroom.creator.create(
        new, caller=caller, now=postroom.clock(), faults=faults, once=once
    )
    made = created.notification
    headers = {
        "location": f"{postroom.settings.api_prefix}/notifications/{made.id}",
        "etag": made.etag,
        **allowance_headers(request.scope),
    }
    if created.replayed:
        headers["idempotent-replay"] = "true"
    return json_answer(to_item(made), status=201, headers=headers)


@get("/notifications")
async def list_notifications(request: AnyRequest) -> ASGIApp:
    postroom, authenticator = parts_of(request)
    caller = await authenticator.caller(request, scope=Scope.READ)
    if wants_csv(request):
        return await csv_answer(request, await _reaching(request, filters_of_csv(request), caller), caller)
    filters = await _reaching(request, parse_filters(request), caller)
    async with postroom.database.reading() as conn:
        page = await find_page(conn, filters, caller=caller, vault=postroom.vault, now=postroom.clock())
    asked = request.query_params.multi_items()
    headers = next_link("/notifications", asked, cursor=page.next_before, prefix=postroom.settings.api_prefix)
    return json_answer([to_item(each) for each in page.items], headers=headers)


@get("/notifications/count")
async def count_notifications(request: AnyRequest) -> ASGIApp:
    postroom, authenticator = parts_of(request)
    caller = await authenticator.caller(request, scope=Scope.READ)
    filters = await _reaching(request, parse_filters(request, known=COUNTABLE), caller)
    async with postroom.database.reading() as conn:
        found = await count_found(conn, filters, caller=caller, vault=postroom.vault, now=postroom.clock())
    counted = CountItem(found.number, found.is_exact, found.unread, found.unseen, found.needs_action)
    etag = "-".join(str(each) for each in found if each is not None)
    return _answer_once(encode(counted), f'"{etag}"', if_none_match=request.headers.get("if-none-match"))


@get("/notifications/{notification_id:str}")
async def get_notification(request: AnyRequest, notification_id: FromPath[str]) -> ASGIApp:
    postroom, authenticator = parts_of(request)
    caller = await authenticator.caller(request, scope=Scope.READ)
    async with postroom.database.reading() as conn:
        found = await find_one(conn, checked_id(notification_id), caller=caller, vault=postroom.vault)
    return _answer(found, if_none_match=request.headers.get("if-none-match"))


@patch("/notifications/{notification_id:str}")
async def act_on_notification(request: AnyRequest, notification_id: FromPath[str]) -> ASGIApp:
    postroom, authenticator = parts_of(request)
    caller = await authenticator.caller(request, scope=Scope.WRITE)
    wanted_id = checked_id(notification_id)
    body, faults = await read_body(request, ActionBody)
    action = _to_action(body, faults, wanted_id, request)
    async with postroom.database.transaction() as conn:
        found = await act(
            conn,
            wanted_id,
            action,
            caller=caller,
            vault=postroom.vault,
            now=postroom.clock(),
            need_note=postroom.settings.need_note,
        )
    postroom.live.ring()
    return _answer(found)


@delete("/notifications/{notification_id:str}", status_code=204)
async def remove_notification(request: AnyRequest, notification_id: FromPath[str]) -> None:
    postroom, authenticator = parts_of(request)
    caller = await authenticator.caller(request, scope=Scope.WRITE)
    async with postroom.database.transaction() as conn:
        await withdraw(
            conn,
            checked_id(notification_id),
            caller=caller,
            vault=postroom.vault,
            queue=postroom.queue,
            now=postroom.clock(),
            correlation_id=correlation_id_of(request.scope),
            ip=caller_ip_of(request.scope, behind_gateway=postroom.settings.trust.behind_gateway),
        )
    postroom.live.ring()


async def _reaching(request: AnyRequest, filters: Filters, caller: Caller) -> Filters:
    """The filters, over another service or all where `service` asks for that."""
    service = request.query_params.get("service")
    if service is None:
        return filters
    directory = parts_of(request).app.directory
    return replace(filters, reach=await reach(str(service), caller=caller, directory=directory))


def checked_id(text: str, *, field: str = "id") -> str:
    """An id from a path; Invalid where the text cannot be one."""
    if not is_id(text):
        raise Invalid([FieldError(field, "Use a UUID, as in 2adbbec5-cf23-414d-beb3-e6d07968e7b9.")])
    return text.lower()


def idempotency_key(request: AnyRequest, faults: list[FieldError]) -> str | None:
    """The key that the request carries; one that cannot be one is added to the faults."""
    key = request.headers.get("idempotency-key")
    if key is not None and not (1 <= len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        faults.append(FieldError("Idempotency-Key", f"Use 1 to {LONGEST_KEY} printable ASCII characters."))
        return None
    return key


def wants_validation(request: AnyRequest, faults: list[FieldError]) -> bool:
    """Whether the caller only wants to know what would become of the request."""
    query = request.scope["query_string"]
    if not query:
        return False
    given = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))
    return parse_flag("validateOnly", given.get("validateOnly"), faults)


async def _validated(
    request: AnyRequest, new: NewNotification, caller: ServiceCaller, faults: list[FieldError]
) -> ASGIApp:
    postroom, _ = parts_of(request)
    checked = await postroom.creator.check(new, caller=caller, now=postroom.clock(), faults=faults)
    return json_answer(to_validation(checked), headers=allowance_headers(request.scope))


def _once(request: AnyRequest, body: NotificationBody, faults: list[FieldError]) -> Once | None:
    """The wish that the request counts once; equal bodies are equal however they are written."""
    key = idempotency_key(request, faults)
    return None if key is None else Once(key=key, body=msgspec.json.encode(body, order="sorted"))


def _answer(notification: Notification, *, if_none_match: str | None = None) -> ASGIApp:
    """The notification with an ETag of all that is shown; 304 where the asker has it already."""
    body = encode(to_item(notification))
    etag = notification.etag_of(blake2b(body, digest_size=8).hexdigest())
    return _answer_once(body, etag, if_none_match=if_none_match)


def _answer_once(body: bytes, etag: str, *, if_none_match: str | None) -> ASGIApp:
    # A browser may keep it, and asks each time whether it is still so.
    headers = {"etag": etag, "cache-control": "private, no-cache"}
    if if_none_match is not None and _has(if_none_match, etag):
        return Answer(b"", status=304, headers=headers)
    return Answer(body, headers=headers)


def _has(if_none_match: str, etag: str) -> bool:
    """Whether the ETag is among those: what is weak counts too, for nothing is changed by it."""
    tags = (tag.strip().removeprefix("W/") for tag in if_none_match.split(","))
    return any(tag in ("*", etag) for tag in tags)


def _to_action(body: ActionBody, errors: list[FieldError], wanted_id: str, request: AnyRequest) -> Action:
    action_type = action_named(body.action_type or "")
    if action_type is None and not any(error.field == "actionType" for error in errors):
        errors.append(FieldError("actionType", f"Use one of {', '.join(ActionType)}."))
    if body.id is not None and body.id.lower() != wanted_id:
        errors.append(FieldError("id", "This differs from the id in the path."))
    if body.action_note is not None and has_control(body.action_note):
        errors.append(FieldError("actionNote", "Remove the control characters."))
    if errors or action_type is None:
        raise Invalid(errors)
    return Action(
        type=action_type,
        note=body.action_note,
        if_match=request.headers.get("if-match"),
        correlation_id=correlation_id_of(request.scope),
        ip=caller_ip_of(request.scope, behind_gateway=parts_of(request).app.settings.trust.behind_gateway),
    )
