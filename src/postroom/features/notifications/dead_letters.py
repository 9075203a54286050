"""Dead letters: deliveries that were given up, or of which somebody has to decide; listed and replayed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Row, func, or_, select

from postroom.domain import delivery as steps
from postroom.domain.channel import Channel
from postroom.domain.errors import Conflict, NotFound
from postroom.domain.status import Status
from postroom.features import audit
from postroom.features.notifications.changes import Request, write_changes
from postroom.features.notifications.tables import attempts, deliveries, notifications
from postroom.kit.crypto import Vault
from postroom.kit.database import AsyncConnection, Database
from postroom.kit.queue import JobQueue

AT_ONCE = 200
"""So many are replayed in one transaction."""


class Cause(StrEnum):
    """Why a delivery is dead, and so what a replay does."""

    GIVEN_UP = "given-up"
    MAY_HAVE_BEEN_SENT = "may-have-been-sent"
    TAKEN = "taken"


EXPLANATIONS: Mapping[Cause, str] = {
    Cause.GIVEN_UP: "GOV.UK Notify took none of the tries, and they went on for as long as is tried. "
    "Nothing was sent. A replay tries again for as long.",
    Cause.MAY_HAVE_BEEN_SENT: "GOV.UK Notify may have taken the last try, and could not be asked in time. "
    "A replay asks it first, and sends only what it does not know: it may arrive twice where GOV.UK Notify "
    "took it long ago and has forgotten it.",
    Cause.TAKEN: "GOV.UK Notify took it, and what became of it could not be asked. A replay asks again; "
    "it sends nothing.",
}


@dataclass(frozen=True, slots=True)
class Filters:
    """Which dead letters; None means any. `before` is the id that a page continues after."""

    service_id: str | None = None
    delivery_id: str | None = None
    channel: Channel | None = None
    template_id: str | None = None
    reference: str | None = None
    cause: Cause | None = None
    died_from: datetime | None = None
    died_to: datetime | None = None
    before: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Attempt:
    number: int
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    status_code: int | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead delivery with all its tries. `reason` is what ended it, in plain words."""

    id: str
    notification_id: str
    service_id: str
    channel: Channel
    template_id: str
    reference: str | None
    cause: Cause
    reason: str
    created_at: datetime
    died_at: datetime
    replayed_at: datetime | None
    attempts: tuple[Attempt, ...]

    @property
    def explanation(self) -> str:
        return EXPLANATIONS[self.cause]


@dataclass(frozen=True, slots=True)
class Page:
    """`next_before` continues the list, None at its end."""

    items: tuple[DeadLetter, ...]
    next_before: str | None


async def find_dead(conn: AsyncConnection, filters: Filters) -> Page:
    """One page, newest first, in two queries however long it is. Of what was removed there are none."""
    rows = await _rows(conn, filters, limit=filters.limit + 1)
    shown = rows[: filters.limit]
    tries = await _attempts(conn, [row.id for row in shown])
    items = tuple(_to_dead_letter(row, tries.get(row.id, ())) for row in shown)
    return Page(items, shown[-1].id if len(rows) > filters.limit else None)


async def count_dead(conn: AsyncConnection) -> dict[Cause, int]:
    """How many there are of all services, by their causes; by an index that holds nothing else."""
    where = deliveries.c.status == Status.DEAD.value, notifications.c.removed_at.is_(None)
    counts = [func.count().filter(_OF_CAUSE[cause]).label(cause.name) for cause in Cause]
    joined = deliveries.join(notifications, notifications.c.id == deliveries.c.notification_id)
    row = (await conn.execute(select(*counts).select_from(joined).where(*where))).one()
    return {cause: getattr(row, cause.name) for cause in Cause}


async def replay_one(
    conn: AsyncConnection, delivery_id: str, *, service_id: str | None, replayer: "Replayer"
) -> None:
    """Take it up again, in the caller's transaction.

    NotFound where it is none of the service's dead letters; Conflict where it may have been sent, and the
    replayer is not told that this may be risked.
    """
    rows = await _rows(conn, Filters(service_id=service_id, delivery_id=delivery_id), limit=1)
    if not rows:
        raise NotFound("There is no such dead letter.")
    if not await replayer.replay(conn, rows):
        raise Conflict(
            "It may have been sent. Say that it may be sent twice, and it is taken up again: GOV.UK Notify "
            "is asked first, and it is sent only where GOV.UK Notify does not know it."
        )


async def replay_all(database: Database, filters: Filters, *, replayer: "Replayer") -> int:
    """Take up again all of those, in a transaction for every AT_ONCE of them; how many.

    What dies anew meanwhile is not taken up twice.
    """
    until = replayer.now if filters.died_to is None else min(filters.died_to, replayer.now)
    wanted = replace(filters, died_to=until)
    replayed = 0
    while True:
        async with database.transaction() as conn:
            rows = await _rows(conn, wanted, limit=AT_ONCE, among=replayer.cautious)
            replayed += await replayer.replay(conn, rows)
        if len(rows) < AT_ONCE:
            return replayed


