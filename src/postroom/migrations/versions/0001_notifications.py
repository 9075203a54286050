"""Notifications, their deliveries and attempts, services and their keys, receipts, audit."""

import sqlalchemy as sa
from alembic import op

from postroom.kit.database.types import Id, Instant

revision = "0001"
down_revision = None


def upgrade() -> None:
    _services()
    _notifications()
    _deliveries()
    _records()


def _services() -> None:
    op.create_table(
        "services",
        sa.Column("id", Id, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("credential_id", Id),
        sa.Column("default_group", sa.String(128)),
        sa.Column("prepend_name", sa.Boolean, nullable=False),
        sa.Column("template_names", sa.Text, nullable=False),
        sa.Column("receipt_token_digest", sa.LargeBinary),
        sa.Column("created_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_services"),
        sa.UniqueConstraint("name", name="uq_services_name"),
        sa.UniqueConstraint("receipt_token_digest", name="uq_services_receipt_token_digest"),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", Id, nullable=False),
        sa.Column("service_id", Id, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("expires_at", Instant),
        sa.Column("revoked_at", Instant),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.UniqueConstraint("digest", name="uq_api_keys_digest"),
    )
    op.create_index("ix_api_keys_service_id", "api_keys", ["service_id"])
    op.create_table(
        "credentials",
        sa.Column("id", Id, nullable=False),
        sa.Column("service_id", Id, nullable=False),
        sa.Column("is_raw", sa.Boolean, nullable=False),
        sa.Column("base_url", sa.Text, nullable=False),
        sa.Column("sealed_key", sa.LargeBinary, nullable=False),
        sa.Column("used_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_credentials"),
    )


def _notifications() -> None:
    op.create_table(
        "notifications",
        sa.Column("id", Id, nullable=False),
        sa.Column("service_id", Id, nullable=False),
        sa.Column("target_id", sa.String(128)),
        sa.Column("target_type", sa.String(64)),
        sa.Column("channels", sa.SmallInteger, nullable=False),
        sa.Column("extra_channels", sa.SmallInteger, nullable=False),
        sa.Column("reference", sa.String(128)),
        sa.Column("audience", sa.LargeBinary),
        sa.Column("template_id", sa.String(128)),
        sa.Column("template_ids", sa.Text, nullable=False),
        sa.Column("template_unchecked", sa.Boolean, nullable=False),
        sa.Column("require_action", sa.Boolean, nullable=False),
        sa.Column("personal", sa.LargeBinary),
        sa.Column("email_index", sa.LargeBinary),
        sa.Column("mobile_index", sa.LargeBinary),
        sa.Column("correlation_id", sa.String(64)),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("first_read_at", Instant),
        sa.Column("action", sa.String(16)),
        sa.Column("action_at", Instant),
        sa.Column("action_personal", sa.LargeBinary),
        sa.Column("removed_at", Instant),
        sa.PrimaryKeyConstraint("id", name="pk_notifications"),
    )
    for name, columns, also in (
        ("service", ["service_id"], ""),
        ("service_target", ["service_id", "target_id"], " AND target_id IS NOT NULL"),
        ("service_reference", ["service_id", "reference"], " AND reference IS NOT NULL"),
        ("audience", ["audience"], " AND audience IS NOT NULL"),
    ):
        where = sa.text("removed_at IS NULL" + also)
        op.create_index(
            f"ix_notifications_{name}",
            "notifications",
            [*columns, "id"],
            postgresql_where=where,
            sqlite_where=where,
        )
    op.create_table(
        "reader_states",
        sa.Column("notification_id", Id, nullable=False),
        sa.Column("reader", sa.LargeBinary, nullable=False),
        sa.Column("read_at", Instant),
        sa.Column("hidden_at", Instant),
        sa.PrimaryKeyConstraint("notification_id", "reader", name="pk_reader_states"),
    )


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", Id, nullable=False),
        sa.Column("notification_id", Id, nullable=False),
        sa.Column("service_id", Id, nullable=False),
        sa.Column("credential_id", Id, nullable=False),
        sa.Column("channel", sa.String(8), nullable=False),
        sa.Column("template_id", Id, nullable=False),
        sa.Column("status", sa.String(24), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("due_at", Instant),
        sa.Column("lease_until", Instant),
        sa.Column("notify_id", Id),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("open_attempt", Id),
        sa.Column("open_attempt_at", Instant),
        sa.Column("looks", sa.SmallInteger, nullable=False),
        sa.Column("polls", sa.SmallInteger, nullable=False),
        sa.Column("sent_at", Instant),
        sa.Column("completed_at", Instant),
        sa.Column("reason", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
    )
    op.create_index("ix_deliveries_notification_id", "deliveries", ["notification_id"])
    for column in ("due_at", "notify_id"):
        there = sa.text(f"{column} IS NOT NULL")
        op.create_index(
            f"ix_deliveries_{column}", "deliveries", [column], postgresql_where=there, sqlite_where=there
        )
    op.create_table(
        "attempts",
        sa.Column("id", Id, nullable=False),
        sa.Column("delivery_id", Id, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("started_at", Instant, nullable=False),
        sa.Column("ended_at", Instant),
        sa.Column("outcome", sa.String(16)),
        sa.Column("status_code", sa.SmallInteger),
        sa.Column("reason", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
    )
    op.create_index("ix_attempts_delivery_id", "attempts", ["delivery_id"])


def _records() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("service_id", Id, nullable=False),
        sa.Column("key", sa.LargeBinary, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("notification_id", Id, nullable=False),
        sa.Column("expires_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("service_id", "key", name="pk_idempotency_keys"),
    )
    op.create_index("ix_idempotency_keys_expires_at", "idempotency_keys", ["expires_at"])
    op.create_table(
        "receipts",
        sa.Column("id", Id, nullable=False),
        sa.Column("service_id", Id, nullable=False),
        sa.Column("notify_id", sa.String(64), nullable=False),
        sa.Column("status", sa.String(64), nullable=False),
        sa.Column("delivery_id", Id),
        sa.Column("received_at", Instant, nullable=False),
        sa.Column("applied", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_receipts"),
    )
    op.create_index("ix_receipts_notify_id", "receipts", ["notify_id"])
    op.create_table(
        "audit_entries",
        sa.Column("id", Id, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("notification_id", Id, nullable=False),
        sa.Column("service_id", Id, nullable=False),
        sa.Column("correlation_id", sa.String(64)),
        sa.Column("detail", sa.String(255)),
        sa.Column("personal", sa.LargeBinary),
        sa.PrimaryKeyConstraint("id", name="pk_audit_entries"),
    )
    op.create_index("ix_audit_entries_notification_id", "audit_entries", ["notification_id"])
