"""Inserting many rows at once, by hand for each dialect: the statement of every accepted request.

Through SQLAlchemy's own insert these rows cost twice as much (bench/accept.py): it looks at each value of
each row. Here each column's conversion is decided once.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Dialect, Table, Uuid
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.kit.database.types import Instant, to_microseconds

Convert = Callable[[Any], Any]


class BulkInsert:
    """Inserts rows into one table. Columns that a row does not name are null."""

    def __init__(self, table: Table) -> None:
        self._names = tuple(column.name for column in table.columns)
        self._sqlite = _sqlite_statement(table)
        self._sqlite_converts = tuple(_for_sqlite(column) for column in table.columns)
        self._postgres = _postgres_statement(table)

    async def run(self, conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert the rows, in the caller's transaction."""
        if not rows:
            return
        if conn.dialect.name == "postgresql":
            columns = tuple([row.get(name) for row in rows] for name in self._names)
            await conn.exec_driver_sql(self._postgres, columns)
        else:
            await conn.exec_driver_sql(self._sqlite, [self._for_sqlite(row) for row in rows])

    def _for_sqlite(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        get = row.get
        return tuple(
            value if convert is None or value is None else convert(value)
            for convert, value in zip(self._sqlite_converts, map(get, self._names), strict=True)
        )


def _sqlite_statement(table: Table) -> str:
    names = ", ".join(column.name for column in table.columns)
    places = ", ".join("?" for _ in table.columns)
    return f"INSERT INTO {table.name} ({names}) VALUES ({places})"  # noqa: S608 - names of our own tables


def _postgres_statement(table: Table) -> str:
    """One statement for any number of rows: each column comes as an array."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    names = ", ".join(column.name for column in table.columns)
    arrays = ", ".join(
        f"${place}::{_postgres_type(column, dialect)}[]"
        for place, column in enumerate(table.columns, start=1)
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
