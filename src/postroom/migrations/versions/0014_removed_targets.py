"""The audit of what was removed is found by its target too."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

_REMOVED = sa.text("removed_at IS NOT NULL AND target_id IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "ix_notifications_removed_target",
        "notifications",
        ["target_id"],
        postgresql_where=_REMOVED,
        sqlite_where=_REMOVED,
    )
