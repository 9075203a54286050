"""The subscriptions that something is to be sent to: claimed by one worker at a time, and what came of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, exists, select

from postroom.domain.notification import Notification
from postroom.domain.reading import OUT_OF_SIGHT, Reading
from postroom.features import readers
from postroom.features.inbox.push import subscriptions
from postroom.features.inbox.push.message import KEPT_FOR
from postroom.features.inbox.push.subscriptions import Address, is_live
from postroom.features.inbox.push.tables import push_subscriptions, pushes
from postroom.features.notifications import terms
from postroom.features.notifications.find import find_as_new
from postroom.features.recipients import audience_index, audiences_with
from postroom.kit.crypto import CannotOpen, Vault
from postroom.kit.database import AsyncConnection
from postroom.kit.log import get_logger

log = get_logger(__name__)

_MOST = 500
"""So many pushes of one browser are looked at: beyond that they are told of in one popup anyway."""
_KNOWN = Reading.SEEN | Reading.READ | OUT_OF_SIGHT


@dataclass(frozen=True, slots=True)
class Due:
    """One browser that something is to be sent to, in the hands of this worker."""

    id: str
    host: bytes
    reader: bytes
    audience: bytes
    failures: int
    address: Address = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ready:
    """What is to be sent to it, each with when it came; and the ids of all that this settles."""

    notifications: tuple[tuple[Notification, datetime], ...]
    over: tuple[str, ...]
    unread: int | None


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of it: these are over, it is gone, or the rest is tried again then."""

    due: Due
    over: tuple[str, ...]
    at: datetime
    failures: int = 0
    next_try: datetime | None = None
    is_gone: bool = False


async def hosts_with_pushes(conn: AsyncConnection, *, now: datetime) -> list[bytes]:
    """The push services that something is due for."""
    table = push_subscriptions.c
    due = select(table.host).where(table.due_at <= now).distinct()
    return [bytes(each) for each in await conn.scalars(due)]


async def claim(
    conn: AsyncConnection,
    free: Callable[[bytes], int],
    *,
    vault: Vault,
    now: datetime,
    lease: timedelta,
) -> list[Due]:
    """Claim browsers that are due for as long as the lease, for each push service as many as are `free`."""
    table = push_subscriptions.c
    rows: list[Row[Any]] = []
    for host in await hosts_with_pushes(conn, now=now):
        if (most := free(host)) > 0:
            due = select(push_subscriptions).where(table.host == host, table.due_at <= now)
            due = due.order_by(table.due_at).limit(most).with_for_update(skip_locked=True)
            rows += (await conn.execute(due)).all()
    ids = [row.id for row in rows]
    if ids:
        await conn.execute(push_subscriptions.update().where(table.id.in_(ids)).values(due_at=now + lease))
    return [opened for row in rows if (opened := await _opened(conn, row, vault)) is not None]


async def _opened(conn: AsyncConnection, row: Row[Any], vault: Vault) -> Due | None:
    """The browser; one whose address cannot be read, as after a change of the secret, is forgotten."""
    try:
        address = subscriptions.unseal(vault, row)
    except CannotOpen:
        log.warning("a subscription that cannot be opened is forgotten")
        await subscriptions.remove(conn, row.id)
        return None
    return Due(
        id=row.id,
        host=bytes(row.host),
        reader=bytes(row.reader),
        audience=bytes(row.audience),
        failures=row.failures,
        address=address,
    )


async def look_up(conn: AsyncConnection, due: Due, *, vault: Vault, now: datetime) -> Ready:
    """What waits for a browser and is still new to its officer, as lists show it."""
    waiting = select(pushes).where(pushes.c.subscription_id == due.id).order_by(pushes.c.at).limit(_MOST)
    rows = (await conn.execute(waiting)).all()
    if not await conn.scalar(select(exists().where(push_subscriptions.c.id == due.id, is_live(now)))):
        return Ready((), tuple(row.notification_id for row in rows), None)
    fresh = {row.notification_id: row.at for row in rows if row.at > now - KEPT_FOR}
    audiences = {due.audience, *await audiences_with(conn, due.reader)}
    found = await find_as_new(conn, fresh, vault=vault) if fresh else {}
    states = await readers.states_of(conn, found, reader=due.reader)
    new = [
        (found[each], at)
        for each, at in fresh.items()
        if each in found
        and not states.get(each, Reading.UNSEEN) & _KNOWN
        and _is_shown(found[each], audiences, vault, now)
    ]
    unread = await _unread(conn, audiences, due.reader, now) if new else None
    return Ready(tuple(new), tuple(row.notification_id for row in rows), unread)


def _is_shown(one: Notification, audiences: set[bytes], vault: Vault, now: datetime) -> bool:
    """Whether it is on their list still: who has left a group since is not told of what it is told."""
    expires_at = one.personal.expires_at
    return audience_index(vault, one.personal.user or "") in audiences and (
        expires_at is None or expires_at > now
    )


async def _unread(conn: AsyncConnection, audiences: set[bytes], reader: bytes, now: datetime) -> int:
    """How many the officer has not read."""
    view = readers.View(OUT_OF_SIGHT | Reading.READ, Reading.UNSEEN)
    tallies = await readers.tallies(conn, audiences, reader=reader)
    counted = sum(
        number
        for tally in tallies.values()
        for (state, waits), number in tally.items()
        if view.shows(state, waits)
    )
    expired = await terms.expired_of(conn, audiences, reader=reader, now=now)
    return counted - sum(view.shows(row.state, False) for row in expired)


async def write_ends(conn: AsyncConnection, every: Sequence[Ended]) -> list[None]:
    """Write down what came of them, in the caller's transaction: many share one."""
    table = push_subscriptions.c
    ids = [end.due.id for end in every]
    locked = select(table.id).where(table.id.in_(ids)).order_by(table.id).with_for_update()
    await conn.execute(locked)
    for end in every:
        mine = pushes.c.subscription_id == end.due.id
        await conn.execute(pushes.delete().where(mine, pushes.c.notification_id.in_(end.over)))
        if end.is_gone:
            await subscriptions.remove(conn, end.due.id)
            continue
        # What has come meanwhile is due at once.
        more = await conn.scalar(select(exists().where(mine)))
        due_at = (end.next_try or end.at) if more else None
        values = {"due_at": due_at, "failures": end.failures}
        await conn.execute(push_subscriptions.update().where(table.id == end.due.id).values(**values))
    return [None] * len(every)
