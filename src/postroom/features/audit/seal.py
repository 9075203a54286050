"""Chaining what was appended: batch by batch, by one process at a time, after the commit.

What is not sealed yet is known by an index that holds nothing else, not by the order of ids: those are drawn
before a commit, and what commits late is sealed with the next batch.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, select, update

from postroom.features.audit.chain import BEGINNING, content_of, digest_of, head_of, pack, seal_hash
from postroom.features.audit.store import audit_entries, audit_seals
from postroom.kit.crypto import Vault
from postroom.kit.database import AsyncConnection, Database, one_of, take_turn

AT_ONCE = 500
"""So many are sealed in one transaction: some milliseconds of work."""

_TURN = 7_205_759_403_795
_UNSEALED = (
    select(*(column for column in audit_entries.c if column.name not in ("personal", "actor_index")))
    .where(audit_entries.c.seal.is_(None))
    .order_by(audit_entries.c.id)
    .limit(bindparam("most"))
)
_MARK = {
    dialect: update(audit_entries).where(one_of(audit_entries.c.id, dialect))
    for dialect in ("postgresql", "sqlite")
}


async def seal_entries(database: Database, *, vault: Vault, now: datetime) -> int:
    """Seal all that is there; how many entries. 0 where another process is just doing it."""
    sealed = 0
    while some := await _seal_some(database, vault, now):
        sealed += some
        if some < AT_ONCE:
            break
    return sealed


async def _seal_some(database: Database, vault: Vault, now: datetime) -> int:
    async with database.reading() as conn:
        if (
            await conn.scalar(select(audit_entries.c.id).where(audit_entries.c.seal.is_(None)).limit(1))
            is None
        ):
            return 0
    async with database.transaction() as conn:
        if not await take_turn(conn, _TURN):
            return 0
        rows = (await conn.execute(_UNSEALED, {"most": AT_ONCE})).all()
        if rows:
            await _seal(conn, rows, vault, now)
    return len(rows)


async def _seal(conn: AsyncConnection, rows: "list[Row[Any]] | Any", vault: Vault, now: datetime) -> None:
    last = (await conn.execute(_last_seal())).first()
    number, before = (1, BEGINNING) if last is None else (last.number + 1, bytes(last.hash))
    packed = pack((row.id, digest_of(row.id, content_of(row))) for row in rows)
    hashed = seal_hash(number=number, sealed_at=now, packed=packed, before=before)
    await conn.execute(
        audit_seals.insert(),
        [
            {
                "number": number,
                "sealed_at": now,
                "entries": len(rows),
                "digests": packed,
                "hash": hashed,
                "mac": mac_of(vault, number, hashed),
            }
        ],
    )
    marking = _MARK[conn.dialect.name].values(seal=number)
    await conn.execute(marking, {"ids": [row.id for row in rows]})


def mac_of(vault: Vault, number: int, hashed: bytes) -> bytes:
    """What only the holder of our secret can make of a seal."""
    return vault.digest(f"audit seal {head_of(number, hashed)}")


def _last_seal() -> Any:
    columns = audit_seals.c
    return select(columns.number, columns.hash).order_by(columns.number.desc()).limit(1)
