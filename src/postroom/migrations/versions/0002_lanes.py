"""Deliveries know their lane, whom they reach and what they say, and when they were replayed."""

import sqlalchemy as sa
from alembic import op

from postroom.kit.database.types import Instant

revision = "0002"
down_revision = "0001"

_DUE = sa.text("due_at IS NOT NULL")


def upgrade() -> None:
    # What was accepted before is none of a bulk; whom it reaches is not counted for limits of an hour.
    op.add_column("deliveries", sa.Column("lane", sa.SmallInteger, nullable=False, server_default="0"))
    op.add_column("deliveries", sa.Column("recipient_index", sa.LargeBinary))
    op.add_column("deliveries", sa.Column("content_index", sa.LargeBinary))
    op.add_column("deliveries", sa.Column("international", sa.Boolean))
    op.add_column("deliveries", sa.Column("replayed_at", Instant))
    op.drop_index("ix_deliveries_due_at", "deliveries")
    op.create_index(
        "ix_deliveries_due", "deliveries", ["lane", "due_at"], postgresql_where=_DUE, sqlite_where=_DUE
    )
