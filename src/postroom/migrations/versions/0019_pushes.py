"""Subscriptions of browsers to popups, and what is to be pushed to them."""

import sqlalchemy as sa
from alembic import op

from postroom.kit.database.types import Id, Instant

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.create_table(
        "push_subscriptions",
        sa.Column("id", Id, nullable=False),
        sa.Column("endpoint", sa.LargeBinary, nullable=False),
        sa.Column("host", sa.LargeBinary, nullable=False),
        sa.Column("reader", sa.LargeBinary, nullable=False),
        sa.Column("audience", sa.LargeBinary, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("made_at", Instant, nullable=False),
        sa.Column("confirmed_at", Instant, nullable=False),
        sa.Column("expires_at", Instant),
        sa.Column("due_at", Instant),
        sa.Column("failures", sa.SmallInteger, nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("id", name="pk_push_subscriptions"),
    )
    for name, columns in (
        ("reader", ["reader"]),
        ("audience", ["audience"]),
        ("confirmed", ["confirmed_at"]),
    ):
        op.create_index(f"ix_push_subscriptions_{name}", "push_subscriptions", columns)
    op.create_index("ix_push_subscriptions_endpoint", "push_subscriptions", ["endpoint"], unique=True)
    is_due = sa.text("due_at IS NOT NULL")
    op.create_index(
        "ix_push_subscriptions_due",
        "push_subscriptions",
        ["host", "due_at"],
        postgresql_where=is_due,
        sqlite_where=is_due,
    )
    op.create_table(
        "pushes",
        sa.Column("subscription_id", Id, nullable=False),
        sa.Column("notification_id", Id, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("subscription_id", "notification_id", name="pk_pushes"),
    )
    op.create_table(
        "push_places",
        sa.Column("id", sa.SmallInteger, autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_push_places"),
    )
