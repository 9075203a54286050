"""The log of calls: every try, with what came of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, select

from postroom.features.webhooks.retry import Outcome
from postroom.features.webhooks.tables import webhook_attempts
from postroom.kit.database import AsyncConnection


@dataclass(frozen=True, slots=True)
class AttemptFilters:
    """Which tries of a service's calls; None means any. `before` is the id that a page continues after."""

    service_id: str
    event_id: str | None = None
    notification_id: str | None = None
    outcome: Outcome | None = None
    made_from: datetime | None = None
    made_to: datetime | None = None
    before: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class WebhookAttempt:
    """`error` is a word for what went wrong before an answer came."""

    id: str
    event_id: str
    notification_id: str
    number: int
    at: datetime
    took_ms: int
    status_code: int | None
    error: str | None
    outcome: Outcome


async def find_attempts(
    conn: AsyncConnection, filters: AttemptFilters
) -> tuple[list[WebhookAttempt], str | None]:
    """One page, newest first, and the id that continues the list, None at its end."""
    rows = (
        await conn.execute(
            select(webhook_attempts)
            .where(*_conditions(filters))
            .order_by(webhook_attempts.c.id.desc())
            .limit(filters.limit + 1)
        )
    ).all()
    shown = rows[: filters.limit]
    return [_to_attempt(row) for row in shown], shown[-1].id if len(rows) > filters.limit else None


def _conditions(filters: AttemptFilters) -> list[ColumnElement[bool]]:
    columns = webhook_attempts.c
    equal = {
        columns.event_id: filters.event_id,
        columns.notification_id: filters.notification_id,
        columns.outcome: filters.outcome,
    }
    where = [columns.service_id == filters.service_id]
    where += [column == value for column, value in equal.items() if value is not None]
    if filters.made_from is not None:
        where.append(columns.at >= filters.made_from)
    if filters.made_to is not None:
        where.append(columns.at < filters.made_to)
    if filters.before is not None:
        where.append(columns.id < filters.before)
    return where


def _to_attempt(row: Row[Any]) -> WebhookAttempt:
    return WebhookAttempt(
        id=row.id,
        event_id=row.event_id,
        notification_id=row.notification_id,
        number=row.number,
        at=row.at,
        took_ms=row.took_ms,
        status_code=row.status_code,
        error=row.error,
        outcome=Outcome(row.outcome),
    )
