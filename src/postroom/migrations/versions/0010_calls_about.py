"""The tries to tell a service of one notification are found by it, for its timeline."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_index("ix_webhook_attempts_notification_id", "webhook_attempts", ["notification_id"])
