"""Whose a service is, in which environment, with which templates, and whether it is switched off."""

import sqlalchemy as sa
from alembic import op

from postroom.kit.database.types import Instant

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("services", sa.Column("owner", sa.LargeBinary))
    op.add_column(
        "services", sa.Column("environment", sa.String(32), nullable=False, server_default="production")
    )
    op.add_column("services", sa.Column("other_template_names", sa.Text, nullable=False, server_default="{}"))
    op.add_column("services", sa.Column("off_at", Instant))
