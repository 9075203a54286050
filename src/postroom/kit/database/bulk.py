"""Writing many rows at once, by hand for each dialect: the statements of every accepted request and step.

Through SQLAlchemy's own insert these rows cost twice as much (bench/accept.py): it looks at each value of
each row. Here each column's conversion is decided once.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import chain
from typing import Any

from sqlalchemy import Column, Table, Uuid
from sqlalchemy.dialects import postgresql

from postroom.kit.database.asynchronous import AsyncConnection
from postroom.kit.database.batch import Batch
from postroom.kit.database.types import Instant, to_microseconds

_LARGEST_POWER = 6
"""64 rows a statement: 24 columns of these are far below the number of values that SQLite takes."""

Convert = Callable[[Any], Any]


class BulkInsert:
    """Inserts rows into one table. Columns that a row does not name are null.

    `on_conflict` is what SQL says there of a row that is there already, as in `(id) DO NOTHING`; `without`
    names the columns that the database fills, and `always` gives what each row has in a column, in SQL.
    """

    def __init__(
        self,
        table: Table,
        *,
        on_conflict: str | None = None,
        without: Collection[str] = (),
        always: Mapping[str, str | int] | None = None,
    ) -> None:
        self._always = {name: _literal(value) for name, value in (always or {}).items()}
        columns = [each for each in table.columns if each.name not in {*without, *self._always}]
        self._names = tuple(column.name for column in columns)
        self._into = f"INSERT INTO {table.name} ({', '.join((*self._names, *self._always))})"
        self._sqlite: dict[int, str] = {}
        self._sqlite_converts = tuple(_for_sqlite(column) for column in columns)
        self._otherwise = "" if on_conflict is None else f" ON CONFLICT {on_conflict}"
        self._joined = tuple(_is_joined(column) for column in columns)
        self._postgres = f"{self._into} {_postgres_rows(columns, self._always.values())}{self._otherwise}"

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
            batch.add(self._postgres, [*self._for_postgres(rows)])
            return
        start = 0
        for size in _powers_of_two(len(rows)):
            batch.add(self._sqlite_statement(size), self._for_sqlite(rows[start : start + size]))
            start += size

    def _for_postgres(self, rows: Sequence[Mapping[str, Any]]) -> Iterator[Any]:
        for name, is_joined in zip(self._names, self._joined, strict=True):
            if is_joined:
                yield ",".join([row[name] for row in rows])
            else:
                yield [row.get(name) for row in rows]

    def _for_sqlite(self, rows: Sequence[Mapping[str, Any]]) -> tuple[Any, ...]:
        """The values of all the rows, one after the other. By columns they are made sooner."""
        columns = [
            _converted(convert, [row.get(name) for row in rows])
            for convert, name in zip(self._sqlite_converts, self._names, strict=True)
        ]
        return tuple(chain.from_iterable(zip(*columns, strict=True)))

    def _sqlite_statement(self, size: int) -> str:
        """One statement for so many rows: the driver takes Python's lock once for each that it runs."""
        statement = self._sqlite.get(size)
        if statement is None:
            row = f"({', '.join([*('?' for _ in self._names), *self._always.values()])})"
            statement = f"{self._into} VALUES {', '.join([row] * size)}{self._otherwise}"
            self._sqlite[size] = statement
        return statement


