"""The endpoints of services: admins register and change them, auditors read them, and each reads itself."""

from typing import Any

import msgspec
from litestar import get, patch, post
from litestar.params import FromPath
from litestar.types import ASGIApp
from msgspec import UNSET, UnsetType

from postroom.domain.caller import Caller, ServiceCaller
from postroom.domain.errors import FieldError
from postroom.features.limits import NOTHING_CHOSEN, ServiceLimits
from postroom.features.services import Changes, Registration, find_key, set_receipt_token
from postroom.features.services.credentials import LIVE
from postroom.features.webhooks.onboard import (
    Onboarded,
    Webhooks,
    change,
    find_all_onboarded,
    find_onboarded,
    onboard,
)
from postroom.interfaces.api.answer import json_answer
from postroom.interfaces.api.body import read_body
from postroom.interfaces.api.keys import to_key_item
from postroom.interfaces.api.parts import AnyRequest, parts_of
from postroom.interfaces.api.roles import admin, reader_of_services, signed
from postroom.interfaces.api.service_schemas import (
    NewServiceItem,
    NotifyKeyItem,
    ReceiptTokenItem,
    ServiceBody,
    ServiceChangesBody,
    ServiceItem,
)
from postroom.kit.crypto import new_secret

DEFAULT_ENVIRONMENT = "production"


@post("/services")
async def register_service(request: AnyRequest) -> ASGIApp:
    postroom, _ = parts_of(request)
    caller = await admin(request)
    body, faults = await read_body(request, ServiceBody)
    registration = _to_registration(body, faults, base_url=postroom.settings.notify_base_url)
    async with postroom.database.transaction() as conn:
        made = await onboard(
            conn,
            registration,
            body.webhook_url,
            webhooks=_webhooks(request),
            now=postroom.clock(),
            faults=faults,
            by=signed(request, caller),
        )
        key = await find_key(conn, made.key.id, service_id=made.key.service_id)
    item = NewServiceItem(
        service=to_service_item(made.service, sees_url=True, secret=made.webhook_secret),
        api_key=to_key_item(key, now=postroom.clock(), shown=made.key),
        receipt_token=made.receipt_token,
    )
    location = f"{postroom.settings.api_prefix}/services/{registration.name}"
    return json_answer(item, status=201, headers={"location": location, "etag": made.service.etag})


@get("/services")
async def list_services(request: AnyRequest) -> ASGIApp:
    postroom, _ = parts_of(request)
    caller = await reader_of_services(request)
    async with postroom.database.reading() as conn:
        if isinstance(caller, ServiceCaller):
            found = [await find_onboarded(conn, caller.name, vault=postroom.vault)]
        else:
            found = await find_all_onboarded(conn, vault=postroom.vault)
    return json_answer([to_service_item(each, sees_url=_sees_url(caller)) for each in found])


@get("/services/{name:str}")
async def get_service(request: AnyRequest, name: FromPath[str]) -> ASGIApp:
    postroom, _ = parts_of(request)
    caller = await reader_of_services(request, of=name)
    async with postroom.database.reading() as conn:
        found = await find_onboarded(conn, name, vault=postroom.vault)
    return json_answer(to_service_item(found, sees_url=_sees_url(caller)), headers={"etag": found.etag})


@patch("/services/{name:str}")
async def change_service(request: AnyRequest, name: FromPath[str]) -> ASGIApp:
    postroom, _ = parts_of(request)
    caller = await admin(request)
    body, faults = await read_body(request, ServiceChangesBody)
    changes = _to_changes(body, faults, base_url=postroom.settings.notify_base_url)
    async with postroom.database.transaction() as conn:
        changed, secret = await change(
            conn,
            name,
            changes,
            body.webhook_url,
            webhooks=_webhooks(request),
            now=postroom.clock(),
            if_match=request.headers.get("if-match"),
            faults=faults,
            by=signed(request, caller),
        )
    item = to_service_item(changed, sees_url=True, secret=secret)
    return json_answer(item, headers={"etag": changed.etag})


