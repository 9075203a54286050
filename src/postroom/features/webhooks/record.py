"""Recording what happened to a notification, in the transaction of what it tells of."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from postroom.features.webhooks.tables import feedback_outbox
from postroom.kit.database import AsyncConnection, Batch, BulkInsert, SpreadInsert
from postroom.kit.ids import new_id


class Kind(StrEnum):
    CREATED = "created"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    SEEN = "seen"
    READ = "read"
    ACTIONED = "actioned"
    EXPIRED = "expired"
    REMOVED = "removed"


class Actor(StrEnum):
    """What kind of actor did it; who it was is nobody's business but the audit's."""

    SERVICE = "service"
    OFFICER = "officer"
    POSTROOM = "postroom"
    # Whoever followed the link of an email or a text: nobody has signed in.
    READER = "reader"


Event = Mapping[str, Any]
"""One thing that a service is told of, as the row that is written. It holds no personal data."""


def happened(
    kind: Kind,
    *,
    at: datetime,
    service_id: str,
    notification_id: str,
    actor: Actor,
    **more: str | None,
) -> Event:
    """An event; `more` are delivery_id, channel, status, reason, action and correlation_id, as far as known.

    A row at once, and no object before it: one is made for every accepted request.
    """
    return {
        "id": new_id(),
        "kind": kind,
        "at": at,
        "service_id": service_id,
        "notification_id": notification_id,
        "actor": actor,
        **more,
    }


_insert = BulkInsert(feedback_outbox, without=("drawn",))


async def record(conn: AsyncConnection, events: Sequence[Event]) -> None:
    """Record the events, in their order; they stand or fall with the caller's transaction.

    Call it once in a transaction, after all that the transaction waits for: the order in which events are
    recorded while their rows are locked is the order in which they are told.
    """
    await _insert.run(conn, events)


def add(batch: Batch, events: Sequence[Event]) -> None:
    """Record the events with the batch, as `record` does."""
    _insert.add(batch, events)


_insert_of_many = SpreadInsert(
    feedback_outbox,
    ids=("id", "notification_id"),
    same=("kind", "at", "service_id", "actor", "correlation_id"),
)


async def record_of_many(
    conn: AsyncConnection,
    kind: Kind,
    notification_ids: Sequence[str],
    *,
    at: datetime,
    service_id: str,
    actor: Actor,
    correlation_id: str | None,
) -> None:
    """Record of each of a service's notifications that the same happened to it, as `record` does."""
    await _insert_of_many.run(
        conn,
        [[new_id() for _ in notification_ids], notification_ids],
        kind=kind,
        at=at,
        service_id=service_id,
        actor=actor,
        correlation_id=correlation_id,
    )


_insert_created = BulkInsert(
    feedback_outbox,
    without=("drawn", "delivery_id", "channel", "status", "reason", "action", "correlation_id"),
    always={"kind": Kind.CREATED.value, "actor": Actor.SERVICE.value},
)


class Created(NamedTuple):
    """That a service's notification was created."""

    at: datetime
    service_id: str
    notification_id: str


def add_created(batch: Batch, events: Iterable[Created]) -> None:
    """Record with the batch what was created: its transaction waits for nothing after it."""
    _insert_created.add(
        batch,
        [
            {"id": new_id(), "at": at, "service_id": service_id, "notification_id": notification_id}
            for at, service_id, notification_id in events
        ],
    )
