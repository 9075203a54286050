"""Changing what a service was registered with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType

from postroom.domain.errors import FieldError
from postroom.features import audit
from postroom.features.limits import ServiceLimits
from postroom.features.services import checks, store
from postroom.features.services.credentials import LIVE, keep
from postroom.features.services.links import check_hosts, to_hosts
from postroom.features.services.noted import note_change
from postroom.features.services.profile import Profile, seal_owner
from postroom.kit.crypto import Vault
from postroom.kit.database import AsyncConnection


@dataclass(frozen=True, slots=True)
class Changes:
    """What becomes different about a service. What is UNSET stays as it is; None takes it away."""

    owner: str | UnsetType | None = UNSET
    environment: str | UnsetType = UNSET
    notify_key: str | UnsetType | None = field(default=UNSET, repr=False)
    notify_key_type: str | UnsetType = UNSET
    notify_base_url: str = "https://api.notifications.service.gov.uk"
    """Where a new key is used."""
    default_group: str | UnsetType | None = UNSET
    prepend_name: bool | UnsetType = UNSET
    template_names: checks.TemplateNames | UnsetType = UNSET
    limits: ServiceLimits | UnsetType = UNSET
    trusted_params: Sequence[str] | UnsetType = UNSET
    link_hosts: Sequence[str] | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET


def check_changes(changes: Changes) -> list[FieldError]:
    """Every field of them that is wrong."""
    faults: list[FieldError] = []
    if changes.owner is not UNSET:
        faults += checks.check_owner(changes.owner)
    if changes.environment is not UNSET:
        faults += checks.check_environment(changes.environment)
    faults += _check_key(changes)
    if changes.default_group is not UNSET:
        faults += checks.check_group(changes.default_group)
    if changes.template_names is not UNSET:
        faults += checks.check_template_names(changes.template_names)
    if changes.limits is not UNSET:
        faults += checks.check_all_limits(changes.limits)
    if changes.trusted_params is not UNSET:
        faults += checks.check_trusted(changes.trusted_params)
    if changes.link_hosts is not UNSET:
        faults += check_hosts(to_hosts(changes.link_hosts))
    return faults


async def edit(
    conn: AsyncConnection,
    profile: Profile,
    changes: Changes,
    *,
    vault: Vault,
    now: datetime,
    by: audit.By | None = None,
) -> None:
    """Write the changes, which `check_changes` has passed, of the service that the caller has locked.

    What was accepted before goes on as it was: with the key and the template ids of then.
    """
    values = _plain_values(changes) | _template_values(profile, changes)
    if changes.owner is not UNSET:
        values["owner"] = seal_owner(changes.owner, service_id=profile.id, vault=vault)
    if changes.notify_key is not UNSET:
        values["credential_id"] = await _keep_key(conn, profile, changes, vault=vault, now=now)
    if changes.is_active is not UNSET:
        values["off_at"] = None if changes.is_active else profile.off_at or now
    if values:
        await store.update_service(conn, profile.id, values)
        await note_change(conn, profile.id, *sorted(values), by=by)


def _plain_values(changes: Changes) -> dict[str, object]:
    """What is kept as it is given, or as JSON."""
    values: dict[str, object] = {
        "environment": changes.environment,
        "default_group": changes.default_group,
        "prepend_name": changes.prepend_name,
    }
    in_json: Mapping[str, object] = {
        "limits": changes.limits,
        "trusted_params": UNSET
        if changes.trusted_params is UNSET
        else list(dict.fromkeys(changes.trusted_params)),
        "link_hosts": UNSET if changes.link_hosts is UNSET else to_hosts(changes.link_hosts),
    }
    values |= {
        name: msgspec.json.encode(value).decode() for name, value in in_json.items() if value is not UNSET
    }
    return {name: value for name, value in values.items() if value is not UNSET}


def _template_values(profile: Profile, changes: Changes) -> dict[str, object]:
    """Those of the service's environment are kept apart: requests look them up."""
    if changes.template_names is UNSET and changes.environment is UNSET:
        return {}
    environment = profile.environment if changes.environment is UNSET else changes.environment
    every = profile.template_names if changes.template_names is UNSET else changes.template_names
    return split_template_names(every, environment=environment)


def split_template_names(every: checks.TemplateNames, *, environment: str) -> dict[str, object]:
    """The columns that hold the names: those of the environment that the service is in, and the others."""
    others = {name: dict(names) for name, names in every.items() if name != environment}
    return {
        "template_names": msgspec.json.encode(dict(every.get(environment, {}))).decode(),
        "other_template_names": msgspec.json.encode(others).decode(),
    }


def _check_key(changes: Changes) -> list[FieldError]:
    if changes.notify_key_type is not UNSET and not isinstance(changes.notify_key, str):
        return [FieldError("notifyKeyType", "Send this with the notifyKey that it is the type of.")]
    if not isinstance(changes.notify_key, str):
        return []
    return list(checks.check_notify_key(changes.notify_key, key_type=_key_type(changes)))


def _key_type(changes: Changes) -> str:
    return LIVE if changes.notify_key_type is UNSET else changes.notify_key_type


async def _keep_key(
    conn: AsyncConnection, profile: Profile, changes: Changes, *, vault: Vault, now: datetime
) -> str | None:
    if not isinstance(changes.notify_key, str):
        return None
    return await keep(
        conn,
        vault=vault,
        service_id=profile.id,
        key=changes.notify_key,
        base_url=changes.notify_base_url.rstrip("/"),
        is_raw=False,
        now=now,
        key_type=_key_type(changes),
    )
