"""Marking all that a list holds as seen, read, unread or archived: one request for thousands."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import Row

from postroom.domain.action import READING, ActionType
from postroom.domain.caller import Person
from postroom.domain.reading import Reading, after
from postroom.features import audit, readers, screens, webhooks
from postroom.features.notifications import store
from postroom.features.notifications.act import news_of_reading
from postroom.features.notifications.find import Filters, find_to_mark, is_outstanding_row
from postroom.features.notifications.seal import reader_index
from postroom.kit.crypto import Vault
from postroom.kit.database import AsyncConnection

MOST_MARKED = 25_000

_Changed = Mapping[readers.Step, Sequence[readers.About]]


@dataclass(frozen=True, slots=True)
class Mark:
    """What is done with all that the filters hold. With `ids`, only with those of them."""

    type: ActionType
    filters: Filters
    ids: tuple[str, ...] | None = None
    correlation_id: str | None = None
    ip: str | None = field(default=None, repr=False)


class Marked(NamedTuple):
    """So many were changed; where that was not all of them, the same request goes on."""

    number: int
    is_complete: bool


async def mark(conn: AsyncConnection, wanted: Mark, *, person: Person, vault: Vault, now: datetime) -> Marked:
    """Mark them for this person alone, in the caller's transaction, MOST_MARKED at most, the newest first.

    What still needs somebody's decision is not archived. Of each the service is told, as where it is done
    alone; the audit has an entry of each that asks for an action, and one for the others of a service.
    """
    if wanted.type not in READING:
        raise ValueError("what is decided is decided of one notification at a time")
    filters = _that_change(wanted)
    if filters is None:
        return Marked(0, is_complete=True)
    rows = await find_to_mark(
        conn, filters, ids=wanted.ids, person=person, vault=vault, limit=MOST_MARKED + 1, now=now
    )
    is_complete = len(rows) <= MOST_MARKED
    by_id = {row.id: row for row in rows[-MOST_MARKED:]}
    reader = reader_index(vault, person.email)
    changed = await readers.change_states(
        conn,
        [readers.About(row.id, row.audience, is_outstanding_row(row)) for row in by_id.values()],
        reader=reader,
        change=partial(after, action=wanted.type),
        now=now,
    )
    if changed:
        await _forget_first_read(conn, changed, by_id)
        await audit.record(conn, _entries(wanted, changed, by_id, person, now), vault=vault)
        await _tell(conn, wanted, changed, by_id, now)
        await screens.record(
            conn, [screens.changed(screens.Kind.MANY, screen=reader, at=now, notification_id=None)]
        )
    return Marked(sum(map(len, changed.values())), is_complete)


def _that_change(wanted: Mark) -> Filters | None:
    """The filters, narrowed to what the mark changes; None where that is nothing."""
    filters = wanted.filters
    match wanted.type:
        case ActionType.IS_READ:
            return None if filters.is_read else replace(filters, is_read=False)
        case ActionType.IS_SEEN:
            return None if filters.is_seen else replace(filters, is_seen=False)
        case ActionType.ARCHIVED:
            is_none_left = filters.is_archived or filters.outstanding
            return None if is_none_left else replace(filters, is_archived=False, outstanding=False)
    # Unread again: what was read, and whatever was archived.
    if filters.is_archived:
        return filters
    return None if filters.is_read is False else replace(filters, is_read=True)


async def _forget_first_read(conn: AsyncConnection, changed: _Changed, rows: Mapping[str, Row[Any]]) -> None:
    """Of what nobody has read any more, forget when it was first read.

    That it is read stands in the readers' own rows: kept here too, it would cost as much as all the rest.
    """
    for (before, then), some in changed.items():
        if before & ~then & Reading.READ:
            ids = [about.notification_id for about in some]
            first = [each for each in ids if rows[each].first_read_at is not None]
            still_read = await readers.read_by_anyone(conn, first)
            nobody = [each for each in first if each not in still_read]
            await store.set_first_read_of_many(conn, nobody, at=None)


def _entries(
    wanted: Mark, changed: _Changed, rows: Mapping[str, Row[Any]], person: Person, now: datetime
) -> list[audit.Entry]:
    """An entry of each that asks for an action: that it was read is what has to be proved of those.

    Of the others one for each service, with the newest of them and how many they were.
    """
    asking, others = list[Row[Any]](), list[Row[Any]]()
    for some in changed.values():
        for about in some:
            row = rows[about.notification_id]
            (asking if row.require_action else others).append(row)
    numbers = Counter(row.service_id for row in others)
    newest = {row.service_id: row for row in sorted(others, key=attrgetter("id"))}
    what = wanted.type.value

    def entry(kind: audit.Kind, row: Row[Any], detail: str) -> audit.Entry:
        return audit.Entry(
            kind=kind,
            at=now,
            notification_id=row.id,
            service_id=row.service_id,
            actor=person.display_name,
            detail=detail,
            correlation_id=wanted.correlation_id,
            ip=wanted.ip,
        )

    return [entry(audit.Kind.ACTION, row, what) for row in asking] + [
        entry(audit.Kind.MARKED, row, f"{what}, {numbers[service_id]} at once")
        for service_id, row in sorted(newest.items())
    ]


async def _tell(
    conn: AsyncConnection, wanted: Mark, changed: _Changed, rows: Mapping[str, Row[Any]], now: datetime
) -> None:
    """Have each service told of its own."""
    for (before, then), some in changed.items():
        kind = news_of_reading(before, then)
        if kind is None:
            continue
        of_services = defaultdict[str, list[str]](list)
        for about in some:
            of_services[rows[about.notification_id].service_id].append(about.notification_id)
        for service_id, ids in of_services.items():
            await webhooks.record_of_many(
                conn,
                kind,
                ids,
                at=now,
                service_id=service_id,
                actor=webhooks.Actor.OFFICER,
                correlation_id=wanted.correlation_id,
            )
