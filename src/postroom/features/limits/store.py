"""The tables of limits: the provider's buckets, and what went to whom within the hour."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    Row,
    SmallInteger,
    Table,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.features.limits.bucket import COLUMNS
from postroom.kit.database import BulkInsert, BulkUpdate, Id, Instant, metadata

provider_buckets = Table(
    "provider_buckets",
    metadata,
    # The account: a digest of the provider's address, its service and the key's type.
    Column("id", LargeBinary, primary_key=True),
    Column("tokens", Float, nullable=False),
    Column("refilled_at", Instant, nullable=False),
    # Up to when tokens are promised to what waits, in each lane; and those of the day after.
    Column("single_until", Instant, nullable=False),
    Column("bulk_until", Instant, nullable=False),
    Column("tomorrow_single_until", Instant, nullable=False),
    Column("tomorrow_bulk_until", Instant, nullable=False),
    # Days since 1970 in UTC, and what was sent in it.
    Column("day", Integer, nullable=False),
    Column("emails", Integer, nullable=False),
    Column("texts", Integer, nullable=False),
    Column("international_texts", Integer, nullable=False),
    Column("letters", Integer, nullable=False),
    # A bit for each of these that the provider takes no more of in this day.
    Column("closed", SmallInteger, nullable=False),
)

recent_sends = Table(
    "recent_sends",
    metadata,
    Column("delivery_id", Id, primary_key=True),
    Column("recipient", LargeBinary, nullable=False),
    Column("content", LargeBinary),
    Column("template_id", Id, nullable=False),
    Column("is_text", Boolean, nullable=False),
    Column("at", Instant, nullable=False),
)
Index("ix_recent_sends_recipient_at", recent_sends.c.recipient, recent_sends.c.at)

# A service's tokens for calling us, shared by the processes of the API.
caller_buckets = Table(
    "caller_buckets",
    metadata,
    Column("id", Id, primary_key=True),
    Column("tokens", Float, nullable=False),
    Column("refilled_at", Instant, nullable=False),
)

save_buckets = BulkUpdate(provider_buckets, COLUMNS).run
insert_sends = BulkInsert(recent_sends, on_conflict="(delivery_id) DO UPDATE SET at = excluded.at").run

_LOCK_RECIPIENTS = text(
    "SELECT pg_advisory_xact_lock(key) FROM (SELECT unnest(CAST(:keys AS bigint[])) AS key) AS keys"
)


async def lock_buckets(conn: AsyncConnection, accounts: Iterable[bytes]) -> list[Row[Any]]:
    """The buckets there are, locked until the transaction ends, in one order for all lockers."""
    statement = (
        select(provider_buckets)
        .where(provider_buckets.c.id.in_(sorted(accounts)))
        .order_by(provider_buckets.c.id)
        .with_for_update()
    )
    return list(await conn.execute(statement))


async def insert_buckets(conn: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
    """Insert buckets that nobody else was faster to insert."""
    insert = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    await conn.execute(insert(provider_buckets).on_conflict_do_nothing(), list(rows))


async def lock_recipients(conn: AsyncConnection, recipients: Iterable[bytes]) -> None:
    """Nobody else counts what goes to them until the transaction ends. On SQLite nobody else writes."""
    if conn.dialect.name == "postgresql":
        keys = sorted({int.from_bytes(each[:8], signed=True) for each in recipients})
        await conn.execute(_LOCK_RECIPIENTS, {"keys": keys})


async def sends_to(
    conn: AsyncConnection, recipients: Iterable[bytes], *, after: datetime
) -> Sequence[Row[Any]]:
    statement = select(recent_sends).where(
        recent_sends.c.recipient.in_(list(recipients)), recent_sends.c.at > after
    )
    return list(await conn.execute(statement))


async def delete_sends(conn: AsyncConnection, *, before: datetime) -> None:
    await conn.execute(recent_sends.delete().where(recent_sends.c.at <= before))
