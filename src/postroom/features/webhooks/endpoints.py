"""A service's endpoint: where it is called, and the secrets that the calls are signed with."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec
from sqlalchemy import Row, func, select
from sqlalchemy.dialects import postgresql, sqlite

from postroom.domain.errors import Conflict, FieldError, Invalid, NotFound
from postroom.features import audit
from postroom.features.services import note_change
from postroom.features.webhooks.signing import new_webhook_secret
from postroom.features.webhooks.tables import webhook_calls, webhook_endpoints
from postroom.kit.crypto import CannotOpen, Vault
from postroom.kit.database import AsyncConnection
from postroom.kit.dialling import is_address, is_public

LONGEST_URL = 2_000
OVERLAP = timedelta(hours=24)
"""How long calls carry the former secret's signature too, after a rotation."""

_COLUMN = "webhook_endpoints.sealed"


class Kept(msgspec.Struct, frozen=True):
    """What is sealed. An address may hold a secret too."""

    url: str
    secret: str
    former: str | None = None

    def __repr__(self) -> str:
        return "Kept()"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint as its service sees it. `waiting` is how many calls are still to be made.

    `url` is None where it cannot be opened: sealed with another secret, or changed since.
    """

    url: str | None = field(repr=False)
    created_at: datetime
    former_until: datetime | None
    failing_since: datetime | None
    off_at: datetime | None
    off_reason: str | None
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class SwitchedOff:
    """An endpoint that is called no more, since when and why."""

    service_id: str
    at: datetime
    reason: str | None


async def set_endpoint(
    conn: AsyncConnection,
    service_id: str,
    url: str,
    *,
    vault: Vault,
    private: bool,
    now: datetime,
    by: audit.By | None = None,
) -> str | None:
    """Have the service called there from now on; the secret where it is new, None where it stays.

    An endpoint that was switched off is on again; of one that cannot be opened the secret is new. Invalid
    where the address cannot be called; `private` allows what is not public, and http.
    """
    if fault := fault_of(url, private=private):
        raise Invalid([FieldError("url", fault)])
    await note_change(conn, service_id, "webhook_url", by=by)
    secret = new_webhook_secret()
    row = {
        "service_id": service_id,
        "sealed": seal(vault, service_id, Kept(url, secret)),
        "created_at": now,
    }
    insert = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    made = await conn.execute(
        insert(webhook_endpoints)
        .values(row)
        .on_conflict_do_nothing()
        .returning(webhook_endpoints.c.service_id)
    )
    if made.first() is not None:
        return secret
    on_again = {"off_at": None, "off_reason": None, "failing_since": None}
    try:
        kept = unseal(vault, await _locked(conn, service_id))
    except CannotOpen:
        await _update(conn, service_id, {"sealed": row["sealed"], "former_until": None, **on_again})
        return secret
    moved = Kept(url, kept.secret, kept.former)
    await _update(conn, service_id, {"sealed": seal(vault, service_id, moved), **on_again})
    return None


async def find_endpoint(conn: AsyncConnection, service_id: str, *, vault: Vault) -> Endpoint:
    """The service's endpoint; NotFound where it has none."""
    row = await _row(conn, service_id)
    waiting = select(func.count()).select_from(webhook_calls).where(webhook_calls.c.service_id == service_id)
    return _to_endpoint(row, await conn.scalar(waiting) or 0, vault)


async def find_endpoints(
    conn: AsyncConnection, service_ids: Collection[str], *, vault: Vault
) -> dict[str, Endpoint]:
    """The endpoints of those services that have one."""
    calls = webhook_calls.c
    counted = (
        select(calls.service_id, func.count().label("waiting"))
        .where(calls.service_id.in_(service_ids))
        .group_by(calls.service_id)
    )
    waiting = {row.service_id: row.waiting for row in await conn.execute(counted)}
    wanted = select(webhook_endpoints).where(webhook_endpoints.c.service_id.in_(service_ids))
    return {
        row.service_id: _to_endpoint(row, waiting.get(row.service_id, 0), vault)
        for row in await conn.execute(wanted)
    }


