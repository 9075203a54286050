"""Reading the audit: by notification, by service, by who did it, and by time."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, exists, select

from postroom.features.audit.record import Kind
from postroom.features.audit.store import audit_entries
from postroom.features.audit.values import Values, actor_index, open_values
from postroom.kit.crypto import CannotOpen, Vault
from postroom.kit.database import AsyncConnection
from postroom.kit.ids import first_id_at


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry as it is read. `seal` is the number of the seal that holds it, None until it has one.

    Without an actor it was the service itself, unless `is_unreadable`: then who did it, what they wrote and
    where they called from cannot be opened.
    """

    id: str
    at: datetime
    kind: Kind
    notification_id: str | None
    service_id: str
    detail: str | None
    correlation_id: str | None
    actor: str | None
    note: str | None = field(repr=False)
    ip: str | None = field(repr=False)
    seal: int | None
    is_unreadable: bool = False


@dataclass(frozen=True, slots=True)
class TrailFilters:
    """What is asked for; None leaves a filter out. `about` are the ids of notifications, as a query."""

    notification_id: str | None = None
    about: Select[Any] | None = None
    service_id: str | None = None
    actor: str | None = field(default=None, repr=False)
    kind: Kind | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class TrailPage:
    """Entries, the newest first. `next_before` continues them, None at their end."""

    items: tuple[Recorded, ...]
    next_before: str | None


async def find_entries(conn: AsyncConnection, filters: TrailFilters, *, vault: Vault) -> TrailPage:
    statement = select(audit_entries).where(*_conditions(filters, vault))
    statement = statement.order_by(audit_entries.c.id.desc()).limit(filters.limit + 1)
    rows = (await conn.execute(statement)).all()
    shown = rows[: filters.limit]
    items = tuple(_to_recorded(row, vault) for row in shown)
    return TrailPage(items, next_before=shown[-1].id if len(rows) > filters.limit else None)


async def was_done(conn: AsyncConnection, notification_id: str, *, detail: str) -> bool:
    """Whether anybody ever did that about a notification."""
    table = audit_entries.c
    done = exists().where(
        table.notification_id == notification_id, table.kind == Kind.ACTION.value, table.detail == detail
    )
    return bool(await conn.scalar(select(done)))


async def entries_about(conn: AsyncConnection, notification_id: str, *, vault: Vault) -> list[Recorded]:
    """All that was done about a notification, in the order in which it was recorded."""
    mine = audit_entries.c.notification_id == notification_id
    found = await conn.execute(select(audit_entries).where(mine).order_by(audit_entries.c.id))
    return [_to_recorded(row, vault) for row in found]


def _conditions(filters: TrailFilters, vault: Vault) -> list[ColumnElement[bool]]:
    table = audit_entries.c
    where: list[ColumnElement[bool]] = []
    if filters.notification_id is not None:
        where.append(table.notification_id == filters.notification_id)
    if filters.about is not None:
        where.append(table.notification_id.in_(filters.about))
    if filters.service_id is not None:
        where.append(table.service_id == filters.service_id)
    if filters.actor is not None:
        where.append(table.actor_index == actor_index(vault, filters.actor))
    if filters.kind is not None:
        where.append(table.kind == filters.kind.value)
    if filters.since is not None:
        where.append(table.id >= first_id_at(filters.since))
    if filters.until is not None:
        where.append(table.id < first_id_at(filters.until))
    if filters.before is not None:
        where.append(table.id < filters.before)
    return where


def _to_recorded(row: Row[Any], vault: Vault) -> Recorded:
    try:
        values, is_unreadable = open_values(vault, row.id, row.personal), False
    except CannotOpen:
        values, is_unreadable = Values(), True
    return Recorded(
        id=row.id,
        at=row.at,
        kind=Kind(row.kind),
        notification_id=row.notification_id,
        service_id=row.service_id,
        detail=row.detail,
        correlation_id=row.correlation_id,
        actor=values.text("actor"),
        note=values.text("note"),
        ip=values.text("ip"),
        seal=row.seal,
        is_unreadable=is_unreadable,
    )
