"""Writes that go to the database together: one statement on PostgreSQL, one turn of the driver's on SQLite.

What an accepted request writes stands in five tables. Sent one by one, each statement costs a round trip, and
on SQLite three turns of the driver's thread (bench/accept.py).
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from postroom.kit.database.asynchronous import AsyncConnection

_PLACE = re.compile(r"\$(\d+)")
_DIVISION_BY_ZERO, _DEADLOCK = "22012", "40P01"


class Outdated(Exception):
    """What was to be changed is not as it was known; nothing of the batch was written."""


class Write(NamedTuple):
    """A statement, in the words of its dialect, and its values. On PostgreSQL each value may be an array.

    `rows` is how many it must change for any of the batch to be written; None where that does not matter.
    """

    statement: str
    values: Sequence[Any]
    rows: int | None = None


class Batch:
    """Statements of which none needs an answer, nor what another of them writes.

    Those whose rows are counted take their locks in the order in which they were added, then the others.
    """

    def __init__(self, dialect: str) -> None:
        self.dialect = dialect
        self._writes: list[Write] = []
        self._afterwards: list[Callable[[], None]] = []

    def __bool__(self) -> bool:
        return bool(self._writes)

    def add(self, statement: str, values: Sequence[Any], *, rows: int | None = None) -> None:
        """Run a statement; where it does not change so many `rows`, the writing raises Outdated."""
        self._writes.append(Write(statement, values, rows))

    def add_each(self, statement: str, rows: Iterable[Sequence[Any]], *, must_change: bool = False) -> None:
        """Run a statement of SQLite for each row, in their order."""
        self._writes += [Write(statement, row, 1 if must_change else None) for row in rows]

    def append(self, other: "Batch") -> None:
        """Write all of another batch too, after what is here."""
        self._writes += other._writes
        self._afterwards += other._afterwards

    def once_written(self, callback: Callable[[], None]) -> None:
        """Have something done after the commit of `Database.write`."""
        self._afterwards.append(callback)

    def say_that_it_is_written(self) -> None:
        for callback in self._afterwards:
            callback()

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
        statements = tuple([(each.statement, each.rows is not None) for each in self._writes])
        values = [value for each in self._writes for value in each.values]
        counts = [each.rows for each in self._writes if each.rows is not None]
        return _combined(statements), (*values, *counts)

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
        for statement, values, rows in self._writes:
            changed = connection.execute(statement, values).rowcount
            if rows is not None and changed != rows:
                raise Outdated


def is_outdated(sqlstate: str) -> bool:
    """Whether this is how a combined statement says that not all rows were changed that had to be.

    Or that another waited for it while it waited for that other: then that one has changed some of them.
    """
    return sqlstate in (_DIVISION_BY_ZERO, _DEADLOCK)


_known: dict[tuple[tuple[str, bool], ...], str] = {}


def _combined(statements: tuple[tuple[str, bool], ...]) -> str:
    """One statement of several, each with whether its rows are counted, by numbers that come last.

    What writes becomes a part of it, what only selects its result. A part that changes another number of rows
    than it must makes the result, and with it the whole, fail. There are few combinations, of our own
    statements: each is put together once.
    """
    combined = _known.get(statements)
    if combined is None:
        parts, selects, counted, used = [], [], [], 0
        for number, (statement, is_counted) in enumerate(statements):
            moved, places = _moved(statement, used)
            used += places
            if moved.lstrip().startswith("SELECT"):
                selects.append(f"({moved})")
                continue
            parts.append(f"part_{number} AS ({moved}{' RETURNING 1' if is_counted else ''})")
            counted += [number] if is_counted else []
        selects += [
            f"1 / ((SELECT count(*) FROM part_{number}) = ${place})::int"  # noqa: S608 - our own names
            for place, number in enumerate(counted, start=used + 1)
        ]
        combined = f"WITH {', '.join(parts)} SELECT {', '.join(selects) or '1'}"
        _known[statements] = combined
    return combined


def _moved(statement: str, by: int) -> tuple[str, int]:
    """The statement with its places moved behind `by` others, and how many it has."""
    places = max((int(place) for place in _PLACE.findall(statement)), default=0)
    return _PLACE.sub(lambda place: f"${int(place[1]) + by}", statement), places
