"""Where the follow-on links of each service may lead."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("services", sa.Column("link_hosts", sa.Text, nullable=False, server_default="[]"))
