"""Statements that are run by themselves, again and again: put into the words of a dialect once."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Dialect, Select, Text, TextClause, bindparam, cast, func, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeDecorator, TypeEngine

from postroom.kit.database.types import Id

Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A statement in the words of its dialect, and what makes of its values and rows what the driver has."""

    text: str
    places: Sequence[tuple[str, Convert | None]]
    """Each place's name, and how what it holds is converted."""
    fixed: dict[str, Any]
    """What the statement itself says; all other places have to be named."""
    converts: Sequence[Convert | None] = ()

    def values(self, named: dict[str, Any]) -> list[Any]:
        """KeyError where one is missing."""
        given = self.fixed | named
        return [given[name] if convert is None else convert(given[name]) for name, convert in self.places]

    def rows(self, found: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
        """What they mean. Column by column: most of many columns are empty, or as they are."""
        if not any(self.converts):
            return found
        rows = [*map(list, found)]
        for place, convert in enumerate(self.converts):
            if convert is not None:
                for row in rows:
                    if row[place] is not None:
                        row[place] = convert(row[place])
        return rows


class Statement:
    """A statement whose values are named, for `Database.run`; as a `clause` it is part of a transaction.

    None of them may be a list that SQLAlchemy has to write out.
    """

    def __init__(self, clause: Select[Any] | TextClause) -> None:
        self.clause = clause
        self._compiled: dict[str, Compiled] = {}

    def compiled(self, dialect: Dialect) -> Compiled:
        known = self._compiled.get(dialect.name)
        if known is None:
            known = self._compiled[dialect.name] = _compile(self.clause, dialect)
        return known


def one_of(column: ColumnElement[str], dialect: str) -> ColumnElement[bool]:
    """That an id is one of `ids`: one statement for any number of them, which is prepared once."""
    ids = bindparam("ids", type_=_Ids)
    if dialect == "postgresql":
        return column == func.any(cast(func.string_to_array(ids, ","), postgresql.ARRAY(Id)))
    return column.in_(select(func.json_each(ids).table_valued("value").c.value))


class _Ids(TypeDecorator[Sequence[str]]):
    """Ids as one text: of a list PostgreSQL's driver asks each element what it is."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Sequence[str] | None, dialect: Dialect) -> str | None:
        if value is None or dialect.name == "postgresql":
            return value if value is None else ",".join(value)
        return json.dumps([each.replace("-", "") for each in value])


def _compile(clause: Select[Any] | TextClause, dialect: Dialect) -> Compiled:
    compiled = clause.compile(dialect=dialect)
    binds = {name: bind for bind, name in compiled.bind_names.items()}
    places = [(name, _bound(binds[name].type, dialect)) for name in compiled.positiontup or ()]
    fixed = {name: bind.effective_value for name, bind in binds.items() if not bind.required}
    converts: list[Convert | None] = []
    if isinstance(clause, Select) and dialect.name == "sqlite":
        converts = [_found(column.type, dialect) for column in clause.selected_columns]
    return Compiled(compiled.string, places, fixed, converts)


def _bound(kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _found(kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    """PostgreSQL's own connections need none: what they give is what is kept (direct.py)."""
    return kind.dialect_impl(dialect).result_processor(dialect, None)
