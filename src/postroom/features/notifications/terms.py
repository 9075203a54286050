"""How long notifications stay on screens: until a moment, or until a later one of their thread replaces them.

Only what says so has a row here. What has ended is on no list any more, and can still be read by its id.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Index, LargeBinary, Row, String, Table, exists, select

from postroom.domain.notification import Ended, EndedBy, Notification
from postroom.features import readers
from postroom.features.notifications.tables import notifications
from postroom.kit.database import AsyncConnection, Batch, BulkInsert, Id, Instant, metadata

screen_terms = Table(
    "screen_terms",
    metadata,
    Column("notification_id", Id, primary_key=True),
    Column("service_id", Id, nullable=False),
    Column("audience", LargeBinary),
    Column("thread_key", String(128)),
    Column("expires_at", Instant),
    Column("ended_at", Instant),
    Column("ended_by", String(8)),
    Column("replaced_by", Id),
)
_open = screen_terms.c.ended_at.is_(None)
for _name, _columns, _where in (
    ("expires", ["expires_at"], _open & screen_terms.c.expires_at.is_not(None)),
    ("thread", ["service_id", "audience", "thread_key"], _open & screen_terms.c.thread_key.is_not(None)),
):
    Index(
        f"ix_screen_terms_{_name}",
        *(screen_terms.c[column] for column in _columns),
        postgresql_where=_where,
        sqlite_where=_where,
    )

_insert = BulkInsert(screen_terms)


def row_of(notification: Notification, audience: bytes | None) -> dict[str, Any] | None:
    """Its row; None where it stays until somebody takes it away."""
    thread_key, expires_at = notification.personal.thread_key, notification.personal.expires_at
    if thread_key is None and expires_at is None:
        return None
    return {
        "notification_id": notification.id,
        "service_id": notification.service_id,
        "audience": audience,
        "thread_key": thread_key,
        "expires_at": expires_at,
    }


def add_terms(batch: Batch, rows: Sequence[Mapping[str, Any]]) -> None:
    _insert.add(batch, rows)


async def open_in_threads(conn: AsyncConnection, threads: Iterable[tuple[str, bytes, str]]) -> dict[str, int]:
    """What stands on screens of those threads (service, audience, key): its id, with its thread's place."""
    found: dict[str, int] = {}
    for place, (service_id, audience, key) in enumerate(threads):
        terms = screen_terms.c
        wanted = select(terms.notification_id).where(
            terms.service_id == service_id, terms.audience == audience, terms.thread_key == key, _open
        )
        found |= {row.notification_id: place for row in await conn.execute(wanted)}
    return found


async def due_to_expire(conn: AsyncConnection, *, now: datetime, limit: int) -> list[str]:
    wanted = select(screen_terms.c.notification_id).where(_open, screen_terms.c.expires_at <= now)
    wanted = wanted.order_by(screen_terms.c.expires_at).limit(limit)
    return [row.notification_id for row in await conn.execute(wanted)]


async def lock_those_on_screens(conn: AsyncConnection, ids: Collection[str]) -> list[Row[Any]]:
    """Those of them that are still on lists, locked by their ids: no two lockers cross."""
    wanted = select(notifications).where(
        notifications.c.id.in_(sorted(ids)), notifications.c.removed_at.is_(None)
    )
    return list(await conn.execute(wanted.order_by(notifications.c.id).with_for_update()))


async def end(
    conn: AsyncConnection, notification_id: str, *, by: EndedBy, at: datetime, replaced_by: str | None = None
) -> None:
    mine = screen_terms.c.notification_id == notification_id
    values = {"ended_at": at, "ended_by": by.value, "replaced_by": replaced_by}
    await conn.execute(screen_terms.update().where(mine).values(**values))


async def forget(conn: AsyncConnection, ids: Collection[str]) -> None:
    """What was taken away before it could end has no terms any more."""
    if ids:
        await conn.execute(screen_terms.delete().where(screen_terms.c.notification_id.in_(list(ids))))


async def ends_of(conn: AsyncConnection, ids: Collection[str]) -> dict[str, Ended]:
    """When and why those of them ended that did."""
    if not ids:
        return {}
    wanted = select(screen_terms).where(
        screen_terms.c.notification_id.in_(list(ids)), screen_terms.c.ended_at.is_not(None)
    )
    return {
        row.notification_id: Ended(at=row.ended_at, by=EndedBy(row.ended_by), replaced_by=row.replaced_by)
        for row in await conn.execute(wanted)
    }


def has_ended() -> ColumnElement[bool]:
    """The condition that a notification is on no list because it has ended: it was not removed."""
    return exists().where(
        screen_terms.c.notification_id == notifications.c.id, screen_terms.c.ended_at.is_not(None)
    )


def has_not_expired(now: datetime) -> ColumnElement[bool]:
    """The condition that its moment has not come, whether the worker has taken it away already or not."""
    expired = select(screen_terms.c.notification_id).where(_open, screen_terms.c.expires_at <= now)
    return notifications.c.id.not_in(expired)


async def expired_of(
    conn: AsyncConnection, audiences: Collection[bytes], *, reader: bytes, now: datetime
) -> list[Row[Any]]:
    """What has expired of these audiences and is still counted, with its state for a reader."""
    state = readers.state_for(reader, notification_id=notifications.c.id)
    wanted = (
        select(
            notifications.c.id,
            notifications.c.audience,
            notifications.c.require_action,
            notifications.c.action,
            state.label("state"),
        )
        .join(screen_terms, screen_terms.c.notification_id == notifications.c.id)
        .where(
            _open,
            screen_terms.c.expires_at <= now,
            screen_terms.c.audience.in_(sorted(audiences)),
            notifications.c.removed_at.is_(None),
        )
    )
    return list(await conn.execute(wanted))
