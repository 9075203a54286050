"""What a reader does with thousands of notifications at once."""

import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, bindparam, cast, func, select
from sqlalchemy.dialects import postgresql

from postroom.domain.reading import Reading
from postroom.features.readers.counts import Change, record_changes
from postroom.features.readers.states import COLUMNS, About
from postroom.features.readers.tables import reader_states
from postroom.kit.database import AsyncConnection, Id, SpreadInsert


def _kept(flag: Reading, column: str) -> str:
    """A moment stays as it is while its bit is set, and goes with it."""
    first = f"coalesce(reader_states.{column}, excluded.{column})"
    return f"{column} = CASE WHEN excluded.state & {int(flag)} = 0 THEN NULL ELSE {first} END"


_moments = ", ".join(_kept(flag, column) for flag, column in COLUMNS.items())
_upsert = SpreadInsert(
    reader_states,
    ids=("notification_id",),
    same=("reader", "state", *COLUMNS.values()),
    on_conflict=f"(notification_id, reader) DO UPDATE SET state = excluded.state, {_moments}",
).run


class Step(NamedTuple):
    """What held before, and what holds from now on."""

    before: Reading
    then: Reading


async def change_states(
    conn: AsyncConnection,
    every: Sequence[About],
    *,
    reader: bytes,
    change: Callable[[Reading], Reading],
    now: datetime,
) -> dict[Step, list[About]]:
    """Change the state of each, whose rows are locked by the caller; those that changed, by their steps.

    There are few steps for thousands of notifications: what each means is decided once.
    """
    known = await _states(conn, [about.notification_id for about in every], reader)
    by_state: dict[int, list[About]] = {}
    for about in every:
        by_state.setdefault(known.get(about.notification_id, 0), []).append(about)
    steps = {Step(Reading(state), change(Reading(state))): some for state, some in by_state.items()}
    changed = {step: some for step, some in steps.items() if step.then != step.before}
    for step, some in changed.items():
        moments = {column: now if step.then & flag else None for flag, column in COLUMNS.items()}
        ids = [about.notification_id for about in some]
        await _upsert(conn, [ids], reader=reader, state=int(step.then), **moments)
    await record_changes(conn, _changes(changed, known.keys(), reader))
    return changed


async def read_by_anyone(conn: AsyncConnection, ids: Sequence[str]) -> set[str]:
    """Which of them anybody has read."""
    read = select(reader_states.c.notification_id).where(reader_states.c.read_at.is_not(None))
    return {row.notification_id for row in await _rows_of(conn, read, ids)}


async def _states(conn: AsyncConnection, ids: Sequence[str], reader: bytes) -> dict[str, int]:
    mine = select(reader_states.c.notification_id, reader_states.c.state).where(
        reader_states.c.reader == reader
    )
    return {row.notification_id: row.state for row in await _rows_of(conn, mine, ids)}


async def _rows_of(conn: AsyncConnection, wanted: Select[Any], ids: Sequence[str]) -> list[Row[Any]]:
    """The rows of those notifications. Their ids go as one text, which costs neither driver anything."""
    column = reader_states.c.notification_id
    if conn.dialect.name == "postgresql":
        array = cast(func.string_to_array(bindparam("ids"), ","), postgresql.ARRAY(Id))
        some, joined = wanted.where(column == func.any(array)), ",".join(ids)
    else:
        each = func.json_each(bindparam("ids")).table_valued("value")
        some = wanted.where(column.in_(select(func.replace(each.c.value, "-", ""))))
        joined = json.dumps(ids)
    return list(await conn.execute(some, {"ids": joined}))


def _changes(changed: Mapping[Step, Sequence[About]], known: Collection[str], reader: bytes) -> list[Change]:
    """By how much each number changes, in one order."""
    numbers: Counter[tuple[bytes, int, bool]] = Counter()
    for (before, then), some in changed.items():
        came, went = int(then), int(before)
        for notification_id, audience, outstanding in some:
            numbers[audience, came, outstanding] += 1
            if notification_id in known:
                numbers[audience, went, outstanding] -= 1
    return [
        Change(audience, reader, state, outstanding, number)
        for (audience, state, outstanding), number in sorted(numbers.items())
        if number
    ]
