"""The steps of an escalation: kept with their notification until they are due, taken up by one worker each.

A step holds the whole request that it will make, sealed. It was judged when the notification was accepted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Column, LargeBinary, Row, SmallInteger, String, Table, select

from postroom.domain.escalation import Unless
from postroom.domain.notification import Notification
from postroom.features.notifications.request import NewNotification
from postroom.kit.crypto import CannotOpen, Vault
from postroom.kit.database import AsyncConnection, Batch, BulkInsert, Id, Instant, metadata

escalation_steps = Table(
    "escalation_steps",
    metadata,
    Column("notification_id", Id, primary_key=True),
    Column("number", SmallInteger, primary_key=True),
    Column("steps", SmallInteger, nullable=False),
    Column("service_id", Id, nullable=False),
    Column("due_at", Instant, nullable=False, index=True),
    Column("unless", String(8), nullable=False),
    # The request that it makes.
    Column("sealed", LargeBinary, nullable=False),
)
"""The steps that are still to be taken. One that was taken or is not needed any more leaves it."""

_COLUMN = "escalation_steps.sealed"
_insert = BulkInsert(escalation_steps)
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(NewNotification).decode


@dataclass(frozen=True, slots=True)
class DueStep:
    """A step that this worker has taken up."""

    notification_id: str
    number: int
    steps: int
    service_id: str
    unless: Unless
    request: NewNotification


def rows_of(new: NewNotification, notification: Notification, *, vault: Vault) -> list[dict[str, Any]]:
    """What is written of a request's escalation."""
    rows = []
    for number, step in enumerate(new.escalation, start=1):
        place = _place(notification.id, number)
        rows.append(
            {
                "notification_id": notification.id,
                "number": number,
                "steps": len(new.escalation),
                "service_id": notification.service_id,
                "due_at": notification.created_at + step.after,
                "unless": step.unless.value,
                "sealed": vault.seal(_encode(step.request), row=place, column=_COLUMN),
            }
        )
    return rows


def add_steps(batch: Batch, rows: Sequence[dict[str, Any]]) -> None:
    _insert.add(batch, rows)


async def due_steps(conn: AsyncConnection, *, now: datetime, most: int) -> list[tuple[str, int]]:
    """Which steps are due and in nobody's hands, the longest due first."""
    table = escalation_steps.c
    statement = select(table.notification_id, table.number).where(table.due_at <= now)
    found = await conn.execute(statement.order_by(table.due_at).limit(most))
    return [(row.notification_id, row.number) for row in found]


async def lock_step(conn: AsyncConnection, key: tuple[str, int], *, now: datetime) -> Row[Any] | None:
    """The step, locked, where it is due still and no other worker has it."""
    statement = select(escalation_steps).where(_is(key), escalation_steps.c.due_at <= now)
    return (await conn.execute(statement.with_for_update(skip_locked=True))).first()


async def hold_step(conn: AsyncConnection, key: tuple[str, int], *, until: datetime) -> None:
    """Keep the step from others until then: if this worker ends, one of them takes it up."""
    await conn.execute(escalation_steps.update().where(_is(key)).values(due_at=until))


async def drop_step(conn: AsyncConnection, key: tuple[str, int]) -> bool:
    """The step is over; whether it was there."""
    return (await conn.execute(escalation_steps.delete().where(_is(key)))).rowcount > 0


async def drop_all(conn: AsyncConnection, notification_id: str) -> None:
    mine = escalation_steps.c.notification_id == notification_id
    await conn.execute(escalation_steps.delete().where(mine))


def open_step(row: Row[Any], *, vault: Vault) -> DueStep:
    opened = vault.open(row.sealed, row=_place(row.notification_id, row.number), column=_COLUMN)
    try:
        request = _decode(opened)
    except msgspec.DecodeError:
        raise CannotOpen(f"{_COLUMN} has a form that is not known") from None
    return DueStep(
        notification_id=row.notification_id,
        number=row.number,
        steps=row.steps,
        service_id=row.service_id,
        unless=Unless(row.unless),
        request=request,
    )


def _place(notification_id: str, number: int) -> str:
    return f"{notification_id} {number}"


def _is(key: tuple[str, int]) -> Any:
    notification_id, number = key
    return (escalation_steps.c.notification_id == notification_id) & (escalation_steps.c.number == number)


LEASE = timedelta(minutes=5)
