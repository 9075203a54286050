"""The tables of limits: the provider's buckets, and what went to whom within the hour."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Integer,
    LargeBinary,
    Row,
    SmallInteger,
    Table,
    Text,
    bindparam,
    func,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from postroom.features.limits.bucket import COLUMNS
from postroom.kit.database import AsyncConnection, Batch, BulkUpdate, Id, Instant, metadata
from postroom.kit.database.types import to_microseconds

provider_buckets = Table(
    "provider_buckets",
    metadata,
    # The account, a digest of the provider's address, its service and the key's type; of large ones a part.
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
    Column("version", BigInteger, nullable=False),
)

recent_sends = Table(
    "recent_sends",
    metadata,
    # Which of an hour's lists it is: see hour.py. Nobody can be found by it.
    Column("id", LargeBinary, primary_key=True),
    # Its entries, one after the other.
    Column("sends", Text, nullable=False),
    Column("last_at", Instant, nullable=False),
)

# A service's tokens for calling us, shared by the processes of the API.
caller_buckets = Table(
    "caller_buckets",
    metadata,
    Column("id", Id, primary_key=True),
    Column("tokens", Float, nullable=False),
    Column("refilled_at", Instant, nullable=False),
)

save_buckets = BulkUpdate(provider_buckets, COLUMNS).run
rewrite_lists = BulkUpdate(recent_sends, ("sends",)).run

_SWAP = (
    f"UPDATE provider_buckets SET {', '.join(f'{name} = ?' for name in COLUMNS)} "  # noqa: S608 - our own names
    "WHERE id = ? AND version = ?"
)
_APPEND = (
    "INSERT INTO recent_sends (id, sends, last_at) {rows} "
    "ON CONFLICT (id) DO UPDATE SET sends = recent_sends.sends || excluded.sends, last_at = excluded.last_at "
    "RETURNING id, sends"
)
_SWAP_LISTS = (
    "INSERT INTO recent_sends (id, sends, last_at) {row} "
    "ON CONFLICT (id) DO UPDATE SET sends = excluded.sends, last_at = excluded.last_at "
    "WHERE recent_sends.sends = {known}"
)
_SWAP_LIST = _SWAP_LISTS.format(row="VALUES (?1, ?2, ?3)", known="?4")
# An insert's condition sees no other column of what it was made from: each row's own is looked up.
_SWAP_LISTS_ON_POSTGRES = _SWAP_LISTS.format(
    row="SELECT id, sends, $4::timestamptz FROM unnest($1::bytea[], $2::text[]) AS fresh (id, sends)",
    known="($3::text[])[array_position($1::bytea[], recent_sends.id)]",
)
_LISTS = {
    "postgresql": select(recent_sends.c.id, recent_sends.c.sends).where(
        recent_sends.c.id == func.any(bindparam("ids", type_=postgresql.ARRAY(LargeBinary)))
    ),
    "sqlite": select(recent_sends.c.id, recent_sends.c.sends).where(
        recent_sends.c.id.in_(bindparam("ids", expanding=True))
    ),
}
_APPEND_ON_POSTGRES = _APPEND.format(
    rows="SELECT id, sends, $3::timestamptz FROM unnest($1::bytea[], $2::text[]) AS fresh (id, sends)"
)


async def lock_buckets(conn: AsyncConnection, bucket_ids: Iterable[bytes]) -> list[Row[Any]]:
    """The buckets there are, locked until the transaction ends, in one order for all lockers."""
    statement = (
        select(provider_buckets)
        .where(provider_buckets.c.id.in_(sorted(bucket_ids)))
        .order_by(provider_buckets.c.id)
        .with_for_update()
    )
    return list(await conn.execute(statement))


async def insert_buckets(conn: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
    """Insert buckets that nobody else was faster to insert."""
    insert = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    await conn.execute(insert(provider_buckets).on_conflict_do_nothing(), list(rows))


async def swap_bucket(conn: AsyncConnection, row: Mapping[str, Any], *, version: int) -> bool:
    """Write a bucket where it is still of that version; whether it was."""
    return bool((await conn.exec_driver_sql(*_swap(conn.dialect.name, row, version))).rowcount)


def add_swap(batch: Batch, row: Mapping[str, Any], *, version: int) -> None:
    """Write a bucket with the batch, all of which fails where it is not of that version."""
    batch.add(*_swap(batch.dialect, row, version), rows=1)


def _swap(dialect: str, row: Mapping[str, Any], version: int) -> tuple[str, tuple[Any, ...]]:
    values = (*(row[name] for name in COLUMNS), row["id"], version)
    if dialect == "postgresql":
        return _numbered(_SWAP), values
    return _SWAP, tuple(to_microseconds(value) if isinstance(value, datetime) else value for value in values)


async def append_to_lists(
    conn: AsyncConnection, added: Mapping[bytes, str], *, at: datetime
) -> Sequence[Row[Any]]:
    """Add to lists, which are locked until the transaction ends; all that stands in each now.

    In one order for all, so that no two transactions wait for each other.
    """
    list_ids = sorted(added)
    if conn.dialect.name == "postgresql":
        columns = (list_ids, [added[list_id] for list_id in list_ids], at)
        return (await conn.exec_driver_sql(_APPEND_ON_POSTGRES, columns)).all()
    moment = to_microseconds(at)
    values = [value for list_id in list_ids for value in (list_id, added[list_id], moment)]
    return (await conn.exec_driver_sql(_append_on_sqlite(len(list_ids)), tuple(values))).all()


async def read_lists(conn: AsyncConnection, list_ids: Iterable[bytes]) -> dict[bytes, str]:
    """What stands in the lists, of those that there are."""
    statement = _LISTS[conn.dialect.name]
    return {row.id: row.sends for row in await conn.execute(statement, {"ids": list(list_ids)})}


def add_list_swaps(batch: Batch, swaps: Mapping[bytes, tuple[str, str]], *, at: datetime) -> None:
    """With the batch, give lists another text where each still has the first of the two; "" is none yet."""
    if not swaps:
        return
    if batch.dialect == "postgresql":
        known, sends = zip(*swaps.values(), strict=True)
        batch.add(_SWAP_LISTS_ON_POSTGRES, ([*swaps], [*sends], [*known], at), rows=len(swaps))
        return
    moment = to_microseconds(at)
    rows = [(list_id, sends, moment, known) for list_id, (known, sends) in swaps.items()]
    batch.add_each(_SWAP_LIST, rows, must_change=True)


async def delete_lists(conn: AsyncConnection, *, before: datetime) -> None:
    """Give up the lists to which nothing was added since."""
    await conn.execute(recent_sends.delete().where(recent_sends.c.last_at <= before))


async def lock_caller_bucket(
    conn: AsyncConnection, service_id: str, *, tokens: float, now: datetime
) -> Row[Any]:
    """A service's tokens, locked until the transaction ends; so many where they were never counted."""
    wanted = select(caller_buckets).where(caller_buckets.c.id == service_id).with_for_update()
    found = (await conn.execute(wanted)).first()
    if found is None:
        insert = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
        row = {"id": service_id, "tokens": tokens, "refilled_at": now}
        await conn.execute(insert(caller_buckets).on_conflict_do_nothing(), [row])
        found = (await conn.execute(wanted)).one()
    return found


async def save_caller_bucket(
    conn: AsyncConnection, service_id: str, *, tokens: float, refilled_at: datetime
) -> None:
    values = {"tokens": tokens, "refilled_at": refilled_at}
    await conn.execute(caller_buckets.update().where(caller_buckets.c.id == service_id).values(values))


@lru_cache(maxsize=512)
def _append_on_sqlite(number: int) -> str:
    return _APPEND.format(rows="VALUES " + ", ".join(["(?, ?, ?)"] * number))


@lru_cache(maxsize=8)
def _numbered(statement: str) -> str:
    first, *parts = statement.split("?")
    return first + "".join(f"${place}{part}" for place, part in enumerate(parts, start=1))
