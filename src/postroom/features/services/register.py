"""Registering a service, and giving it keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row

from postroom.domain.errors import Conflict, FieldError, Invalid
from postroom.features import audit
from postroom.features.limits import NOTHING_CHOSEN, ServiceLimits, check_limits
from postroom.features.services import checks, store
from postroom.features.services.api_keys import NewKey, issue_key
from postroom.features.services.credentials import LIVE, check_opens, keep
from postroom.features.services.edit import split_template_names
from postroom.features.services.links import check_hosts, to_hosts
from postroom.features.services.noted import note_change
from postroom.features.services.profile import seal_owner
from postroom.kit.crypto import Vault
from postroom.kit.database import AsyncConnection
from postroom.kit.ids import new_id


@dataclass(frozen=True, slots=True)
class Registration:
    """What a service is registered with. `notify_base_url` lets one service use the sandbox beside others."""

    name: str
    notify_key: str | None = field(default=None, repr=False)
    notify_base_url: str = "https://api.notifications.service.gov.uk"
    default_group: str | None = None
    prepend_name: bool = False
    template_names: Mapping[str, str] = field(default_factory=dict)
    notify_key_type: str = LIVE
    limits: ServiceLimits = NOTHING_CHOSEN
    owner: str | None = None
    environment: str = "production"
    """Which of its environments this service is; `template_names` are of that one."""
    other_template_names: checks.TemplateNames = field(default_factory=dict)
    trusted_params: Sequence[str] = ()
    link_hosts: Sequence[str] = ()

    @property
    def every_template_name(self) -> checks.TemplateNames:
        own = {self.environment: self.template_names} if self.template_names else {}
        return {**self.other_template_names, **own}


async def register(
    conn: AsyncConnection,
    registration: Registration,
    *,
    vault: Vault,
    now: datetime,
    by: audit.By | None = None,
) -> str:
    """Register a service; its id. Conflict where the name is taken, Invalid where a field is at fault."""
    if faults := check_registration(registration):
        raise Invalid(faults)
    if await store.service_by_name(conn, registration.name) is not None:
        raise Conflict(f"A service named {registration.name} is registered already.")
    service_id = new_id()
    credential_id = None
    if registration.notify_key is not None:
        credential_id = await keep(
            conn,
            vault=vault,
            service_id=service_id,
            key=registration.notify_key,
            base_url=registration.notify_base_url.rstrip("/"),
            is_raw=False,
            now=now,
            key_type=registration.notify_key_type,
        )
    row = {
        "id": service_id,
        "name": registration.name,
        "credential_id": credential_id,
        "owner": seal_owner(registration.owner, service_id=service_id, vault=vault),
        "environment": registration.environment,
        "default_group": registration.default_group,
        "prepend_name": registration.prepend_name,
        "receipt_token_digest": None,
        "created_at": now,
        "limits": _json(registration.limits),
        "trusted_params": _json(list(dict.fromkeys(registration.trusted_params))),
        "link_hosts": _json(to_hosts(registration.link_hosts)),
        **split_template_names(registration.every_template_name, environment=registration.environment),
    }
    await store.insert_service(conn, row)
    await audit.record_of_service(conn, audit.Kind.SERVICE_ADDED, service_id=service_id, by=by)
    return service_id


async def register_again(
    conn: AsyncConnection,
    registration: Registration,
    *,
    vault: Vault,
    receipt_token: str,
    now: datetime,
    by: audit.By | None = None,
) -> NewKey:
    """Register a service, or bring the one of that name up to date; a new API key for it either way.

    Keys that it had before stay valid, and what is still to be sent goes to where the provider is now.
    """
    row = await store.service_by_name(conn, registration.name)
    if row is None:
        service_id = await register(conn, registration, vault=vault, now=now, by=by)
    else:
        service_id = row.id
        await _bring_up_to_date(conn, row, registration, vault=vault, now=now)
        await note_change(conn, service_id, "registration", by=by)
    await set_receipt_token(conn, vault=vault, service_id=service_id, token=receipt_token)
    return await issue_key(conn, vault=vault, service_id=service_id, name="started", now=now, by=by)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


async def _bring_up_to_date(
    conn: AsyncConnection, row: Row[Any], registration: Registration, *, vault: Vault, now: datetime
) -> None:
    base_url = registration.notify_base_url.rstrip("/")
    values: dict[str, object] = {
        "default_group": registration.default_group,
        "template_names": _json(dict(registration.template_names)),
        "limits": _json(registration.limits),
        "link_hosts": _json(to_hosts(registration.link_hosts)),
    }
    if registration.notify_key is not None:
        await check_opens(conn, row.credential_id, vault=vault)
        await store.move_credentials(conn, row.id, base_url=base_url)
        values["credential_id"] = await keep(
            conn,
            vault=vault,
            service_id=row.id,
            key=registration.notify_key,
            base_url=base_url,
            is_raw=False,
            now=now,
            key_type=registration.notify_key_type,
        )
    await store.update_service(conn, row.id, values)


async def set_limits(
    conn: AsyncConnection, *, service_id: str, limits: ServiceLimits, by: audit.By | None = None
) -> None:
    """What holds for the service from now on; Invalid with every limit that cannot be one."""
    if faults := check_limits(limits):
        raise Invalid(faults)
    await store.update_service(conn, service_id, {"limits": _json(limits)})
    await note_change(conn, service_id, "limits", by=by)


async def set_trusted_params(
    conn: AsyncConnection, *, service_id: str, names: Sequence[str], by: audit.By | None = None
) -> None:
    """The values that may make links and headings in the service's emails from now on, by their names."""
    if faults := list(checks.check_trusted(names)):
        raise Invalid(faults)
    await store.update_service(conn, service_id, {"trusted_params": _json(list(dict.fromkeys(names)))})
    await note_change(conn, service_id, "trusted_params", by=by)


async def set_receipt_token(
    conn: AsyncConnection, *, vault: Vault, service_id: str, token: str, by: audit.By | None = None
) -> None:
    """The bearer token that the provider's receipts for this service carry from now on."""
    await store.update_service(conn, service_id, {"receipt_token_digest": vault.digest(token)})
    await note_change(conn, service_id, "receipt_token", by=by)


def check_registration(registration: Registration) -> list[FieldError]:
    """Every field of it that is wrong."""
    return [
        *checks.check_name(registration.name),
        *checks.check_owner(registration.owner),
        *checks.check_environment(registration.environment),
        *checks.check_notify_key(registration.notify_key, key_type=registration.notify_key_type),
        *checks.check_notify_url(registration.notify_base_url),
        *checks.check_group(registration.default_group),
        *checks.check_template_names(registration.every_template_name),
        *checks.check_all_limits(registration.limits),
        *checks.check_trusted(registration.trusted_params),
        *check_hosts(to_hosts(registration.link_hosts)),
    ]
