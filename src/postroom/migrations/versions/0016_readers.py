"""What readers have seen and archived, and how many notifications there are for each."""

import sqlalchemy as sa
from alembic import op

from postroom.kit.database.types import Instant

revision = "0016"
down_revision = "0015"

_OUTSTANDING = "require_action AND (action IS NULL OR action = 'Initiated')"
_LIVE = "removed_at IS NULL AND audience IS NOT NULL"
_ARCHIVED = sa.text("archived_at IS NOT NULL")
_WAITS = sa.text(f"{_LIVE} AND {_OUTSTANDING}")


def upgrade() -> None:
    op.add_column("reader_states", sa.Column("seen_at", Instant))
    op.add_column("reader_states", sa.Column("archived_at", Instant))
    op.add_column("reader_states", sa.Column("state", sa.SmallInteger, nullable=False, server_default="0"))
    op.create_index(
        "ix_reader_states_archived",
        "reader_states",
        ["reader", "notification_id"],
        postgresql_where=_ARCHIVED,
        sqlite_where=_ARCHIVED,
    )
    op.create_index(
        "ix_notifications_outstanding",
        "notifications",
        ["audience", "id"],
        postgresql_where=_WAITS,
        sqlite_where=_WAITS,
    )
    op.create_table("reader_counts", *_of_a_number())
    op.create_index(
        "ix_reader_counts_key", "reader_counts", ["audience", "reader", "state", "outstanding"], unique=True
    )
    op.create_table(
        "reader_deltas",
        sa.Column("drawn", sa.BigInteger().with_variant(sa.Integer, "sqlite"), sa.Identity(), nullable=False),
        *_of_a_number(),
        sa.PrimaryKeyConstraint("drawn", name="pk_reader_deltas"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_reader_deltas_key", "reader_deltas", ["audience", "reader"])
    _count_what_is_there()


def _of_a_number() -> list[sa.Column[object]]:
    return [
        sa.Column("audience", sa.LargeBinary, nullable=False),
        sa.Column("reader", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("outstanding", sa.Boolean, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
    ]


def _count_what_is_there() -> None:
    op.execute(
        "UPDATE reader_states SET seen_at = read_at,"
        " state = CASE WHEN read_at IS NULL THEN 0 ELSE 3 END + CASE WHEN hidden_at IS NULL THEN 0 ELSE 8 END"
    )
    into = "INSERT INTO reader_counts (audience, reader, state, outstanding, number)"
    op.get_bind().execute(
        sa.text(
            f"{into} SELECT audience, :nobody, 0, {_OUTSTANDING}, count(*) FROM notifications"  # noqa: S608
            f" WHERE {_LIVE} GROUP BY audience, {_OUTSTANDING}"
        ).bindparams(sa.bindparam("nobody", b"", type_=sa.LargeBinary)),
    )
    op.execute(
        f"{into} SELECT audience, reader, state, {_OUTSTANDING}, count(*) FROM reader_states"  # noqa: S608
        f" JOIN notifications ON notifications.id = reader_states.notification_id"
        f" WHERE {_LIVE} GROUP BY audience, reader, state, {_OUTSTANDING}"
    )
