"""How much of feedback is still on its way, for those who watch over all."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select

from postroom.features.webhooks.tables import feedback_outbox, webhook_calls, webhook_endpoints
from postroom.kit.database import AsyncConnection

MOST_COUNTED = 100_000


class FeedbackStanding(NamedTuple):
    """`unpublished` waits for its place in the feed, `calls` to be made; each up to MOST_COUNTED."""

    unpublished: int
    oldest_unpublished: datetime | None
    calls: int
    endpoints: int
    endpoints_off: int


async def feedback_standing(conn: AsyncConnection) -> FeedbackStanding:
    endpoints = webhook_endpoints.c
    number, off = (
        await conn.execute(select(func.count(), func.count(endpoints.off_at)).select_from(webhook_endpoints))
    ).one()
    first = select(feedback_outbox.c.at).order_by(feedback_outbox.c.drawn).limit(1)
    return FeedbackStanding(
        unpublished=await _count(conn, select(feedback_outbox.c.drawn)),
        oldest_unpublished=await conn.scalar(first),
        calls=await _count(conn, select(webhook_calls.c.id)),
        endpoints=number,
        endpoints_off=off,
    )


async def _count(conn: AsyncConnection, rows: Select[tuple[Any]]) -> int:
    return await conn.scalar(select(func.count()).select_from(rows.limit(MOST_COUNTED).subquery())) or 0
