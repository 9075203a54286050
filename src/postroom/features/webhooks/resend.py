"""Calling again: one event, or all since a moment, with the same ids as the first time."""

from datetime import datetime

from sqlalchemy import Select, and_, func, literal, select
from sqlalchemy.dialects import postgresql, sqlite

from postroom.domain.errors import Conflict, NotFound
from postroom.features.webhooks.tables import feedback_events, webhook_calls, webhook_endpoints
from postroom.kit.database import AsyncConnection, Database, Instant
from postroom.kit.ids import first_id_at

AT_ONCE = 1_000
"""So many are put in one transaction."""

_CALLED = ["id", "service_id", "notification_id", "position", "due_at", "attempts"]


async def resend_one(conn: AsyncConnection, event_id: str, *, service_id: str, now: datetime) -> None:
    """Call again with one event, in the caller's transaction, counting its tries from the beginning.

    NotFound where it is none of the service's; Conflict where the service has no webhook that is on.
    """
    await _check_endpoint(conn, service_id)
    found = await _put(conn, _events(service_id, now).where(feedback_events.c.id == event_id))
    if not found:
        raise NotFound("There is no such event.")


async def resend_since(database: Database, since: datetime, *, service_id: str, now: datetime) -> int:
    """Call again with all that was recorded since a moment, in a transaction for every AT_ONCE; how many."""
    resent, after = 0, 0
    while True:
        async with database.transaction() as conn:
            await _check_endpoint(conn, service_id)
            wanted = and_(
                feedback_events.c.service_id == service_id,
                feedback_events.c.id >= first_id_at(since),
                feedback_events.c.position > after,
            )
            some = (
                select(feedback_events.c.position)
                .where(wanted)
                .order_by(feedback_events.c.position)
                .limit(AT_ONCE)
                .subquery()
            )
            last = await conn.scalar(select(func.max(some.c.position)))
            if last is None:
                return resent
            resent += await _put(
                conn, _events(service_id, now).where(wanted, feedback_events.c.position <= last)
            )
            after = last


def _events(service_id: str, now: datetime) -> Select[tuple[object, ...]]:
    events = feedback_events.c
    at = literal(now, Instant())
    return select(
        events.id, events.service_id, events.notification_id, events.position, at, literal(0)
    ).where(events.service_id == service_id)


async def _put(conn: AsyncConnection, events: Select[tuple[object, ...]]) -> int:
    insert = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    statement = insert(webhook_calls).from_select(_CALLED, events)
    again = {"due_at": statement.excluded.due_at, "attempts": 0}
    done = await conn.execute(statement.on_conflict_do_update(index_elements=["id"], set_=again))
    return done.rowcount


async def _check_endpoint(conn: AsyncConnection, service_id: str) -> None:
    statement = select(webhook_endpoints.c.off_at).where(webhook_endpoints.c.service_id == service_id)
    row = (await conn.execute(statement)).first()
    if row is None:
        raise Conflict("Your service has no webhook: PUT /webhook sets one.")
    if row.off_at is not None:
        raise Conflict("Your webhook is switched off: PUT /webhook switches it on again.")
