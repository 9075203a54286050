"""Which version of a template a delivery was checked against and made from; what a service always trusts."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("template_version", sa.Integer))
    op.add_column("deliveries", sa.Column("used_version", sa.Integer))
    op.add_column("services", sa.Column("trusted_params", sa.Text, nullable=False, server_default="[]"))
