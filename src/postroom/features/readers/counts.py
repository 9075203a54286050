"""How many notifications there are for a reader, exactly, however many there are.

An audience has one number for all of its members, and a reader has numbers of what they have done something
with: what is left is what they have not looked at. Changes of numbers are recorded as rows of their own, in
the transaction of what they count, and added up later (fold.py): no writer waits for another's number.
Whoever asks adds up both.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Select, cast, func, literal, select, union_all

from postroom.features.readers.tables import NOBODY, reader_counts, reader_deltas, reader_states
from postroom.kit.database import AsyncConnection, Batch, BulkInsert

_deltas = BulkInsert(reader_deltas, without=("drawn",))


class Change(NamedTuple):
    """So many more, or fewer, of an audience's notifications are in that state for that reader."""

    audience: bytes
    reader: bytes
    state: int
    outstanding: bool
    number: int


def add_new(batch: Batch, new: Iterable[tuple[bytes, bool]]) -> None:
    """Count new notifications with the batch, each by its audience and whether it waits for a decision."""
    counted = Counter(new)
    _deltas.add(batch, [_row(Change(*each, number)) for each, number in _changes_of(counted)])


def _changes_of(counted: Counter[tuple[bytes, bool]]) -> Iterable[tuple[tuple[bytes, bytes, int, bool], int]]:
    return (
        ((audience, NOBODY, 0, outstanding), number) for (audience, outstanding), number in counted.items()
    )


async def record_changes(conn: AsyncConnection, changes: Iterable[Change]) -> None:
    """Count the changes, in the caller's transaction."""
    await _deltas.run(conn, [_row(change) for change in changes])


async def count_again(
    conn: AsyncConnection,
    notification_id: str,
    *,
    audience: bytes | None,
    was: bool | None,
    now: bool | None,
) -> None:
    """It waits for a decision or not, as it `was` and is `now`; None for what is on nobody's list.

    It is counted so for all who have done something with it. Its row is locked by whoever says so.
    """
    if audience is None or was is now:
        return
    changes = [
        Change(audience, NOBODY, 0, outstanding, number)
        for outstanding, number in ((was, -1), (now, 1))
        if outstanding is not None
    ]
    await record_changes(conn, changes)
    for each in changes:
        touched = select(
            literal(audience),
            reader_states.c.reader,
            reader_states.c.state,
            literal(each.outstanding),
            literal(each.number, BigInteger),
        ).where(reader_states.c.notification_id == notification_id)
        await conn.execute(reader_deltas.insert().from_select(list(Change._fields), touched))


def _row(change: Change) -> dict[str, Any]:
    return change._asdict()


class Tally:
    """How many an audience has for a reader, by what they have done with them."""

    def __init__(self) -> None:
        self._all: Counter[bool] = Counter()
        self._touched: Counter[tuple[int, bool]] = Counter()

    def add(self, *, is_all: bool, state: int, outstanding: bool, number: int) -> None:
        if is_all:
            self._all[outstanding] += number
        else:
            self._touched[state, outstanding] += number

    def numbers(self) -> Counter[tuple[int, bool]]:
        """By state and whether it is outstanding; what the reader has done nothing with is in state 0."""
        numbers = Counter(self._touched)
        for outstanding in (False, True):
            touched = sum(number for (_, each), number in self._touched.items() if each is outstanding)
            numbers[0, outstanding] += self._all[outstanding] - touched
        return numbers


async def tallies(
    conn: AsyncConnection, audiences: Collection[bytes], *, reader: bytes
) -> dict[bytes, Counter[tuple[int, bool]]]:
    """The numbers of each audience that has any, by state and whether it is outstanding: one statement."""
    found: dict[bytes, Tally] = {}
    for row in await conn.execute(_numbers(sorted(audiences), reader)):
        found.setdefault(row.audience, Tally()).add(
            is_all=row.reader == NOBODY,
            state=row.state,
            outstanding=bool(row.outstanding),
            number=row.number,
        )
    return {audience: tally.numbers() for audience, tally in found.items()}


def _numbers(audiences: Sequence[bytes], reader: bytes) -> Select[Any]:
    both = union_all(
        *(
            select(*(table.c[name] for name in Change._fields)).where(
                table.c.audience.in_(audiences), table.c.reader.in_([NOBODY, reader])
            )
            for table in (reader_counts, reader_deltas)
        )
    ).subquery()
    key = both.c.audience, both.c.reader, both.c.state, both.c.outstanding
    return select(*key, cast(func.sum(both.c.number), BigInteger).label("number")).group_by(*key)
