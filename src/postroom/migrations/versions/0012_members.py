"""Who is in which group and patch, said here or by their tokens."""

import sqlalchemy as sa
from alembic import op

from postroom.kit.database.types import Instant

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "members",
        sa.Column("audience", sa.LargeBinary, nullable=False),
        sa.Column("member", sa.LargeBinary, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("registered_at", Instant),
        sa.Column("told_at", Instant),
        sa.PrimaryKeyConstraint("audience", "member", name="pk_members"),
    )
    op.create_index("ix_members_member", "members", ["member"])
    op.create_index("ix_members_name", "members", ["kind", "name"])
    op.create_table(
        "token_holders",
        sa.Column("member", sa.LargeBinary, nullable=False),
        sa.Column("issued_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("member", name="pk_token_holders"),
    )
