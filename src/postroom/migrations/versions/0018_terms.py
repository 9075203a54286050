"""How long a notification stays on screens: until a moment, or until a later one of its thread."""

import sqlalchemy as sa
from alembic import op

from postroom.kit.database.types import Id, Instant

revision = "0018"
down_revision = "0017"

_OPEN = "ended_at IS NULL"


def upgrade() -> None:
    op.create_table(
        "screen_terms",
        sa.Column("notification_id", Id, nullable=False),
        sa.Column("service_id", Id, nullable=False),
        sa.Column("audience", sa.LargeBinary),
        sa.Column("thread_key", sa.String(128)),
        sa.Column("expires_at", Instant),
        sa.Column("ended_at", Instant),
        sa.Column("ended_by", sa.String(8)),
        sa.Column("replaced_by", Id),
        sa.PrimaryKeyConstraint("notification_id", name="pk_screen_terms"),
    )
    for name, columns, where in (
        ("expires", ["expires_at"], f"{_OPEN} AND expires_at IS NOT NULL"),
        ("thread", ["service_id", "audience", "thread_key"], f"{_OPEN} AND thread_key IS NOT NULL"),
    ):
        is_open = sa.text(where)
        op.create_index(
            f"ix_screen_terms_{name}", "screen_terms", columns, postgresql_where=is_open, sqlite_where=is_open
        )
