"""Finding notifications: one by its id, and pages of them by filters, newest first."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, NamedTuple, NoReturn

from sqlalchemy import ColumnElement, Row, literal_column, or_

from postroom.domain.action import ActionType, is_outstanding
from postroom.domain.caller import Caller, Person, ServiceCaller
from postroom.domain.channel import Channel, to_mask
from postroom.domain.errors import Conflict, FieldError, Forbidden, Invalid, NotFound
from postroom.domain.notification import EndedBy, Notification
from postroom.domain.reading import OUT_OF_SIGHT, Reading
from postroom.features import readers
from postroom.features.notifications import store, terms
from postroom.features.notifications.assemble import assemble
from postroom.features.notifications.discretion import in_lists
from postroom.features.notifications.seal import audience_index, reader_index
from postroom.features.notifications.tables import OUTSTANDING, notifications
from postroom.features.notifications.visibility import (
    Reach,
    audiences_of,
    is_shown_to,
    readable_by,
    visible_to,
    within,
)
from postroom.kit.crypto import Vault
from postroom.kit.database import AsyncConnection
from postroom.kit.ids import first_id_at

_NOBODY = Person(email="")
Tally = Counter[tuple[int, bool]]
"""How many there are by what a reader has done with them, and whether they wait for a decision."""

WHY_ENDED = {
    EndedBy.EXPIRED: "This has expired.",
    EndedBy.REPLACED: "A later notification has taken the place of this one.",
}

_MOST_MERGED = 100
"""SQLite merges 500 at most; who is in so many groups waits for a slower list."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to; None means any. `before` is the id that the page continues after.

    `reach` alone widens it, from what is the caller's own. Of their own, a person sees what they have not
    archived where nothing is said.
    """

    channels: tuple[Channel, ...] | None = None
    target_id: str | None = None
    target_type: str | None = None
    user: str | None = None
    is_read: bool | None = None
    is_seen: bool | None = None
    is_archived: bool | None = None
    require_action: bool | None = None
    outstanding: bool | None = None
    """Whether it still waits for somebody's decision."""
    waiting_since_before: datetime | None = None
    action: ActionType | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    reference: str | None = None
    message_id: str | None = None
    """The id of one of its deliveries, ours or the provider's."""
    reach: Reach | None = None
    before: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Page:
    """`next_before` continues the list, None at its end."""

    items: tuple[Notification, ...]
    next_before: str | None


MOST_COUNTED = 10_000


class Count(NamedTuple):
    """There are `number`, or more where it is not exact; of those so many are unread, unseen, or need action.

    The latter are known to a person, of filters that their own counts answer.
    """

    number: int
    is_exact: bool
    unread: int | None = None
    unseen: int | None = None
    needs_action: int | None = None


async def find_one(
    conn: AsyncConnection, notification_id: str, *, caller: Caller, vault: Vault
) -> Notification:
    """The notification as the caller may see it; NotFound whether it is not there or not for them."""
    row = await store.notification(
        conn, notification_id, visible=readable_by(caller, vault), also=terms.has_ended()
    )
    if row is None:
        raise NotFound("There is no such notification.")
    (found,) = await assemble(conn, [row], caller=caller, vault=vault)
    return found


async def find_own(
    conn: AsyncConnection, ids: Collection[str], *, caller: ServiceCaller, vault: Vault
) -> dict[str, Notification]:
    """Those of the service's notifications by their ids, also what has been removed since."""
    rows = await store.notifications_of(conn, ids, service_id=caller.service_id)
    return {found.id: found for found in await assemble(conn, rows, caller=caller, vault=vault)}


async def find_some(
    conn: AsyncConnection, ids: Collection[str], *, caller: Caller, vault: Vault
) -> dict[str, Notification]:
    """Those of the notifications that are the caller's, by their ids, as `find_page` shows them."""
    where = [notifications.c.id.in_(list(ids)), visible_to(caller, vault)]
    if isinstance(caller, Person):
        where.append(is_shown_to(caller, _view(Filters()), vault))
    rows = await store.page(conn, where, limit=len(ids))
    return {found.id: found for found in await _listed(conn, rows, caller=caller, vault=vault)}


async def find_as_new(
    conn: AsyncConnection, ids: Collection[str], *, vault: Vault
) -> dict[str, Notification]:
    """Notifications by their ids as they are shown to anybody they address who has done nothing yet."""
    rows = await store.page(conn, [notifications.c.id.in_(list(ids))], limit=len(ids))
    return {found.id: found for found in await _listed(conn, rows, caller=_NOBODY, vault=vault)}


async def find_among(
    conn: AsyncConnection, ids: Sequence[str], *, caller: Caller, vault: Vault
) -> tuple[Notification, ...]:
    """Those of the notifications that the caller may read, newest first."""
    where = [notifications.c.id.in_(list(ids)), readable_by(caller, vault)]
    rows = await store.page(conn, where, limit=len(ids))
    return tuple(await _listed(conn, rows, caller=caller, vault=vault))


