"""Notifications are found by their correlation id, and deliveries by their recipient."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

_CORRELATED = sa.text("removed_at IS NULL AND correlation_id IS NOT NULL")
_WITH_RECIPIENT = sa.text("recipient_index IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "ix_notifications_correlation_id",
        "notifications",
        ["correlation_id", "id"],
        postgresql_where=_CORRELATED,
        sqlite_where=_CORRELATED,
    )
    op.create_index(
        "ix_deliveries_recipient",
        "deliveries",
        ["recipient_index", "notification_id"],
        postgresql_where=_WITH_RECIPIENT,
        sqlite_where=_WITH_RECIPIENT,
    )
