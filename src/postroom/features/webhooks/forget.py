"""Giving up feedback and the log of its calls after a while."""

from datetime import datetime, timedelta

from sqlalchemy import Table, exists, select

from postroom.features.webhooks.tables import (
    feedback_events,
    webhook_attempts,
    webhook_calls,
    webhook_endpoints,
)
from postroom.kit.database import Database
from postroom.kit.ids import first_id_at

KEPT_FOR = timedelta(days=30)

_AT_ONCE = 5_000


async def forget_feedback(database: Database, *, now: datetime) -> int:
    """Give up what is older than is kept, some thousand rows a transaction; how many rows."""
    before = first_id_at(now - KEPT_FOR)
    gone = 0
    for table in (feedback_events, webhook_attempts):
        while some := await _delete_some(database, table, before=before):
            gone += some
    await _drop_calls_of_nobody(database)
    return gone


async def _delete_some(database: Database, table: Table, *, before: str) -> int:
    some = select(table.c.id).where(table.c.id < before).order_by(table.c.id).limit(_AT_ONCE)
    async with database.transaction() as conn:
        return (await conn.execute(table.delete().where(table.c.id.in_(some)))).rowcount


async def _drop_calls_of_nobody(database: Database) -> None:
    """Calls whose event is gone, or that were published while their endpoint was being switched off."""
    event = exists().where(feedback_events.c.id == webhook_calls.c.id)
    endpoint = exists().where(
        webhook_endpoints.c.service_id == webhook_calls.c.service_id, webhook_endpoints.c.off_at.is_(None)
    )
    async with database.transaction() as conn:
        await conn.execute(webhook_calls.delete().where(~event | ~endpoint))
