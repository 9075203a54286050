"""The feed: what happened to a service's notifications, in an order that never changes behind a reader."""

from dataclasses import dataclass

from sqlalchemy import func, select

from postroom.features.webhooks.tables import feedback_events
from postroom.features.webhooks.told import FeedbackItem, Subjects, to_item
from postroom.kit.database import AsyncConnection


@dataclass(frozen=True, slots=True)
class FeedPage:
    """`has_more` says that there is more right now, after the last of these."""

    items: tuple[FeedbackItem, ...]
    has_more: bool


async def read_feed(
    conn: AsyncConnection, *, service_id: str, since: int, limit: int, subjects: Subjects
) -> FeedPage:
    """The service's events after a place in the feed, the oldest first."""
    events = feedback_events.c
    rows = (
        await conn.execute(
            select(feedback_events)
            .where(events.service_id == service_id, events.position > since)
            .order_by(events.position)
            .limit(limit + 1)
        )
    ).all()
    shown = rows[:limit]
    about = await subjects(conn, {row.notification_id for row in shown}) if shown else {}
    items = tuple(to_item(row, about.get(row.notification_id)) for row in shown)
    return FeedPage(items, has_more=len(rows) > limit)


async def end_of_feed(conn: AsyncConnection, *, service_id: str) -> int:
    """The place after which everything is that happens from now on."""
    events = feedback_events.c
    return await conn.scalar(select(func.max(events.position)).where(events.service_id == service_id)) or 0
