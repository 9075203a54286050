"""Subscriptions: a browser that popups can be pushed to, for as long as its officer is seen with it."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec
from sqlalchemy import ColumnElement, Row, exists, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from postroom.domain.caller import Person
from postroom.domain.errors import FieldError, Invalid, NotFound
from postroom.features.inbox.push.tables import push_subscriptions, pushes
from postroom.features.recipients import audience_index, reader_index
from postroom.features.webhooks.endpoints import fault_of
from postroom.kit.crypto import Vault
from postroom.kit.database import AsyncConnection
from postroom.kit.ids import new_id
from postroom.kit.web_push import AUTH_BYTES, from_text, is_point

MOST = 10
"""Browsers of one officer: beyond that the one that was not seen for longest goes."""
LASTS = timedelta(days=14)
"""Whom no valid token was seen of for so long is pushed nothing: they may have left."""

_COLUMN = "push_subscriptions.sealed"
_FORGOTTEN_AT_ONCE = 500


class Address(msgspec.Struct, frozen=True):
    """What is sealed: where a browser's pushes go, and what they are sealed with."""

    endpoint: str
    p256dh: str
    auth: str

    def __repr__(self) -> str:
        return "Address()"


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription as its officer sees it."""

    id: str
    made_at: datetime
    confirmed_at: datetime
    expires_at: datetime | None = field(default=None)


def faults_of(address: Address, *, private: bool) -> list[FieldError]:
    """All that is wrong with it; `private` allows addresses that are not public."""
    faults = []
    if fault := fault_of(address.endpoint, private=private):
        faults.append(FieldError("endpoint", fault))
    if not is_point(_bytes_of(address.p256dh)):
        faults.append(FieldError("keys.p256dh", "Use the browser's key: a point of P-256, as base64url."))
    if len(_bytes_of(address.auth)) != AUTH_BYTES:
        faults.append(FieldError("keys.auth", f"Use the browser's secret: {AUTH_BYTES} bytes, as base64url."))
    return faults


async def subscribe(
    conn: AsyncConnection,
    person: Person,
    address: Address,
    *,
    vault: Vault,
    private: bool,
    now: datetime,
    expires_at: datetime | None = None,
) -> Subscription:
    """Have popups pushed to that browser of the person; Invalid where it cannot be.

    The same browser again confirms what is there. One that somebody else had is theirs no more.
    """
    if faults := faults_of(address, private=private):
        raise Invalid(faults)
    endpoint, reader = _endpoint_index(vault, address.endpoint), reader_index(vault, person.email)
    audience = audience_index(vault, person.email)
    await _drop(conn, await _lock_those_of_others(conn, endpoint, reader))
    kept = {
        # Whose it is too: somebody else may be handing it in at this moment.
        "reader": reader,
        "audience": audience,
        "sealed": vault.seal(msgspec.json.encode(address), row=endpoint.hex(), column=_COLUMN),
        "confirmed_at": now,
        "expires_at": expires_at,
    }
    row = {
        "id": new_id(),
        "endpoint": endpoint,
        "host": vault.blind_index(urlsplit(address.endpoint).netloc.lower(), purpose="push service"),
        "made_at": now,
        **kept,
    }
    insert = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    statement = insert(push_subscriptions).values(row)
    made = await conn.execute(
        statement.on_conflict_do_update(index_elements=["endpoint"], set_=kept).returning(push_subscriptions)
    )
    subscription = _to_subscription(made.one())
    await _keep_to_most(conn, reader)
    return subscription


async def is_known(conn: AsyncConnection, endpoint: str, *, vault: Vault) -> bool:
    """Whether that browser has a subscription, be it of whom it may."""
    known = exists().where(push_subscriptions.c.endpoint == _endpoint_index(vault, endpoint))
    return bool(await conn.scalar(select(known)))


async def subscriptions_of(conn: AsyncConnection, person: Person, *, vault: Vault) -> list[Subscription]:
    """The person's browsers, the one that was seen last first."""
    return [_to_subscription(row) for row in await _rows_of(conn, reader_index(vault, person.email))]