async def _listed(
    conn: AsyncConnection, rows: Sequence[Row[Any]], *, caller: Caller, vault: Vault
) -> list[Notification]:
    """The notifications as they stand among others, or come unasked."""
    found = await assemble(conn, rows, caller=caller, vault=vault)
    return [in_lists(each, caller=caller) for each in found]


async def refuse_change(
    conn: AsyncConnection, notification_id: str, *, caller: Caller, vault: Vault
) -> NoReturn:
    """Forbidden to who may read the notification, or Conflict; to everybody else there is none."""
    found = await find_one(conn, notification_id, caller=caller, vault=vault)
    if found.ended is not None:
        raise Conflict(WHY_ENDED[found.ended.by])
    raise Forbidden("You may read this notification, but not change it.")


async def find_page(
    conn: AsyncConnection, filters: Filters, *, caller: Caller, vault: Vault, now: datetime | None = None
) -> Page:
    """One page, in some queries however long it is, without what has expired by `now`."""
    rows = await _rows(conn, filters, caller=caller, vault=vault, limit=filters.limit + 1, now=now)
    shown = rows[: filters.limit]
    items = await _listed(conn, shown, caller=caller, vault=vault)
    return Page(items=tuple(items), next_before=shown[-1].id if len(rows) > filters.limit else None)


async def count_found(
    conn: AsyncConnection, filters: Filters, *, caller: Caller, vault: Vault, now: datetime | None = None
) -> Count:
    """How many there are in all the pages: for a person exactly, where their own counts answer it.

    Otherwise no more than MOST_COUNTED are read, however many there are.
    """
    _check(filters, caller)
    conditions = _conditions(filters, caller, vault)
    if isinstance(caller, ServiceCaller) or filters.reach is not None:
        where = [_extent(filters, caller, vault), *conditions, *_alive(now)]
        number = await store.count(conn, where, most=MOST_COUNTED + 1)
    else:
        view = _view(filters)
        counted, expired = await _tallies(conn, filters, caller, vault, now)
        if _is_answered_by_counts(filters):
            return _counted(counted.values(), view)
        numbers = {audience: _shown(tally, view) for audience, tally in counted.items()}
        numbers = {audience: number for audience, number in numbers.items() if number}
        where = [*conditions, is_shown_to(caller, view, vault), *_without(expired)]
        number = await store.count_of_audiences(conn, numbers, where, most=MOST_COUNTED + 1)
    return Count(number=min(number, MOST_COUNTED), is_exact=number <= MOST_COUNTED)


_ANSWERED = frozenset(
    {"user", "is_read", "is_seen", "is_archived", "outstanding", "before", "limit", "reach"}
)


def _is_answered_by_counts(filters: Filters) -> bool:
    others = (field.name for field in fields(filters) if field.name not in _ANSWERED)
    return all(getattr(filters, name) is None for name in others)


def _counted(tallies: Iterable[Tally], view: readers.View) -> Count:
    """The numbers of all the audiences together; of what is shown, what each narrower view would show."""
    every = [(Reading(state), waits, number) for tally in tallies for (state, waits), number in tally.items()]
    shown = [each for each in every if view.shows(each[0], each[1])]
    return Count(
        number=sum(number for _, _, number in shown),
        is_exact=True,
        unread=sum(number for reading, _, number in shown if not reading & Reading.READ),
        unseen=sum(number for reading, _, number in shown if not reading & Reading.SEEN),
        needs_action=sum(number for _, waits, number in shown if waits),
    )


def _shown(tally: Tally, view: readers.View) -> int:
    return sum(number for (state, waits), number in tally.items() if view.shows(state, waits))


async def _tallies(
    conn: AsyncConnection, filters: Filters, person: Person, vault: Vault, now: datetime | None
) -> tuple[dict[bytes, Tally], list[str]]:
    """The numbers of each audience that the filters leave, and what has expired and is counted no more."""
    audiences = audiences_of(person, vault)
    if filters.user is not None:
        audiences &= {audience_index(vault, filters.user)}
    if not audiences:
        return {}, []
    reader = reader_index(vault, person.email)
    counted = await readers.tallies(conn, audiences, reader=reader)
    if now is None:
        return counted, []
    expired = await terms.expired_of(conn, audiences, reader=reader, now=now)
    for row in expired:
        counted[row.audience][row.state, is_outstanding_row(row)] -= 1
    return counted, [row.id for row in expired]


def _without(ids: Sequence[str]) -> list[ColumnElement[bool]]:
    return [notifications.c.id.not_in(ids)] if ids else []


def _alive(now: datetime | None) -> list[ColumnElement[bool]]:
    return [] if now is None else [terms.has_not_expired(now)]


def _view(filters: Filters) -> readers.View:
    """A person's own list, as far as what they have done with it goes."""
    mask, value = OUT_OF_SIGHT, Reading.UNSEEN
    if filters.is_archived:
        value |= Reading.ARCHIVED
    for flag, wanted in ((Reading.READ, filters.is_read), (Reading.SEEN, filters.is_seen)):
        if wanted is not None:
            mask |= flag
            value |= flag if wanted else Reading.UNSEEN
    return readers.View(mask, value, filters.outstanding)


