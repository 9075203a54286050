"""Filling tables by the database itself, as the millions want it: one statement makes a range of rows.

What is the same for both databases is written once: `the_id` and `counted` are the dialects' ways to an id
of UUIDv7's form that grows with a number, and to the numbers themselves.
"""

from sqlalchemy import text

from postroom.kit.database import AsyncConnection

CHUNK = 500_000
FIRST_MILLISECOND = 1_760_000_000_000
"""When the first row is said to have come, in October 2025; each comes a millisecond after the one before."""


def the_id(number: str, *, kind: int, postgres: bool) -> str:
    """SQL for the id that belongs to a number. `kind` keeps ids of different tables apart."""
    if postgres:
        stamp = f"lpad(to_hex({FIRST_MILLISECOND} + {number}), 12, '0')"
        return f"({stamp} || '70008' || lpad(to_hex({number}), 14, '0') || '{kind}')::uuid"
    return f"printf('%012x70008%014x{kind}', {FIRST_MILLISECOND} + {number}, {number})"


def id_of(number: int, *, kind: int) -> str:
    """The same id in Python."""
    digits = f"{FIRST_MILLISECOND + number:012x}70008{number:014x}{kind}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def counted(*, postgres: bool) -> str:
    """SQL for the numbers from :first on, below :last, as `counted (i)`."""
    if postgres:
        return "generate_series(CAST(:first AS bigint), CAST(:last AS bigint) - 1) AS counted (i)"
    return (
        "(WITH RECURSIVE each (i) AS (SELECT :first UNION ALL SELECT i + 1 FROM each WHERE i + 1 < :last)"
        " SELECT i FROM each) AS counted"
    )


async def fill(conn: AsyncConnection, statement: str, *, rows: int, **values: object) -> None:
    """Run an `INSERT … SELECT … FROM {counted}` for so many rows, a chunk at a time."""
    for first in range(0, rows, CHUNK):
        await conn.execute(text(statement), {"first": first, "last": min(first + CHUNK, rows), **values})