async def unsubscribe(
    conn: AsyncConnection,
    person: Person,
    *,
    vault: Vault,
    endpoint: str | None = None,
    subscription_id: str | None = None,
) -> None:
    """Push nothing more to that browser of theirs; NotFound where they have none such."""
    where = [push_subscriptions.c.reader == reader_index(vault, person.email)]
    if endpoint is not None:
        where.append(push_subscriptions.c.endpoint == _endpoint_index(vault, endpoint))
    if subscription_id is not None:
        where.append(push_subscriptions.c.id == subscription_id)
    ids = await _ids(conn, *where)
    if not ids:
        raise NotFound("You have no such subscription.")
    await _drop(conn, ids)


async def unsubscribe_all(conn: AsyncConnection, person: Person, *, vault: Vault) -> int:
    """Push nothing more to any browser of theirs; how many there were."""
    ids = await _ids(conn, push_subscriptions.c.reader == reader_index(vault, person.email))
    await _drop(conn, ids)
    return len(ids)


async def remove(conn: AsyncConnection, subscription_id: str) -> None:
    """Forget it: its push service says that it is gone, or nobody can read where it is."""
    await _drop(conn, [subscription_id])


async def forget_lapsed(conn: AsyncConnection, *, now: datetime) -> int:
    """Forget those whose officers were not seen for long, and those that have ended; how many."""
    table = push_subscriptions.c
    old = or_(table.confirmed_at <= now - LASTS, table.expires_at <= now)
    ids = await _ids(conn, old, limit=_FORGOTTEN_AT_ONCE)
    await _drop(conn, ids)
    return len(ids)


def is_live(now: datetime) -> ColumnElement[bool]:
    """The condition that a subscription has not lapsed, whether it is forgotten already or not."""
    table = push_subscriptions.c
    return (table.confirmed_at > now - LASTS) & or_(table.expires_at.is_(None), table.expires_at > now)


def unseal(vault: Vault, row: Row[Any]) -> Address:
    """Where the pushes of a subscription go."""
    opened = vault.open(row.sealed, row=bytes(row.endpoint).hex(), column=_COLUMN)
    return msgspec.json.decode(opened, type=Address)


async def _lock_those_of_others(conn: AsyncConnection, endpoint: bytes, reader: bytes) -> list[str]:
    """Lock all that subscribing may touch, in one order; which of them somebody else had."""
    table = push_subscriptions.c
    touched = or_(table.endpoint == endpoint, table.reader == reader)
    locked = select(table.id, table.reader).where(touched).order_by(table.id).with_for_update()
    return [row.id for row in await conn.execute(locked) if bytes(row.reader) != reader]


async def _keep_to_most(conn: AsyncConnection, reader: bytes) -> None:
    rows = await _rows_of(conn, reader)
    await _drop(conn, [row.id for row in rows[MOST:]])


async def _rows_of(conn: AsyncConnection, reader: bytes) -> list[Row[Any]]:
    table = push_subscriptions.c
    mine = select(push_subscriptions).where(table.reader == reader)
    return list(await conn.execute(mine.order_by(table.confirmed_at.desc(), table.id.desc())))


async def _ids(conn: AsyncConnection, *where: ColumnElement[bool], limit: int | None = None) -> list[str]:
    """In one order, locked: no two that lock several cross."""
    wanted = select(push_subscriptions.c.id).where(*where).order_by(push_subscriptions.c.id)
    return list(await conn.scalars(wanted.limit(limit).with_for_update()))


async def _drop(conn: AsyncConnection, ids: Collection[str]) -> None:
    if ids:
        await conn.execute(pushes.delete().where(pushes.c.subscription_id.in_(ids)))
        await conn.execute(push_subscriptions.delete().where(push_subscriptions.c.id.in_(ids)))


def _endpoint_index(vault: Vault, endpoint: str) -> bytes:
    return vault.blind_index(endpoint, purpose="push endpoint")


def _bytes_of(text: str) -> bytes:
    try:
        return from_text(text)
    except ValueError:
        return b""


def _to_subscription(row: Row[Any]) -> Subscription:
    return Subscription(row.id, row.made_at, row.confirmed_at, row.expires_at)
