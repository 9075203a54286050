"""What ended `dead` is found by its service, and what the ledger cannot account for at once."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_DEAD = sa.text("status = 'dead'")
_UNACCOUNTED = sa.text(
    "NOT (completed_at IS NOT NULL AND due_at IS NULL AND status IN"
    " ('cancelled', 'dead', 'delivered', 'expired', 'permanent-failure', 'received', 'returned', 'sent',"
    " 'suppressed', 'technical-failure', 'temporary-failure', 'validation-failed', 'virus-scan-failed')"
    " OR completed_at IS NULL AND due_at IS NOT NULL AND status IN"
    " ('held', 'pending', 'scheduled', 'sending'))"
)


def upgrade() -> None:
    op.create_index(
        "ix_deliveries_dead",
        "deliveries",
        ["service_id", "id"],
        postgresql_where=_DEAD,
        sqlite_where=_DEAD,
    )
    op.create_index(
        "ix_deliveries_unaccounted",
        "deliveries",
        ["id"],
        postgresql_where=_UNACCOUNTED,
        sqlite_where=_UNACCOUNTED,
    )
