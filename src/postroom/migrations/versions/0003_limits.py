"""The provider's buckets, what went to whom within the hour, and what each service may."""

import sqlalchemy as sa
from alembic import op

from postroom.kit.database.types import Id, Instant

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("credentials", sa.Column("key_type", sa.String(4), nullable=False, server_default="live"))
    op.add_column("services", sa.Column("limits", sa.Text, nullable=False, server_default="{}"))
    op.create_table(
        "provider_buckets",
        sa.Column("id", sa.LargeBinary, nullable=False),
        sa.Column("tokens", sa.Float, nullable=False),
        sa.Column("refilled_at", Instant, nullable=False),
        sa.Column("single_until", Instant, nullable=False),
        sa.Column("bulk_until", Instant, nullable=False),
        sa.Column("tomorrow_single_until", Instant, nullable=False),
        sa.Column("tomorrow_bulk_until", Instant, nullable=False),
        sa.Column("day", sa.Integer, nullable=False),
        sa.Column("emails", sa.Integer, nullable=False),
        sa.Column("texts", sa.Integer, nullable=False),
        sa.Column("international_texts", sa.Integer, nullable=False),
        sa.Column("letters", sa.Integer, nullable=False),
        sa.Column("closed", sa.SmallInteger, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_provider_buckets"),
    )
    op.create_table(
        "recent_sends",
        sa.Column("id", sa.LargeBinary, nullable=False),
        sa.Column("sends", sa.Text, nullable=False),
        sa.Column("last_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_recent_sends"),
    )
    op.create_table(
        "caller_buckets",
        sa.Column("id", Id, nullable=False),
        sa.Column("tokens", sa.Float, nullable=False),
        sa.Column("refilled_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_caller_buckets"),
    )
