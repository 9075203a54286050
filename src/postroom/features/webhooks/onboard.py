"""A service with its webhook: registered, shown and changed as one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b

import msgspec
from msgspec import UnsetType

from postroom.domain.errors import FieldError, Invalid, Stale
from postroom.features import audit
from postroom.features.services import (
    Changes,
    NewKey,
    Profile,
    Registration,
    check_changes,
    check_registration,
    edit,
    find_profile,
    find_profiles,
    issue_key,
    register,
    set_receipt_token,
)
from postroom.features.webhooks.endpoints import (
    Endpoint,
    fault_of,
    find_endpoints,
    remove_endpoint,
    set_endpoint,
)
from postroom.kit.crypto import Vault, new_secret
from postroom.kit.database import AsyncConnection

FIRST_KEY = "first"


@dataclass(frozen=True, slots=True)
class Onboarded:
    """A service, and where it is called back."""

    profile: Profile
    webhook: Endpoint | None

    @property
    def etag(self) -> str:
        """Another one whenever anything that was chosen for the service is."""
        url = None if self.webhook is None else self.webhook.url
        told = msgspec.json.encode([self.profile, url], order="deterministic")
        return f'"{blake2b(told, digest_size=16).hexdigest()}"'


@dataclass(frozen=True, slots=True)
class Made:
    """A service that was registered, with what is shown this once."""

    service: Onboarded
    key: NewKey = field(repr=False)
    receipt_token: str = field(repr=False)
    webhook_secret: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Webhooks:
    """How addresses are kept and judged. `private` allows what is not public, and http."""

    vault: Vault
    private: bool


async def onboard(
    conn: AsyncConnection,
    registration: Registration,
    webhook_url: str | None,
    *,
    webhooks: Webhooks,
    now: datetime,
    faults: Sequence[FieldError] = (),
    by: audit.By | None = None,
) -> Made:
    """Register a service, with a first key. Invalid with `faults` and its own; Conflict for a taken name."""
    every = _merged(faults, [*check_registration(registration), *_url_faults(webhook_url, webhooks)])
    if every:
        raise Invalid(every)
    vault, token = webhooks.vault, new_secret()
    service_id = await register(conn, registration, vault=vault, now=now, by=by)
    await set_receipt_token(conn, vault=vault, service_id=service_id, token=token, by=by)
    key = await issue_key(conn, vault=vault, service_id=service_id, name=FIRST_KEY, now=now, by=by)
    secret = await _set_webhook(conn, service_id, webhook_url, webhooks=webhooks, now=now, by=by)
    service = await find_onboarded(conn, registration.name, vault=vault)
    return Made(service=service, key=key, receipt_token=token, webhook_secret=secret)


async def find_onboarded(conn: AsyncConnection, name: str, *, vault: Vault, lock: bool = False) -> Onboarded:
    """The service of that name; NotFound where there is none."""
    profile = await find_profile(conn, name, vault=vault, lock=lock)
    endpoints = await find_endpoints(conn, [profile.id], vault=vault)
    return Onboarded(profile, endpoints.get(profile.id))


async def find_all_onboarded(conn: AsyncConnection, *, vault: Vault) -> list[Onboarded]:
    """All services, by their names."""
    profiles = await find_profiles(conn, vault=vault)
    endpoints = await find_endpoints(conn, [each.id for each in profiles], vault=vault)
    return [Onboarded(each, endpoints.get(each.id)) for each in profiles]


async def change(
    conn: AsyncConnection,
    name: str,
    changes: Changes,
    webhook_url: str | UnsetType | None,
    *,
    webhooks: Webhooks,
    now: datetime,
    if_match: str | None = None,
    faults: Sequence[FieldError] = (),
    by: audit.By | None = None,
) -> tuple[Onboarded, str | None]:
    """Change a service: as it is then, and a new webhook's secret.

    Invalid with `faults` and all others; Stale where it is another version than `if_match` names.
    """
    before = await find_onboarded(conn, name, vault=webhooks.vault, lock=True)
    url = webhook_url if isinstance(webhook_url, str) else None
    every = _merged(faults, [*check_changes(changes), *_url_faults(url, webhooks)])
    if every:
        raise Invalid(every)
    if if_match not in (None, "*", before.etag):
        raise Stale("The service has changed since: read it again.")
    await edit(conn, before.profile, changes, vault=webhooks.vault, now=now, by=by)
    secret = None
    if webhook_url is None and before.webhook is not None:
        await remove_endpoint(conn, before.profile.id, by=by)
    if url is not None:
        secret = await _set_webhook(conn, before.profile.id, url, webhooks=webhooks, now=now, by=by)
    return await find_onboarded(conn, name, vault=webhooks.vault), secret


def _merged(faults: Sequence[FieldError], others: Sequence[FieldError]) -> list[FieldError]:
    """Each field once: what could not be read is not judged again."""
    named = {fault.field for fault in faults}
    return [*faults, *(fault for fault in others if fault.field not in named)]


def _url_faults(url: str | None, webhooks: Webhooks) -> list[FieldError]:
    fault = None if url is None else fault_of(url, private=webhooks.private)
    return [] if fault is None else [FieldError("webhookUrl", fault)]


async def _set_webhook(
    conn: AsyncConnection,
    service_id: str,
    url: str | None,
    *,
    webhooks: Webhooks,
    now: datetime,
    by: audit.By | None,
) -> str | None:
    """Call it there from now on; the secret, where it is new."""
    if url is None:
        return None
    return await set_endpoint(
        conn, service_id, url, vault=webhooks.vault, private=webhooks.private, now=now, by=by
    )