@post("/services/{name:str}/receipt-token", status_code=200)
async def replace_receipt_token(request: AnyRequest, name: FromPath[str]) -> ASGIApp:
    postroom, _ = parts_of(request)
    caller = await admin(request)
    token = new_secret()
    async with postroom.database.transaction() as conn:
        found = await find_onboarded(conn, name, vault=postroom.vault, lock=True)
        await set_receipt_token(
            conn, vault=postroom.vault, service_id=found.profile.id, token=token, by=signed(request, caller)
        )
    return json_answer(ReceiptTokenItem(receipt_token=token))


def _sees_url(caller: Caller) -> bool:
    """An address may hold a secret: it is for the service itself, and for who may change it."""
    return isinstance(caller, ServiceCaller) or caller.administrates


def to_service_item(found: Onboarded, *, sees_url: bool, secret: str | None = None) -> ServiceItem:
    profile, webhook = found.profile, found.webhook
    key = profile.notify_key
    return ServiceItem(
        name=profile.name,
        owner=profile.owner,
        environment=profile.environment,
        notify_key=None if key is None else NotifyKeyItem(name=key.name, type=key.type),
        has_webhook=webhook is not None,
        webhook_url=webhook.url if webhook is not None and sees_url else None,
        webhook_is_on=webhook is not None and webhook.off_at is None,
        default_group=profile.default_group,
        prepend_name=profile.prepend_name,
        template_names={name: dict(ids) for name, ids in profile.template_names.items()},
        limits=msgspec.to_builtins(profile.limits),
        trusted_params=list(profile.trusted_params),
        allowed_link_hosts=list(profile.link_hosts),
        is_active=profile.off_at is None,
        created_at=profile.created_at,
        webhook_secret=secret,
    )


def _webhooks(request: AnyRequest) -> Webhooks:
    postroom, _ = parts_of(request)
    return Webhooks(vault=postroom.vault, private=postroom.settings.private_webhooks)


def _to_registration(body: ServiceBody, faults: list[FieldError], *, base_url: str) -> Registration:
    if body.name is None and not any(fault.field == "name" for fault in faults):
        faults.append(FieldError("name", "Name the service."))
    environment = DEFAULT_ENVIRONMENT if body.environment is None else body.environment
    every = body.template_names or {}
    return Registration(
        name=body.name or "",
        owner=body.owner,
        environment=environment,
        notify_key=body.notify_key,
        notify_key_type=LIVE if body.notify_key_type is None else body.notify_key_type,
        notify_base_url=base_url,
        default_group=body.default_group,
        prepend_name=bool(body.prepend_name),
        template_names=every.get(environment, {}),
        other_template_names={name: ids for name, ids in every.items() if name != environment},
        limits=NOTHING_CHOSEN if body.limits is None else _to_limits(body.limits, faults),
        trusted_params=body.trusted_params or (),
        link_hosts=body.allowed_link_hosts or (),
    )


def _to_changes(body: ServiceChangesBody, faults: list[FieldError], *, base_url: str) -> Changes:
    limits: ServiceLimits | UnsetType = UNSET
    if body.limits is not UNSET:
        limits = _to_limits(body.limits, faults)
    return Changes(
        owner=body.owner,
        environment=body.environment,
        notify_key=body.notify_key,
        notify_key_type=body.notify_key_type,
        notify_base_url=base_url,
        default_group=body.default_group,
        prepend_name=body.prepend_name,
        template_names=body.template_names,
        limits=limits,
        trusted_params=body.trusted_params,
        link_hosts=body.allowed_link_hosts,
        is_active=body.is_active,
    )


def _to_limits(given: dict[str, Any], faults: list[FieldError]) -> ServiceLimits:
    """The limits by their names; null where the deployment's choice holds."""
    chosen = {}
    fields = {field.encode_name: field.name for field in msgspec.structs.fields(ServiceLimits)}
    for name, value in given.items():
        if name not in fields:
            faults.append(FieldError(f"limits.{_printable(name)}", "There is no such limit."))
        elif value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            faults.append(FieldError(f"limits.{name}", "Use a whole number here."))
        else:
            chosen[fields[name]] = value
    return ServiceLimits(**chosen)


def _printable(name: str) -> str:
    return name[:100] if name.isprintable() else "…"
