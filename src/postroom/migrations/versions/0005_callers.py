"""API keys have scopes and tell when they were used; one service may be let read another's notifications."""

import sqlalchemy as sa
from alembic import op

from postroom.kit.database.types import Id, Instant

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    # What was issued before could do everything, and still can.
    op.add_column("api_keys", sa.Column("scopes", sa.String(255), nullable=False, server_default="*"))
    op.add_column("api_keys", sa.Column("last_used_at", Instant))
    op.create_table(
        "grants",
        sa.Column("reader_id", Id, nullable=False),
        sa.Column("owner_id", Id, nullable=False),
        sa.Column("with_personal_data", sa.Boolean, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("reader_id", "owner_id", name="pk_grants"),
    )
