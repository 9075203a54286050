"""What a service was told of one notification by its webhook: every try, and what is still to be told."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from postroom.features.webhooks.retry import Outcome
from postroom.features.webhooks.tables import feedback_events, webhook_attempts, webhook_calls
from postroom.kit.database import AsyncConnection


@dataclass(frozen=True, slots=True)
class Told:
    """One try to tell of an event of that kind. `error` is a word for what went wrong before an answer."""

    event_id: str
    kind: str
    number: int
    at: datetime
    status_code: int | None
    error: str | None
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class ToBeTold:
    """A call that is still to be made, after so many tries in vain."""

    event_id: str
    kind: str
    due_at: datetime
    tries: int


async def calls_about(conn: AsyncConnection, notification_id: str) -> tuple[list[Told], list[ToBeTold]]:
    """The tries in their order, and the calls that are due or will be."""
    events = feedback_events.c
    tries = await conn.execute(
        select(webhook_attempts, events.kind)
        .join(feedback_events, events.id == webhook_attempts.c.event_id)
        .where(webhook_attempts.c.notification_id == notification_id)
        .order_by(webhook_attempts.c.id)
    )
    waiting = await conn.execute(
        select(webhook_calls, events.kind)
        .join(feedback_events, events.id == webhook_calls.c.id)
        .where(webhook_calls.c.notification_id == notification_id)
        .order_by(webhook_calls.c.position)
    )
    told = [
        Told(row.event_id, row.kind, row.number, row.at, row.status_code, row.error, Outcome(row.outcome))
        for row in tries
    ]
    return told, [ToBeTold(row.id, row.kind, row.due_at, row.attempts) for row in waiting]
