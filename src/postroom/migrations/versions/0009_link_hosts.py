"""Where the follow-on links of each service may lead."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("services", sa.Column("link_hosts", sa.Text, nullable=False, server_default="[]"))
