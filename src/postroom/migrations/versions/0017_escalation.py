"""The steps of escalations that are still to be taken."""

import sqlalchemy as sa
from alembic import op

from postroom.kit.database.types import Id, Instant

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "escalation_steps",
        sa.Column("notification_id", Id, nullable=False),
        sa.Column("number", sa.SmallInteger, nullable=False),
        sa.Column("steps", sa.SmallInteger, nullable=False),
        sa.Column("service_id", Id, nullable=False),
        sa.Column("due_at", Instant, nullable=False),
        sa.Column("unless", sa.String(8), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("notification_id", "number", name="pk_escalation_steps"),
    )
    op.create_index("ix_escalation_steps_due_at", "escalation_steps", ["due_at"])