class SpreadInsert:
    """Inserts rows into one table that differ in nothing but some ids: thousands for little more than theirs.

    `ids` names the columns of the ids, `same` those that all the rows share; columns named by neither are as
    the database fills them. `on_conflict` is as for BulkInsert.
    """

    def __init__(
        self, table: Table, *, ids: Sequence[str], same: Sequence[str], on_conflict: str | None = None
    ) -> None:
        self._same = tuple(same)
        columns = [table.columns[name] for name in same]
        self._sqlite_converts = tuple(map(_for_sqlite, columns))
        into = f"INSERT INTO {table.name} ({', '.join((*ids, *same))})"
        otherwise = "" if on_conflict is None else f" ON CONFLICT {on_conflict}"
        shared = [_postgres_value(column, place) for place, column in enumerate(columns, start=len(ids) + 1)]
        arrays = [f"string_to_array(${place}, ',')::uuid[]" for place in range(1, len(ids) + 1)]
        selected = ", ".join(["each.*", *shared])
        self._postgres = f"{into} SELECT {selected} FROM unnest({', '.join(arrays)}) AS each{otherwise}"  # noqa: S608 - our own names
        each = [f"replace(json_extract(value, '$[{place}]'), '-', '')" for place in range(len(ids))]
        selected = ", ".join([*each, *(f"?{place}" for place in range(2, len(columns) + 2))])
        # Without a condition SQLite would read ON CONFLICT as one of a join.
        self._sqlite = f"{into} SELECT {selected} FROM json_each(?1) WHERE true{otherwise}"  # noqa: S608 - as above

    async def run(self, conn: AsyncConnection, ids: Sequence[Sequence[str]], **same: Any) -> None:
        """Insert the rows, in the caller's transaction. `ids` are the columns of ids, all of one length."""
        batch = Batch(conn.dialect.name)
        values = [same[name] for name in self._same]
        if batch.dialect == "postgresql":
            batch.add(self._postgres, [*map(",".join, ids), *values])
        else:
            rows = json.dumps(list(zip(*ids, strict=True)))
            converted = map(_converted_alone, self._sqlite_converts, values)
            batch.add(self._sqlite, [rows, *converted])
        if ids and ids[0]:
            await batch.run(conn)


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
        self._postgres_at_once = _update_at_once(table, columns, only)
        self._in_sqlite = _SqliteChange(table, tuple(columns), only=only)

    async def run(self, conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Change the rows, in the caller's transaction. Every one names every column."""
        if not rows:
            return
        if conn.dialect.name == "postgresql":
            await conn.exec_driver_sql(self._postgres, [self._values(row) for row in rows])
        else:
            await conn.exec_driver_sql(self._sqlite, [self._for_sqlite(row) for row in rows])

    def add(self, batch: Batch, rows: Sequence[Mapping[str, Any]]) -> None:
        """Change the rows with the batch, each of them once."""
        if not rows:
            return
        if batch.dialect == "postgresql":
            ids = ",".join([row["id"] for row in rows])
            batch.add(
                self._postgres_at_once, [*([row[name] for row in rows] for name in self._names[:-1]), ids]
            )
        else:
            self._in_sqlite.add(batch, [[row[name] for row in rows] for name in self._names])

    def _values(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple([row[name] for name in self._names])

    def _for_sqlite(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(map(_converted_alone, self._sqlite_converts, self._values(row)))


class BulkSwap:
    """Sets columns of many rows of a table, by their `id`, where each still has the `known` values it had.

    Where any row of them has another by now, nothing of the batch is written. Only those columns are written
    in which any of the rows differs: each costs both sides as much as its values.
    """

    def __init__(self, table: Table, columns: Sequence[str], *, known: Sequence[str]) -> None:
        self._table = table
        self._columns = tuple(columns)
        self._known = tuple(known)
        self._statements: dict[tuple[str, ...], str] = {}
        self._in_sqlite: dict[tuple[str, ...], _SqliteChange] = {}

    def add(self, batch: Batch, moves: Sequence[tuple[Any, Any]]) -> None:
        """Change rows with the batch, each of them once: from what it was to what it is to be.

        Both have the columns as attributes.
        """
        names = tuple(
            [name for name in self._columns if any(getattr(a, name) != getattr(b, name) for a, b in moves)]
        )
        if not names:
            return
        new = [[getattr(after, name) for _, after in moves] for name in names]
        known = [[getattr(before, name) for before, _ in moves] for name in self._known]
        ids = [before.id for before, _ in moves]
        # There are few combinations of columns that change together: for each a statement is made once.
        if batch.dialect == "postgresql":
            if names not in self._statements:
                self._statements[names] = _swap_at_once(self._table, names, self._known)
            batch.add(self._statements[names], [*new, *known, ",".join(ids)], rows=len(moves))
        else:
            if names not in self._in_sqlite:
                self._in_sqlite[names] = _SqliteChange(self._table, names, known=self._known)
            self._in_sqlite[names].add(batch, [*new, ids, *known], must_change=True)


class _SqliteChange:
    """Changes columns of many rows in SQLite, each row once, where each still has its `known` values.

    Several in one statement: for each that it runs the driver's thread takes Python's lock once, and the loop
    has it most of the time.
    """

    def __init__(
        self, table: Table, columns: tuple[str, ...], *, known: tuple[str, ...] = (), only: str = "true"
    ) -> None:
        named = (*columns, "id", *known)
        self._converts = [_for_sqlite(table.columns[name]) for name in named]
        places = {name: f"fresh.column{place}" for place, name in enumerate(columns, start=1)}
        changes = ", ".join(f"{name} = {place}" for name, place in places.items())
        still = "".join(
            f" AND {table.name}.{name} IS fresh.column{place}"
            for place, name in enumerate(known, start=len(columns) + 2)
        )
        self._row = f"({', '.join('?' * len(named))})"
        self._change = f"UPDATE {table.name} SET {changes} FROM (VALUES "  # noqa: S608 - our own names
        self._where = f") AS fresh WHERE {table.name}.id = fresh.column{len(columns) + 1}{still} AND {only}"
        self._statements: dict[int, str] = {}

    def add(self, batch: Batch, columns: Sequence[list[Any]], *, must_change: bool = False) -> None:
        """With the batch. The values come by columns: the new ones, the ids, the known ones."""
        rows = [*zip(*map(_converted, self._converts, columns), strict=True)]
        start = 0
        for size in _powers_of_two(len(rows)):
            values = tuple(chain.from_iterable(rows[start : start + size]))
            batch.add(self._statement(size), values, rows=size if must_change else None)
            start += size

    def _statement(self, size: int) -> str:
        statement = self._statements.get(size)
        if statement is None:
            statement = f"{self._change}{', '.join([self._row] * size)}{self._where}"
            self._statements[size] = statement
        return statement


def _swap_at_once(table: Table, columns: Sequence[str], known: Sequence[str]) -> str:
    """The rows are locked in the order of their ids, as all lock them: no two wait for each other."""
    kinds = [table.columns[name] for name in (*columns, *known, "id")]
    arrays = ", ".join(_postgres_array(kind, place) for place, kind in enumerate(kinds, start=1))
    names = ", ".join([*(f"new_{name}" for name in columns), *(f"known_{name}" for name in known), "new_id"])
    changes = ", ".join(f"{name} = new_{name}" for name in columns)
    still = "".join(f" AND held.{name} IS NOT DISTINCT FROM known_{name}" for name in known)
    return (
        f"UPDATE {table.name} SET {changes} FROM ("  # noqa: S608 - our own names
        f"SELECT each.* FROM unnest({arrays}) AS each ({names})"
        f" JOIN {table.name} AS held ON held.id = new_id{still} ORDER BY new_id FOR UPDATE OF held"
        f") AS fresh WHERE {table.name}.id = new_id"
    )


def _update(table: Table, columns: Sequence[str], only: str, *, places: Sequence[str]) -> str:
    *values, key = places
    changes = ", ".join(f"{name} = {place}" for name, place in zip(columns, values, strict=True))
    return f"UPDATE {table.name} SET {changes} WHERE id = {key} AND {only}"  # noqa: S608 - our own names


def _update_at_once(table: Table, columns: Sequence[str], only: str) -> str:
    """Any number of rows in one statement. Their new values have names that no condition means."""
    arrays = ", ".join(
        _postgres_array(table.columns[name], place) for place, name in enumerate((*columns, "id"), start=1)
    )
    names = ", ".join([*(f"new_{name}" for name in columns), "new_id"])
    changes = ", ".join(f"{name} = new_{name}" for name in columns)
    return (
        f"UPDATE {table.name} SET {changes} FROM unnest({arrays}) AS each ({names})"  # noqa: S608 - our own names
        f" WHERE {table.name}.id = new_id AND {only}"
    )


def _powers_of_two(number: int) -> list[int]:
    """The powers of two that add up to the number, the largest first: few statements, each used often."""
    powers = [1 << bit for bit in range(_LARGEST_POWER + 1) if number & (1 << bit)]
    return [1 << _LARGEST_POWER] * (number >> (_LARGEST_POWER + 1) << 1) + powers[::-1]


def _literal(value: str | int) -> str:
    return str(value) if isinstance(value, int) else f"'{value}'"


def _postgres_rows(columns: Sequence[Column[Any]], always: Collection[str]) -> str:
    """Any number of rows, of which each column comes as an array."""
    arrays = ", ".join(_postgres_array(column, place) for place, column in enumerate(columns, start=1))
    return f"SELECT {', '.join(['each.*', *always])} FROM unnest({arrays}) AS each"  # noqa: S608 - as above


def _postgres_array(column: Column[Any], place: int) -> str:
    if _is_joined(column):
        return f"string_to_array(${place}, ',')::uuid[]"
    return f"{_postgres_value(column, place)}[]"


def _postgres_value(column: Column[Any], place: int) -> str:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    return f"${place}::{column.type.compile(dialect=dialect)}"


def _is_joined(column: Column[Any]) -> bool:
    """Ids go as one text: of an array the driver asks each element what it is, at ten times the cost."""
    return isinstance(column.type, Uuid) and not column.nullable


def _for_sqlite(column: Column[Any]) -> Convert | None:
    if isinstance(column.type, Uuid):
        return _hexadecimal
    if isinstance(column.type, Instant):
        return _microseconds
    return None


def _converted(convert: Convert | None, values: list[Any]) -> list[Any]:
    if convert is None:
        return values
    return [None if value is None else convert(value) for value in values]


def _converted_alone(convert: Convert | None, value: Any) -> Any:
    return value if convert is None or value is None else convert(value)


def _hexadecimal(value: str) -> str:
    return value.replace("-", "")


@lru_cache(maxsize=64)
def _microseconds(value: datetime) -> int:
    return to_microseconds(value)
