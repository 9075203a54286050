"""The ledger: proof that all that was accepted has a declared end or a known next step.

What is kept is counted against what was accepted. Each delivery stands in one line: it has ended, in a status
that says how, or a step of it is due at a known moment. What stands in none is unaccounted for, and there is
never any; that is what the ledger is asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, func, literal, select, text

from postroom.domain.channel import CARRIED, to_mask
from postroom.domain.delivery import Step
from postroom.domain.status import UNDERWAY
from postroom.features import audit
from postroom.features.notifications.tables import UNACCOUNTED, deliveries, notifications
from postroom.kit.database import AsyncConnection
from postroom.kit.ids import first_id_at

OVERDUE_AFTER = timedelta(minutes=1)
"""A step that was due so long ago is late: no worker runs, or the workers cannot keep up."""

_ACCOUNTED = text(f"NOT ({UNACCOUNTED})")
_CLOCKS_DIFFER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Unaccounted:
    """What must not be; all of it is 0."""

    without_end_or_step: int
    """Deliveries that neither ended nor are to be worked on."""
    without_deliveries: int
    """Notifications that have not a delivery for each channel that they go by."""
    not_kept: int
    """What was accepted, by the audit, and is not there."""

    @property
    def total(self) -> int:
        return self.without_end_or_step + self.without_deliveries + self.not_kept


@dataclass(frozen=True, slots=True)
class OpenSteps:
    """Deliveries that have not ended, by the step that is next. Overdue are those whose step is late."""

    steps: Mapping[Step, int]
    overdue: int
    longest_due: datetime | None


@dataclass(frozen=True, slots=True)
class Ledger:
    """What was accepted since a moment, or ever, and where all of it stands."""

    accepted: int
    on_screen_only: int
    deliveries: int
    ended: Mapping[str, int]
    """By the status that they ended in."""
    open: OpenSteps
    unaccounted: Unaccounted


async def take_stock(conn: AsyncConnection, *, now: datetime, since: datetime | None = None) -> Ledger:
    """Count everything that was accepted since the moment. Reads all of it: for a command, not for a poll."""
    accepted = (await conn.execute(_accepted(since))).one()
    ended = {row.status: row.number for row in await conn.execute(_ended(since))}
    steps = await open_steps(conn, now=now, since=since)
    unaccounted = await find_unaccounted(conn, since=since)
    return Ledger(
        accepted=accepted.number,
        on_screen_only=accepted.on_screen_only,
        deliveries=sum(ended.values()) + sum(steps.steps.values()) + unaccounted.without_end_or_step,
        ended=ended,
        open=steps,
        unaccounted=unaccounted,
    )


async def open_steps(conn: AsyncConnection, *, now: datetime, since: datetime | None = None) -> OpenSteps:
    """Reads what has not ended and no more, by the index on what is due."""
    late = now - OVERDUE_AFTER
    columns = deliveries.c
    found = await conn.execute(
        select(
            columns.status,
            columns.open_attempt.is_not(None).label("is_open"),
            func.count().label("number"),
            func.count().filter(columns.due_at < late).label("late"),
            func.min(columns.due_at).label("first"),
        )
        .where(columns.due_at.is_not(None), _ACCOUNTED, *_since(columns.id, since))
        .group_by(columns.status, columns.open_attempt.is_not(None))
    )
    steps = dict.fromkeys((Step.SEND, Step.LOOK, Step.POLL), 0)
    overdue, first = 0, None
    for row in found:
        steps[_next_step(row.status, has_open_attempt=bool(row.is_open))] += row.number
        overdue += row.late
        first = row.first if first is None else min(first, row.first)
    return OpenSteps(steps, overdue, first)


async def find_unaccounted(conn: AsyncConnection, *, since: datetime | None = None) -> Unaccounted:
    """What is in no line.

    Deliveries without end or step are looked for among all, whenever they were made: the index on them is
    empty where all is well. For the rest, all that was accepted since the moment is read.
    """
    lost = select(func.count()).select_from(deliveries).where(text(UNACCOUNTED))
    return Unaccounted(
        without_end_or_step=await conn.scalar(lost) or 0,
        without_deliveries=await conn.scalar(_without_deliveries(since)) or 0,
        not_kept=await audit.count_accepted_without(conn, notifications.c.id, since=since),
    )


def _next_step(status: str, *, has_open_attempt: bool) -> Step:
    if status in UNDERWAY:
        return Step.POLL
    return Step.LOOK if has_open_attempt else Step.SEND


def _accepted(since: datetime | None) -> Select[int, int]:
    carried = _carried()
    return select(
        func.count().label("number"), func.count().filter(carried == 0).label("on_screen_only")
    ).where(*_since(notifications.c.id, since))


def _ended(since: datetime | None) -> Select[str, int]:
    columns = deliveries.c
    return (
        select(columns.status, func.count().label("number"))
        .where(columns.due_at.is_(None), _ACCOUNTED, *_since(columns.id, since))
        .group_by(columns.status)
    )


def _without_deliveries(since: datetime | None) -> Select[int]:
    """A notification goes by as many channels as it has bits of carried ones, and by each once."""
    made = (
        select(deliveries.c.notification_id, func.count(deliveries.c.channel.distinct()).label("number"))
        .where(*_since(deliveries.c.id, None if since is None else since - _CLOCKS_DIFFER))
        .group_by(deliveries.c.notification_id)
        .subquery()
    )
    mask = _carried()
    wanted = sum(((mask.op(">>")(place)).op("&")(1) for place in range(8)), start=literal(0))
    return (
        select(func.count())
        .select_from(notifications.outerjoin(made, made.c.notification_id == notifications.c.id))
        .where(func.coalesce(made.c.number, 0) != wanted, *_since(notifications.c.id, since))
    )


def _carried() -> ColumnElement[int]:
    both = notifications.c.channels.op("|")(notifications.c.extra_channels)
    return both.op("&")(to_mask(CARRIED))


def _since(column: ColumnElement[str], since: datetime | None) -> list[ColumnElement[bool]]:
    """Ids are drawn by the clock: those of a later moment are greater."""
    return [] if since is None else [column >= first_id_at(since)]
