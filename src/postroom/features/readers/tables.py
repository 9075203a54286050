"""The tables of what each reader has done, and of how many notifications that leaves them.

A reader has a row of a notification once they have done something with it: a group may have any number of
members, and what nobody has looked at costs one number for all of them.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
)

from postroom.kit.database import Id, Instant, metadata

reader_states = Table(
    "reader_states",
    metadata,
    Column("notification_id", Id, primary_key=True),
    # Blind index of the reader's e-mail address.
    Column("reader", LargeBinary, primary_key=True),
    Column("read_at", Instant),
    Column("hidden_at", Instant),
    Column("seen_at", Instant),
    Column("archived_at", Instant),
    # Which of them hold, as bits: see domain/reading.py.
    Column("state", SmallInteger, nullable=False, server_default="0"),
)
_archived = reader_states.c.archived_at.is_not(None)
Index(
    "ix_reader_states_archived",
    reader_states.c.reader,
    reader_states.c.notification_id,
    postgresql_where=_archived,
    sqlite_where=_archived,
)


def _of_a_number() -> list[Column[Any]]:
    return [
        Column("audience", LargeBinary, nullable=False),
        # Empty for all that the audience has, whoever has done something with it.
        Column("reader", LargeBinary, nullable=False),
        Column("state", SmallInteger, nullable=False),
        # Whether it waits for somebody's decision.
        Column("outstanding", Boolean, nullable=False),
        Column("number", BigInteger, nullable=False),
    ]


reader_counts = Table("reader_counts", metadata, *_of_a_number())
Index(
    "ix_reader_counts_key",
    reader_counts.c.audience,
    reader_counts.c.reader,
    reader_counts.c.state,
    reader_counts.c.outstanding,
    unique=True,
)

reader_deltas = Table(
    "reader_deltas",
    metadata,
    Column("drawn", BigInteger().with_variant(Integer, "sqlite"), Identity(), primary_key=True),
    *_of_a_number(),
    sqlite_autoincrement=True,
)
"""What is to be added to the counts. Rows are only put here: no two writers wait for one number."""
Index("ix_reader_deltas_key", reader_deltas.c.audience, reader_deltas.c.reader)

NOBODY = b""
"""Stands for the reader where a number is of all that an audience has."""
