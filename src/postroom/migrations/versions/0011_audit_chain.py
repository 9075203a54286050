"""The audit is chained, found by who did it, and also tells of what is done to a service itself."""

import sqlalchemy as sa
from alembic import op

from postroom.kit.database.types import Id, Instant

revision = "0011"
down_revision = "0010"

_UNSEALED = sa.text("seal IS NULL")
_HAS_ACTOR = sa.text("actor_index IS NOT NULL")


def upgrade() -> None:
    # SQLite copies the table for this; PostgreSQL only notes it.
    with op.batch_alter_table("audit_entries") as table:
        table.alter_column("notification_id", existing_type=Id, nullable=True)
        table.add_column(sa.Column("personal_digests", sa.LargeBinary))
        table.add_column(sa.Column("actor_index", sa.LargeBinary))
        table.add_column(sa.Column("seal", sa.BigInteger))
    op.create_index(
        "ix_audit_entries_unsealed",
        "audit_entries",
        ["id"],
        postgresql_where=_UNSEALED,
        sqlite_where=_UNSEALED,
    )
    op.create_index(
        "ix_audit_entries_actor",
        "audit_entries",
        ["actor_index", "id"],
        postgresql_where=_HAS_ACTOR,
        sqlite_where=_HAS_ACTOR,
    )
    op.create_table(
        "audit_seals",
        sa.Column("number", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("sealed_at", Instant, nullable=False),
        sa.Column("entries", sa.Integer, nullable=False),
        sa.Column("digests", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("mac", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit_seals"),
    )
