"""The tables of feedback. None of them holds personal data; addresses and secrets of endpoints are sealed."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
)

from postroom.kit.database import Id, Instant, metadata


def _of_an_event() -> list[Column[Any]]:
    return [
        Column("service_id", Id, nullable=False),
        Column("notification_id", Id, nullable=False),
        Column("delivery_id", Id),
        Column("kind", String(16), nullable=False),
        Column("at", Instant, nullable=False),
        Column("channel", String(8)),
        Column("status", String(24)),
        Column("reason", Text),
        Column("action", String(16)),
        Column("actor", String(8), nullable=False),
        # Of the request that did it, where that is not the one which made the notification.
        Column("correlation_id", String(64)),
    ]


feedback_outbox = Table(
    "feedback_outbox",
    metadata,
    # Drawn while what happened is locked: of two events of one thing the earlier has the lower number.
    Column(
        "drawn",
        BigInteger().with_variant(Integer, "sqlite"),
        Identity(),
        primary_key=True,
    ),
    Column("id", Id, nullable=False),
    *_of_an_event(),
    # Numbers of rows that have left it are not given out again.
    sqlite_autoincrement=True,
)
"""What was recorded and has no place in the feed yet: small, and with no index but the one it needs."""

feedback_events = Table(
    "feedback_events",
    metadata,
    Column("id", Id, primary_key=True),
    # Its place in the feed, given after its commit by one at a time: nothing comes to stand before it later.
    Column("position", BigInteger, nullable=False),
    *_of_an_event(),
)
Index("ix_feedback_events_feed", feedback_events.c.service_id, feedback_events.c.position)

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("service_id", Id, primary_key=True),
    # Address and secrets, sealed: see endpoints.py.
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
    # Until then calls carry the former secret's signature too.
    Column("former_until", Instant),
    Column("failing_since", Instant),
    Column("off_at", Instant),
    Column("off_reason", String(32)),
)

webhook_calls = Table(
    "webhook_calls",
    metadata,
    # The event's id, and the webhook-id of the call.
    Column("id", Id, primary_key=True),
    Column("service_id", Id, nullable=False),
    Column("notification_id", Id, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("lease_until", Instant),
    Column("attempts", SmallInteger, nullable=False),
)
"""The calls that are still to be made. One that is answered or given up leaves it."""
Index("ix_webhook_calls_due", webhook_calls.c.service_id, webhook_calls.c.due_at)
Index("ix_webhook_calls_order", webhook_calls.c.notification_id, webhook_calls.c.position)

webhook_attempts = Table(
    "webhook_attempts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("event_id", Id, nullable=False, index=True),
    Column("service_id", Id, nullable=False),
    Column("notification_id", Id, nullable=False, index=True),
    Column("number", SmallInteger, nullable=False),
    Column("at", Instant, nullable=False),
    Column("took_ms", Integer, nullable=False),
    Column("status_code", SmallInteger),
    # A word for what went wrong before an answer came. Of the answer itself nothing is kept.
    Column("error", String(32)),
    Column("outcome", String(16), nullable=False),
)
Index("ix_webhook_attempts_service", webhook_attempts.c.service_id, webhook_attempts.c.id)
