"""Feedback: what is recorded, the feed, endpoints of services, calls that are to be made, and their log."""

import sqlalchemy as sa
from alembic import op

from postroom.kit.database.types import Id, Instant

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    _make_feed()
    op.create_table(
        "webhook_endpoints",
        sa.Column("service_id", Id, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("former_until", Instant),
        sa.Column("failing_since", Instant),
        sa.Column("off_at", Instant),
        sa.Column("off_reason", sa.String(32)),
        sa.PrimaryKeyConstraint("service_id", name="pk_webhook_endpoints"),
    )
    op.create_table(
        "webhook_calls",
        sa.Column("id", Id, nullable=False),
        sa.Column("service_id", Id, nullable=False),
        sa.Column("notification_id", Id, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("due_at", Instant, nullable=False),
        sa.Column("lease_until", Instant),
        sa.Column("attempts", sa.SmallInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_calls"),
    )
    op.create_index("ix_webhook_calls_due", "webhook_calls", ["service_id", "due_at"])
    op.create_index("ix_webhook_calls_order", "webhook_calls", ["notification_id", "position"])
    op.create_table(
        "webhook_attempts",
        sa.Column("id", Id, nullable=False),
        sa.Column("event_id", Id, nullable=False),
        sa.Column("service_id", Id, nullable=False),
        sa.Column("notification_id", Id, nullable=False),
        sa.Column("number", sa.SmallInteger, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("took_ms", sa.Integer, nullable=False),
        sa.Column("status_code", sa.SmallInteger),
        sa.Column("error", sa.String(32)),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_attempts"),
    )
    op.create_index("ix_webhook_attempts_event_id", "webhook_attempts", ["event_id"])
    op.create_index("ix_webhook_attempts_service", "webhook_attempts", ["service_id", "id"])


def _make_feed() -> None:
    op.create_table(
        "feedback_outbox",
        sa.Column("drawn", sa.BigInteger().with_variant(sa.Integer, "sqlite"), sa.Identity(), nullable=False),
        sa.Column("id", Id, nullable=False),
        *_of_an_event(),
        sa.PrimaryKeyConstraint("drawn", name="pk_feedback_outbox"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "feedback_events",
        sa.Column("id", Id, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        *_of_an_event(),
        sa.PrimaryKeyConstraint("id", name="pk_feedback_events"),
    )
    op.create_index("ix_feedback_events_feed", "feedback_events", ["service_id", "position"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE SEQUENCE feedback_position OWNED BY feedback_events.position")


def _of_an_event() -> list[sa.Column[object]]:
    return [
        sa.Column("service_id", Id, nullable=False),
        sa.Column("notification_id", Id, nullable=False),
        sa.Column("delivery_id", Id),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("channel", sa.String(8)),
        sa.Column("status", sa.String(24)),
        sa.Column("reason", sa.Text),
        sa.Column("action", sa.String(16)),
        sa.Column("actor", sa.String(8), nullable=False),
        sa.Column("correlation_id", sa.String(64)),
    ]