@dataclass(frozen=True, slots=True)
class Replayer:
    """Who replays and when, and whether what may have been sent is taken up too."""

    vault: Vault
    queue: JobQueue
    now: datetime
    although_unsure: bool = False
    actor: str | None = None
    correlation_id: str | None = None

    @property
    def cautious(self) -> ColumnElement[bool] | None:
        """What of the dead letters is tried; None where all are."""
        return None if self.although_unsure else ~_OF_CAUSE[Cause.MAY_HAVE_BEEN_SENT]

    async def replay(self, conn: AsyncConnection, rows: Sequence[Row[Any]]) -> int:
        tries = await _attempt_ids(conn, [row.id for row in rows])
        requests = [Request(row.id, self._step(tries.get(row.id))) for row in rows]
        done = await write_changes(conn, requests, queue=self.queue, gate=None)
        replayed = [row for row, each in zip(rows, done, strict=True) if each.change is not None]
        await audit.record(conn, (self._entry(row) for row in replayed), vault=self.vault)
        return len(replayed)

    def _step(self, last_attempt: str | None) -> Any:
        return partial(
            steps.replay, now=self.now, last_attempt=last_attempt, although_unsure=self.although_unsure
        )

    def _entry(self, row: Row[Any]) -> audit.Entry:
        return audit.Entry(
            kind=audit.Kind.REPLAYED,
            at=self.now,
            notification_id=row.notification_id,
            service_id=row.service_id,
            actor=self.actor,
            detail=f"delivery {row.id}",
            correlation_id=self.correlation_id,
        )


_OF_CAUSE: Mapping[Cause, ColumnElement[bool]] = {
    Cause.TAKEN: deliveries.c.notify_id.is_not(None),
    Cause.MAY_HAVE_BEEN_SENT: deliveries.c.notify_id.is_(None)
    & (deliveries.c.reason == steps.MAY_HAVE_BEEN_SENT),
    Cause.GIVEN_UP: deliveries.c.notify_id.is_(None)
    & or_(deliveries.c.reason.is_(None), deliveries.c.reason != steps.MAY_HAVE_BEEN_SENT),
}


async def _rows(
    conn: AsyncConnection, filters: Filters, *, limit: int, among: ColumnElement[bool] | None = None
) -> list[Row[Any]]:
    where = [*_conditions(filters), *(() if among is None else (among,))]
    return list(
        await conn.execute(
            select(deliveries, notifications.c.reference)
            .join(notifications, notifications.c.id == deliveries.c.notification_id)
            .where(deliveries.c.status == Status.DEAD.value, notifications.c.removed_at.is_(None), *where)
            .order_by(deliveries.c.id.desc())
            .limit(limit)
        )
    )


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    columns = deliveries.c
    equal = {
        columns.service_id: filters.service_id,
        columns.id: filters.delivery_id,
        columns.channel: filters.channel,
        columns.template_id: filters.template_id,
        notifications.c.reference: filters.reference,
    }
    where = [column == value for column, value in equal.items() if value is not None]
    if filters.cause is not None:
        where.append(_OF_CAUSE[filters.cause])
    if filters.died_from is not None:
        where.append(columns.completed_at >= filters.died_from)
    if filters.died_to is not None:
        where.append(columns.completed_at < filters.died_to)
    if filters.before is not None:
        where.append(columns.id < filters.before)
    return where


async def _attempts(conn: AsyncConnection, ids: Sequence[str]) -> dict[str, tuple[Attempt, ...]]:
    if not ids:
        return {}
    found = await conn.execute(
        select(attempts).where(attempts.c.delivery_id.in_(ids)).order_by(attempts.c.number)
    )
    tries: dict[str, tuple[Attempt, ...]] = {}
    for row in found:
        one = Attempt(row.number, row.started_at, row.ended_at, row.outcome, row.status_code, row.reason)
        tries[row.delivery_id] = (*tries.get(row.delivery_id, ()), one)
    return tries


async def _attempt_ids(conn: AsyncConnection, ids: Sequence[str]) -> dict[str, str]:
    """The last attempt of each delivery that has any."""
    if not ids:
        return {}
    last = (
        select(attempts.c.delivery_id, func.max(attempts.c.number).label("number"))
        .where(attempts.c.delivery_id.in_(ids))
        .group_by(attempts.c.delivery_id)
        .subquery()
    )
    found = await conn.execute(
        select(attempts.c.delivery_id, attempts.c.id).join(
            last,
            (attempts.c.delivery_id == last.c.delivery_id) & (attempts.c.number == last.c.number),
        )
    )
    return {row.delivery_id: row.id for row in found}


def _to_dead_letter(row: Row[Any], tries: tuple[Attempt, ...]) -> DeadLetter:
    return DeadLetter(
        id=row.id,
        notification_id=row.notification_id,
        service_id=row.service_id,
        channel=Channel(row.channel),
        template_id=row.template_id,
        reference=row.reference,
        cause=_cause_of(row),
        reason=row.reason or "no reason was recorded",
        created_at=row.created_at,
        died_at=row.completed_at,
        replayed_at=row.replayed_at,
        attempts=tries,
    )


def _cause_of(row: Row[Any]) -> Cause:
    if row.notify_id is not None:
        return Cause.TAKEN
    return Cause.MAY_HAVE_BEEN_SENT if row.reason == steps.MAY_HAVE_BEEN_SENT else Cause.GIVEN_UP
