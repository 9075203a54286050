"""Writes that go to the database together: one statement on PostgreSQL, one turn of the driver's on SQLite.

What an accepted request writes stands in five tables. Sent one by one, each statement costs a round trip, and
on SQLite three turns of the driver's thread (bench/accept.py).
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

Write = tuple[str, Sequence[Any]]
"""A statement, in the words of its dialect, and its values. On PostgreSQL each value may be an array."""

_PLACE = re.compile(r"\$(\d+)")


class Batch:
    """Statements of which none needs an answer, nor what another of them writes."""

    def __init__(self, dialect: str) -> None:
        self.dialect = dialect
        self._writes: list[Write] = []

    def __bool__(self) -> bool:
        return bool(self._writes)

    def add(self, statement: str, values: Sequence[Any]) -> None:
        self._writes.append((statement, values))

    def add_each(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement of SQLite for each row, in their order."""
        self._writes += [(statement, row) for row in rows]

    async def run(self, conn: AsyncConnection) -> None:
        """Write all of it, in the caller's transaction."""
        if not self._writes:
            return
        if self.dialect == "postgresql":
            await conn.exec_driver_sql(*self.as_one())
            return
        # The driver's own way to do something in its thread, as SQLAlchemy's adapter uses it too.
        driver: Any = (await conn.get_raw_connection()).driver_connection
        await driver._execute(self._write, driver._conn)

    def as_one(self) -> tuple[str, tuple[Any, ...]]:
        """All of it as one statement of PostgreSQL, with its values."""
        values = tuple(value for _, each in self._writes for value in each)
        return _combined(tuple(statement for statement, _ in self._writes)), values

    def write_at_once(self, connection: Any) -> None:
        """All of it in a transaction of its own, with a connection of Python's sqlite3."""
        connection.execute("BEGIN IMMEDIATE")
        try:
            self._write(connection)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _write(self, connection: Any) -> None:
        for statement, values in self._writes:
            connection.execute(statement, values)


_known: dict[tuple[str, ...], str] = {}


def _combined(statements: tuple[str, ...]) -> str:
    """One statement of several: what writes becomes a part of it, what only selects its result.

    There are few combinations, of our own statements: each is put together once.
    """
    combined = _known.get(statements)
    if combined is None:
        parts, selects, used = [], [], 0
        for number, statement in enumerate(statements):
            moved, places = _moved(statement, used)
            used += places
            if moved.lstrip().startswith("SELECT"):
                selects.append(f"({moved})")
            else:
                parts.append(f"part_{number} AS ({moved})")
        combined = f"WITH {', '.join(parts)} SELECT {', '.join(selects) or '1'}"
        _known[statements] = combined
    return combined


def _moved(statement: str, by: int) -> tuple[str, int]:
    """The statement with its places moved behind `by` others, and how many it has."""
    places = max((int(place) for place in _PLACE.findall(statement)), default=0)
    return _PLACE.sub(lambda place: f"${int(place[1]) + by}", statement), places
