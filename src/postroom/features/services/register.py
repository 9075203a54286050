"""Registering a service, and giving it keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.domain.errors import Conflict, FieldError, Invalid
from postroom.features.limits import NOTHING_CHOSEN, ServiceLimits, check_limits
from postroom.features.services import store
from postroom.features.services.api_keys import NewKey, issue_key
from postroom.features.services.credentials import KEY_TYPES, LIVE, check_opens, keep
from postroom.features.services.names import is_name, is_notify_key
from postroom.kit.crypto import Vault
from postroom.kit.ids import new_id

LONGEST_PARAM = 100


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


async def register(conn: AsyncConnection, registration: Registration, *, vault: Vault, now: datetime) -> str:
    """Register a service; its id. Conflict where the name is taken, Invalid where a field is at fault."""
    _check(registration)
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
        "default_group": registration.default_group,
        "prepend_name": registration.prepend_name,
        "template_names": msgspec.json.encode(dict(registration.template_names)).decode(),
        "receipt_token_digest": None,
        "created_at": now,
        "limits": msgspec.json.encode(registration.limits).decode(),
        "trusted_params": "[]",
        "link_hosts": "[]",
    }
    await store.insert_service(conn, row)
    return service_id


async def register_again(
    conn: AsyncConnection, registration: Registration, *, vault: Vault, receipt_token: str, now: datetime
) -> NewKey:
    """Register a service, or bring the one of that name up to date; a new API key for it either way.

    Keys that it had before stay valid, and what is still to be sent goes to where the provider is now.
    """
    row = await store.service_by_name(conn, registration.name)
    if row is None:
        service_id = await register(conn, registration, vault=vault, now=now)
    else:
        service_id = row.id
        await _bring_up_to_date(conn, row, registration, vault=vault, now=now)
    await set_receipt_token(conn, vault=vault, service_id=service_id, token=receipt_token)
    return await issue_key(conn, vault=vault, service_id=service_id, name="started", now=now)


async def _bring_up_to_date(
    conn: AsyncConnection, row: Row[Any], registration: Registration, *, vault: Vault, now: datetime
) -> None:
    base_url = registration.notify_base_url.rstrip("/")
    values: dict[str, object] = {
        "default_group": registration.default_group,
        "template_names": msgspec.json.encode(dict(registration.template_names)).decode(),
        "limits": msgspec.json.encode(registration.limits).decode(),
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


async def set_limits(conn: AsyncConnection, *, service_id: str, limits: ServiceLimits) -> None:
    """What holds for the service from now on; Invalid with every limit that cannot be one."""
    if faults := check_limits(limits):
        raise Invalid(faults)
    await store.update_service(conn, service_id, {"limits": msgspec.json.encode(limits).decode()})


async def set_trusted_params(conn: AsyncConnection, *, service_id: str, names: Sequence[str]) -> None:
    """The values that may make links and headings in the service's emails from now on, by their names."""
    if any(not 1 <= len(name) <= LONGEST_PARAM or not name.isprintable() for name in names):
        raise Invalid([FieldError("trustedParams", f"Use names of 1 to {LONGEST_PARAM} characters.")])
    kept = msgspec.json.encode(list(dict.fromkeys(names))).decode()
    await store.update_service(conn, service_id, {"trusted_params": kept})


async def set_receipt_token(conn: AsyncConnection, *, vault: Vault, service_id: str, token: str) -> None:
    """The bearer token that the provider's receipts for this service carry from now on."""
    await store.update_service(conn, service_id, {"receipt_token_digest": vault.digest(token)})


def _check(registration: Registration) -> None:
    errors = []
    if not is_name(registration.name):
        errors.append(
            FieldError("name", "Use up to 64 lower-case letters and digits, with single hyphens between.")
        )
    if registration.notify_key is not None and not is_notify_key(registration.notify_key):
        errors.append(FieldError("notifyKey", "This has not the form of a GOV.UK Notify key."))
    if registration.notify_key_type not in KEY_TYPES:
        errors.append(FieldError("notifyKeyType", f"Use one of {', '.join(KEY_TYPES)}."))
    if not registration.notify_base_url.startswith(("https://", "http://")):
        errors.append(FieldError("notifyBaseUrl", "Give an address that begins with https://."))
    errors += check_limits(registration.limits)
    if errors:
        raise Invalid(errors)