async def find_switched_off(conn: AsyncConnection, *, since: datetime) -> list[SwitchedOff]:
    """The endpoints that were switched off since then, and still are."""
    off = webhook_endpoints.c
    wanted = select(off.service_id, off.off_at, off.off_reason).where(off.off_at >= since)
    rows = await conn.execute(wanted.order_by(off.off_at))
    return [SwitchedOff(row.service_id, row.off_at, row.off_reason) for row in rows]


async def rotate_secret(
    conn: AsyncConnection, service_id: str, *, vault: Vault, now: datetime, by: audit.By | None = None
) -> str:
    """A new secret. For as long as OVERLAP calls are signed with the one before it too.

    Conflict where the address cannot be opened any more.
    """
    try:
        kept = unseal(vault, await _locked(conn, service_id))
    except CannotOpen:
        raise Conflict("The address cannot be read any more: set the webhook again.") from None
    secret = new_webhook_secret()
    sealed = seal(vault, service_id, Kept(kept.url, secret, kept.secret))
    await _update(conn, service_id, {"sealed": sealed, "former_until": now + OVERLAP})
    await note_change(conn, service_id, "webhook_secret", by=by)
    return secret


async def remove_endpoint(conn: AsyncConnection, service_id: str, *, by: audit.By | None = None) -> None:
    """Call the service no more, and forget its secret. The feed stays."""
    await _locked(conn, service_id)
    await drop_calls(conn, [service_id])
    await conn.execute(webhook_endpoints.delete().where(webhook_endpoints.c.service_id == service_id))
    await note_change(conn, service_id, "webhook_url", by=by)


async def drop_calls(conn: AsyncConnection, service_ids: Collection[str]) -> None:
    await conn.execute(webhook_calls.delete().where(webhook_calls.c.service_id.in_(service_ids)))


def seal(vault: Vault, service_id: str, kept: Kept) -> bytes:
    return vault.seal(msgspec.json.encode(kept), row=service_id, column=_COLUMN)


def unseal(vault: Vault, row: Row[Any]) -> Kept:
    """What is kept; CannotOpen where another secret sealed it."""
    return msgspec.json.decode(vault.open(row.sealed, row=row.service_id, column=_COLUMN), type=Kept)


def _to_endpoint(row: Row[Any], waiting: int, vault: Vault) -> Endpoint:
    try:
        url = unseal(vault, row).url
    except CannotOpen:
        url = None
    return Endpoint(
        url=url,
        created_at=row.created_at,
        former_until=row.former_until,
        failing_since=row.failing_since,
        off_at=row.off_at,
        off_reason=row.off_reason,
        waiting=waiting,
    )


async def _row(conn: AsyncConnection, service_id: str, *, lock: bool = False) -> Row[Any]:
    statement = select(webhook_endpoints).where(webhook_endpoints.c.service_id == service_id)
    row = (await conn.execute(statement.with_for_update() if lock else statement)).first()
    if row is None:
        raise NotFound("The service has no webhook yet.")
    return row


async def _locked(conn: AsyncConnection, service_id: str) -> Row[Any]:
    return await _row(conn, service_id, lock=True)


async def _update(conn: AsyncConnection, service_id: str, values: Mapping[str, object]) -> None:
    await conn.execute(
        webhook_endpoints.update().where(webhook_endpoints.c.service_id == service_id).values(**values)
    )


def fault_of(url: str, *, private: bool) -> str | None:
    """What is wrong with the address. Where a name leads is looked at whenever it is dialled."""
    if len(url) > LONGEST_URL:
        return f"Use up to {LONGEST_URL:,} characters."
    if not url.isascii() or not url.isprintable() or " " in url:
        return "Use ASCII without spaces, with others escaped."
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "This is no address."
    if parts.scheme not in (("https", "http") if private else ("https",)) or not host:
        return "Use an address that begins with https://."
    if parts.username is not None or parts.password is not None or parts.fragment:
        return "Use an address without user, password and fragment."
    if not private and (host.rstrip(".") == "localhost" or (is_address(host) and not is_public(host))):
        return "Use an address that is public."
    return None
