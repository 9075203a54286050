"""Writing many rows at once, by hand for each dialect: the statements of every accepted request and step.

Through SQLAlchemy's own insert these rows cost twice as much (bench/accept.py): it looks at each value of
each row. Here each column's conversion is decided once.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Dialect, Table, Uuid
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.kit.database.batch import Batch
from postroom.kit.database.types import Instant, to_microseconds

_LARGEST_POWER = 6
"""64 rows a statement: 24 columns of these are far below the number of values that SQLite takes."""

Convert = Callable[[Any], Any]


class BulkInsert:
    """Inserts rows into one table. Columns that a row does not name are null.

    `on_conflict` is what SQL says there of a row that is there already, as in `(id) DO NOTHING`; `without`
    names the columns that the database fills.
    """

    def __init__(
        self, table: Table, *, on_conflict: str | None = None, without: Collection[str] = ()
    ) -> None:
        columns = [column for column in table.columns if column.name not in without]
        self._names = tuple(column.name for column in columns)
        self._table = table.name
        self._sqlite: dict[int, str] = {}
        self._sqlite_converts = tuple(_for_sqlite(column) for column in columns)
        self._otherwise = "" if on_conflict is None else f" ON CONFLICT {on_conflict}"
        self._postgres = _postgres_statement(table, columns) + self._otherwise

    async def run(self, conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert the rows, in the caller's transaction."""
        batch = Batch(conn.dialect.name)
        self.add(batch, rows)
        await batch.run(conn)

    def add(self, batch: Batch, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert the rows with the batch."""
        if not rows:
            return
        if batch.dialect == "postgresql":
            batch.add(self._postgres, [[row.get(name) for row in rows] for name in self._names])
            return
        start = 0
        for size in _powers_of_two(len(rows)):
            batch.add(self._sqlite_statement(size), self._for_sqlite(rows[start : start + size]))
            start += size

    def _for_sqlite(self, rows: Sequence[Mapping[str, Any]]) -> tuple[Any, ...]:
        """The values of all the rows, one after the other."""
        return tuple(
            value if convert is None or value is None else convert(value)
            for row in rows
            for convert, value in zip(self._sqlite_converts, map(row.get, self._names), strict=True)
        )

    def _sqlite_statement(self, size: int) -> str:
        """One statement for so many rows: the driver takes Python's lock once for each that it runs."""
        statement = self._sqlite.get(size)
        if statement is None:
            row = f"({', '.join('?' for _ in self._names)})"
            names, values = ", ".join(self._names), ", ".join([row] * size)
            statement = f"INSERT INTO {self._table} ({names}) VALUES {values}{self._otherwise}"  # noqa: S608
            self._sqlite[size] = statement
        return statement


class BulkUpdate:
    """Sets the same columns of many rows of a table, each found by its `id`, in the order of the rows.

    `only` is a condition in SQL on the rows that are changed. One row at a time: from a list of values, as
    an insert, PostgreSQL takes half as long again.
    """

    def __init__(self, table: Table, columns: Sequence[str], *, only: str = "true") -> None:
        self._names = (*columns, "id")
        self._sqlite_converts = tuple(_for_sqlite(table.columns[name]) for name in self._names)
        self._sqlite = _update(table, columns, only, places=["?"] * len(self._names))
        numbered = [f"${place}" for place in range(1, len(self._names) + 1)]
        self._postgres = _update(table, columns, only, places=numbered)

    async def run(self, conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Change the rows, in the caller's transaction. Every one names every column."""
        if not rows:
            return
        if conn.dialect.name == "postgresql":
            await conn.exec_driver_sql(self._postgres, [self._values(row) for row in rows])
        else:
            await conn.exec_driver_sql(self._sqlite, [self._for_sqlite(row) for row in rows])

    def _values(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple([row[name] for name in self._names])

    def _for_sqlite(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(
            value if convert is None or value is None else convert(value)
            for convert, value in zip(self._sqlite_converts, self._values(row), strict=True)
        )


def _update(table: Table, columns: Sequence[str], only: str, *, places: Sequence[str]) -> str:
    *values, key = places
    changes = ", ".join(f"{name} = {place}" for name, place in zip(columns, values, strict=True))
    return f"UPDATE {table.name} SET {changes} WHERE id = {key} AND {only}"  # noqa: S608 - our own names


def _powers_of_two(number: int) -> list[int]:
    """The powers of two that add up to the number, the largest first: few statements, each used often."""
    powers = [1 << bit for bit in range(_LARGEST_POWER + 1) if number & (1 << bit)]
    return [1 << _LARGEST_POWER] * (number >> (_LARGEST_POWER + 1) << 1) + powers[::-1]


def _postgres_statement(table: Table, columns: Sequence[Column[Any]]) -> str:
    """One statement for any number of rows: each column comes as an array."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    names = ", ".join(column.name for column in columns)
    arrays = ", ".join(
        f"${place}::{_postgres_type(column, dialect)}[]" for place, column in enumerate(columns, start=1)
    )
    return f"INSERT INTO {table.name} ({names}) SELECT * FROM unnest({arrays})"  # noqa: S608 - as above


def _postgres_type(column: Column[Any], dialect: Dialect) -> str:
    return column.type.compile(dialect=dialect)


def _for_sqlite(column: Column[Any]) -> Convert | None:
    if isinstance(column.type, Uuid):
        return _hexadecimal
    if isinstance(column.type, Instant):
        return _microseconds
    return None


def _hexadecimal(value: str) -> str:
    return value.replace("-", "")


def _microseconds(value: datetime) -> int:
    return to_microseconds(value)
