"""What changes on people's screens, until it has its place and for a while after."""

import sqlalchemy as sa
from alembic import op

from postroom.kit.database.types import Id, Instant

revision = "0008"
down_revision = "0007"

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "screen_outbox",
        sa.Column("drawn", _NUMBER, sa.Identity(), nullable=False),
        *_of_a_change(),
        sa.PrimaryKeyConstraint("drawn", name="pk_screen_outbox"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "screen_changes",
        sa.Column("position", _NUMBER, nullable=False, autoincrement=True),
        *_of_a_change(),
        sa.PrimaryKeyConstraint("position", name="pk_screen_changes"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_screen_changes_screen", "screen_changes", ["screen", "position"])


def _of_a_change() -> list[sa.Column[object]]:
    return [
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("screen", sa.LargeBinary, nullable=False),
        sa.Column("notification_id", Id),
    ]