def _check(filters: Filters, caller: Caller) -> None:
    """A service has not seen or archived anything, and nobody has archived what is not theirs."""
    own = isinstance(caller, Person) and filters.reach is None
    faults = [
        FieldError(name, "Only a person has this, of their own list.")
        for name, value in (("isSeenStatus", filters.is_seen), ("isArchived", filters.is_archived))
        if value is not None and not own
    ]
    if faults:
        raise Invalid(faults)


async def _rows(
    conn: AsyncConnection,
    filters: Filters,
    *,
    caller: Caller,
    vault: Vault,
    limit: int,
    now: datetime | None,
) -> list[Row[Any]]:
    _check(filters, caller)
    conditions = _conditions(filters, caller, vault)
    if isinstance(caller, ServiceCaller) or filters.reach is not None:
        where = [_extent(filters, caller, vault), *conditions, *_alive(now)]
        return await store.page(conn, where, limit=limit)
    view = _view(filters)
    counted, expired = await _tallies(conn, filters, caller, vault, now)
    conditions += _without(expired)
    numbers = {audience: _shown(counted[audience], view) for audience in sorted(counted)}
    numbers = {audience: number for audience, number in numbers.items() if number}
    conditions.append(is_shown_to(caller, view, vault))
    if len(numbers) > _MOST_MERGED:
        return await store.page(conn, [notifications.c.audience.in_(numbers), *conditions], limit=limit)
    return await store.page_of_audiences(conn, numbers, conditions, limit=limit) if numbers else []


async def find_to_mark(
    conn: AsyncConnection,
    filters: Filters,
    *,
    ids: Sequence[str] | None,
    person: Person,
    vault: Vault,
    limit: int,
    now: datetime,
) -> list[Row[Any]]:
    """What a person's list holds, or those of some ids: the newest of them, locked, the oldest first."""
    _check(filters, person)
    view = _view(filters)
    counted, expired = await _tallies(conn, filters, person, vault, now)
    audiences = sorted(audience for audience, tally in counted.items() if _shown(tally, view))
    if not audiences:
        return []
    where = [*_conditions(filters, person, vault), is_shown_to(person, view, vault), *_without(expired)]
    if ids is not None:
        where.append(notifications.c.id.in_(ids))
    return await store.lock_newest_of_audiences(conn, audiences, where, limit=limit)


def _extent(filters: Filters, caller: Caller, vault: Vault) -> ColumnElement[bool]:
    if filters.reach is None:
        return visible_to(caller, vault)
    narrowed = any(each is not None for each in (filters.target_id, filters.reference, filters.message_id))
    return within(filters.reach, narrowed=narrowed)


def _conditions(filters: Filters, caller: Caller, vault: Vault) -> list[ColumnElement[bool]]:
    table = notifications.c
    where: list[ColumnElement[bool]] = []
    if filters.channels is not None:
        either = table.channels.op("|")(table.extra_channels)
        where.append(either.op("&")(to_mask(filters.channels)) != 0)
    if filters.user is not None:
        where.append(table.audience == audience_index(vault, filters.user))
    if filters.is_read is not None and (isinstance(caller, ServiceCaller) or filters.reach is not None):
        where.append(_is_read(filters.is_read, caller, vault))
    if filters.outstanding is not None:
        # As it stands in the index: with more around it, SQLite would not see that they are the same.
        waits = f"({OUTSTANDING})" if filters.outstanding else f"(NOT ({OUTSTANDING}))"
        where.append(literal_column(waits))
    if filters.waiting_since_before is not None:
        where.append(table.id < first_id_at(filters.waiting_since_before))
    if filters.created_from is not None:
        where.append(table.id >= first_id_at(filters.created_from))
    if filters.created_to is not None:
        where.append(table.id < first_id_at(filters.created_to))
    if filters.before is not None:
        where.append(table.id < filters.before)
    if filters.message_id is not None:
        where.append(table.id.in_(store.notifications_with_message(filters.message_id)))
    equal = {
        table.target_id: filters.target_id,
        table.target_type: filters.target_type,
        table.require_action: filters.require_action,
        table.action: filters.action,
        table.reference: filters.reference,
    }
    return where + [column == value for column, value in equal.items() if value is not None]


def _is_read(wanted: bool, caller: Caller, vault: Vault) -> ColumnElement[bool]:
    """The condition that the asking person has read it or not; for a service, that anybody has."""
    if isinstance(caller, Person):
        return is_shown_to(
            caller, readers.View(Reading.READ, Reading.READ if wanted else Reading.UNSEEN), vault
        )
    read = or_(notifications.c.first_read_at.is_not(None), readers.is_read_by_anyone(notifications.c.id))
    return read if wanted else ~read


def is_outstanding_row(row: Row[Any]) -> bool:
    """Whether the notification of this row waits for somebody's decision."""
    # It is asked of thousands, most of which ask nobody for anything.
    if not row.require_action:
        return False
    performed = None if row.action is None else ActionType(row.action)
    return is_outstanding(require_action=True, performed=performed)
