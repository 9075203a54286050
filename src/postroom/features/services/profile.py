"""A service as those see it who run Postroom: everything that was chosen for it, and no secret."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Row

from postroom.domain.errors import NotFound
from postroom.features.limits import ServiceLimits
from postroom.features.services import store
from postroom.features.services.credentials import open_key
from postroom.features.services.names import is_name, notify_key_name
from postroom.kit.crypto import CannotOpen, Vault
from postroom.kit.database import AsyncConnection

_OWNER = "services.owner"


@dataclass(frozen=True, slots=True)
class NotifyKey:
    """What is told of a provider's key: its name part, never the key. No name where it cannot be opened."""

    name: str | None
    type: str


@dataclass(frozen=True, slots=True)
class Profile:
    """A registered service. `template_names` are those of every environment."""

    id: str
    name: str
    owner: str | None
    environment: str
    notify_key: NotifyKey | None
    default_group: str | None
    prepend_name: bool
    template_names: Mapping[str, Mapping[str, str]]
    limits: ServiceLimits
    trusted_params: tuple[str, ...]
    link_hosts: tuple[str, ...]
    created_at: datetime
    off_at: datetime | None


class Owner(NamedTuple):
    """A service by its name, and the e-mail address of whom it belongs to, where somebody was named."""

    service: str
    email: str | None


async def find_profile(conn: AsyncConnection, name: str, *, vault: Vault, lock: bool = False) -> Profile:
    """The service of that name; NotFound where there is none. `lock` keeps it as it is until the commit."""
    row = None
    if is_name(name):
        row = await (store.locked_service if lock else store.service_by_name)(conn, name)
    if row is None:
        raise NotFound("There is no service of this name.")
    (found,) = await _to_profiles(conn, [row], vault)
    return found


async def find_profiles(conn: AsyncConnection, *, vault: Vault) -> list[Profile]:
    """All services, by their names. There are as many as a council has systems."""
    return await _to_profiles(conn, await store.all_services(conn), vault)


async def names_of_services(conn: AsyncConnection) -> list[str]:
    return [row.name for row in await store.all_services(conn)]


async def owner_of(conn: AsyncConnection, service_id: str, *, vault: Vault) -> Owner | None:
    """Whom the service belongs to; None where there is no such service."""
    row = await store.service_by_id(conn, service_id)
    return None if row is None else Owner(row.name, _open_owner(row, vault))


def seal_owner(owner: str | None, *, service_id: str, vault: Vault) -> bytes | None:
    """The address as it is kept: in lower case, as the `user` of a notification is."""
    if owner is None:
        return None
    return vault.seal(owner.strip().lower().encode(), row=service_id, column=_OWNER)


async def _to_profiles(conn: AsyncConnection, rows: Sequence[Row[Any]], vault: Vault) -> list[Profile]:
    ids = {row.credential_id for row in rows if row.credential_id is not None}
    keys = await store.credentials_by_id(conn, ids) if ids else {}
    return [_to_profile(row, keys.get(row.credential_id), vault) for row in rows]


def _to_profile(row: Row[Any], credential: Row[Any] | None, vault: Vault) -> Profile:
    own = msgspec.json.decode(row.template_names, type=dict[str, str])
    others = msgspec.json.decode(row.other_template_names, type=dict[str, dict[str, str]])
    return Profile(
        id=row.id,
        name=row.name,
        owner=_open_owner(row, vault),
        environment=row.environment,
        notify_key=None if credential is None else _to_notify_key(credential, vault),
        default_group=row.default_group,
        prepend_name=row.prepend_name,
        template_names=others | ({row.environment: own} if own else {}),
        limits=msgspec.json.decode(row.limits, type=ServiceLimits),
        trusted_params=msgspec.json.decode(row.trusted_params, type=tuple[str, ...]),
        link_hosts=msgspec.json.decode(row.link_hosts, type=tuple[str, ...]),
        created_at=row.created_at,
        off_at=row.off_at,
    )


def _to_notify_key(credential: Row[Any], vault: Vault) -> NotifyKey:
    try:
        name = notify_key_name(open_key(vault, credential))
    except CannotOpen:
        name = None
    return NotifyKey(name=name, type=credential.key_type)


def _open_owner(row: Row[Any], vault: Vault) -> str | None:
    """None where it was sealed with another secret: whoever runs Postroom names the owner anew then."""
    if row.owner is None:
        return None
    try:
        return vault.open(row.owner, row=row.id, column=_OWNER).decode()
    except CannotOpen:
        return None
