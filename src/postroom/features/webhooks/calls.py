"""The calls that are to be made: claimed by one worker at a time, and what came of them written down."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, bindparam, exists, or_, select

from postroom.features.webhooks.endpoints import drop_calls, unseal
from postroom.features.webhooks.retry import GIVE_UP_ENDPOINT_AFTER, Answer, Outcome, Verdict
from postroom.features.webhooks.tables import (
    feedback_events,
    webhook_attempts,
    webhook_calls,
    webhook_endpoints,
)
from postroom.features.webhooks.told import FeedbackItem, Subjects, to_body, to_item
from postroom.kit.crypto import CannotOpen, Vault
from postroom.kit.database import AsyncConnection, BulkInsert, BulkUpdate, Instant, Statement
from postroom.kit.ids import new_id
from postroom.kit.log import get_logger

log = get_logger(__name__)

LEASE = timedelta(seconds=30)
"""How long a claim holds: longer than a call may take, and than its end waits to be written."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call, ready to be made. `keys` sign it; `number` counts its tries with this one."""

    event_id: str
    service_id: str
    notification_id: str
    number: int
    url: str = field(repr=False)
    keys: tuple[str, ...] = field(repr=False)
    body: bytes = field(repr=False)
    correlation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of a try."""

    call: Call
    at: datetime
    answer: Answer
    verdict: Verdict


def _is_due(now: ColumnElement[datetime]) -> ColumnElement[bool]:
    calls = webhook_calls.c
    return and_(calls.due_at <= now, or_(calls.lease_until.is_(None), calls.lease_until <= now))


_NOW = bindparam("now", type_=Instant)
SERVICES_WITH_CALLS = Statement(
    select(webhook_endpoints.c.service_id).where(
        webhook_endpoints.c.off_at.is_(None),
        exists().where(webhook_calls.c.service_id == webhook_endpoints.c.service_id, _is_due(_NOW)),
    )
)
"""The services that have a call due `now`, one for which nobody waits."""


async def claim_calls(
    conn: AsyncConnection, free: Callable[[str], int], *, vault: Vault, subjects: Subjects, now: datetime
) -> list[Call]:
    """Claim what is due, for each service as many as are `free`, in the caller's transaction.

    Of a notification only its first event is due: the next is not told before that was answered or given up.
    What is for an endpoint that cannot be opened is left: it is due again when its lease lapses.
    """
    rows: list[Row[Any]] = []
    for (service_id,) in (await conn.execute(SERVICES_WITH_CALLS.clause, {"now": now})).all():
        if (most := free(service_id)) > 0:
            rows += await _due(conn, service_id, now=now, limit=most)
    if not rows:
        return []
    claimed = webhook_calls.c.id.in_([row.id for row in rows])
    await conn.execute(webhook_calls.update().where(claimed).values(lease_until=now + LEASE))
    return await _ready(conn, rows, vault=vault, subjects=subjects, now=now)


async def write_ends(conn: AsyncConnection, every: Sequence[Ended]) -> list[None]:
    """Write down what came of tries, in the caller's transaction: many share one."""
    await _insert_attempts(conn, [_attempt(end) for end in every])
    over = [end for end in every if end.verdict.outcome is not Outcome.TRY_AGAIN]
    await conn.execute(
        webhook_calls.delete().where(webhook_calls.c.id.in_([end.call.event_id for end in over]))
    )
    await _put_off(conn, [end for end in every if end.verdict.outcome is Outcome.TRY_AGAIN])
    for end in over:
        await _let_next_be_due(conn, end)
    await _keep_health(conn, every)
    return [None] * len(every)


_insert_attempts = BulkInsert(webhook_attempts).run
_set_next_try = BulkUpdate(webhook_calls, ("due_at", "attempts", "lease_until")).run


async def _due(conn: AsyncConnection, service_id: str, *, now: datetime, limit: int) -> list[Row[Any]]:
    """Locked; what another worker is just claiming is left out."""
    calls, earlier = webhook_calls.c, webhook_calls.alias("earlier")
    waits = exists().where(
        earlier.c.notification_id == calls.notification_id, earlier.c.position < calls.position
    )
    return list(
        await conn.execute(
            select(webhook_calls)
            .where(calls.service_id == service_id, _is_due(_NOW), ~waits)
            .order_by(calls.due_at, calls.position)
            .limit(limit)
            .with_for_update(skip_locked=True, of=webhook_calls),
            {"now": now},
        )
    )


async def _ready(
    conn: AsyncConnection, rows: Sequence[Row[Any]], *, vault: Vault, subjects: Subjects, now: datetime
) -> list[Call]:
    ids = [row.id for row in rows]
    events = {
        row.id: row
        for row in await conn.execute(select(feedback_events).where(feedback_events.c.id.in_(ids)))
    }
    wanted = webhook_endpoints.c.service_id.in_({row.service_id for row in rows})
    found = await conn.execute(select(webhook_endpoints).where(wanted))
    endpoints = {row.service_id: opened for row in found if (opened := _opened(row, vault, now)) is not None}
    about = await subjects(conn, {row.notification_id for row in rows})
    return [
        _call(row, to_item(events[row.id], about.get(row.notification_id)), *endpoint)
        for row in rows
        if row.id in events and (endpoint := endpoints.get(row.service_id)) is not None
    ]


def _opened(endpoint: Row[Any], vault: Vault, now: datetime) -> tuple[str, tuple[str, ...]] | None:
    """The address and the secrets that sign; None where they cannot be opened, which delays nobody else."""
    try:
        kept = unseal(vault, endpoint)
    except CannotOpen as error:
        log.error("a webhook cannot be opened", service=endpoint.service_id, exc_info=error)
        return None
    overlaps = kept.former is not None and endpoint.former_until is not None and now < endpoint.former_until
    keys = (kept.secret, kept.former) if overlaps and kept.former is not None else (kept.secret,)
    return kept.url, keys


def _call(row: Row[Any], told: FeedbackItem, url: str, keys: tuple[str, ...]) -> Call:
    return Call(
        event_id=row.id,
        service_id=row.service_id,
        notification_id=row.notification_id,
        number=row.attempts + 1,
        url=url,
        keys=keys,
        body=to_body(told),
        correlation_id=told.data.correlation_id,
    )


def _attempt(end: Ended) -> dict[str, Any]:
    return {
        "id": new_id(),
        "event_id": end.call.event_id,
        "service_id": end.call.service_id,
        "notification_id": end.call.notification_id,
        "number": end.call.number,
        "at": end.at,
        "took_ms": round(end.answer.took.total_seconds() * 1000),
        "status_code": end.answer.status_code,
        "error": end.answer.error,
        "outcome": end.verdict.outcome.value,
    }


async def _put_off(conn: AsyncConnection, ends: Sequence[Ended]) -> None:
    """Set the next try, and leave what waits for it until then: it need not be looked at before."""
    rows = [
        {
            "id": end.call.event_id,
            "due_at": end.verdict.due_at,
            "attempts": end.call.number,
            "lease_until": None,
        }
        for end in ends
    ]
    await _set_next_try(conn, rows)
    for end in ends:
        await conn.execute(
            webhook_calls.update()
            .where(
                webhook_calls.c.notification_id == end.call.notification_id,
                webhook_calls.c.due_at < end.verdict.due_at,
                webhook_calls.c.lease_until.is_(None),
            )
            .values(due_at=end.verdict.due_at)
        )


async def _let_next_be_due(conn: AsyncConnection, end: Ended) -> None:
    """What only waited for this one is due now; what has failed itself keeps its own time."""
    calls = webhook_calls.c
    waited = calls.notification_id == end.call.notification_id, calls.due_at > end.at, calls.attempts == 0
    await conn.execute(webhook_calls.update().where(*waited).values(due_at=end.at))


async def _keep_health(conn: AsyncConnection, every: Sequence[Ended]) -> None:
    """Since when an endpoint has failed without a single success, and whether that is long enough."""
    now = max(end.at for end in every)
    endpoints = webhook_endpoints.c
    well = {end.call.service_id for end in every if end.verdict.outcome is Outcome.DELIVERED}
    unwell = {end.call.service_id for end in every} - well
    gone = {end.call.service_id for end in every if end.verdict.outcome is Outcome.GONE}
    if well:
        recovered = endpoints.service_id.in_(well), endpoints.failing_since.is_not(None)
        await conn.execute(webhook_endpoints.update().where(*recovered).values(failing_since=None))
    if unwell:
        begun = endpoints.service_id.in_(unwell), endpoints.failing_since.is_(None)
        await conn.execute(webhook_endpoints.update().where(*begun).values(failing_since=now))
        too_long = endpoints.failing_since <= now - GIVE_UP_ENDPOINT_AFTER
        await _switch_off(conn, and_(endpoints.service_id.in_(unwell), too_long), reason="failing", now=now)
    if gone:
        await _switch_off(conn, endpoints.service_id.in_(gone), reason="gone", now=now)


async def _switch_off(
    conn: AsyncConnection, which: ColumnElement[bool], *, reason: str, now: datetime
) -> None:
    """Call an endpoint no more until its service sets it again. The feed keeps what it misses."""
    switched = await conn.execute(
        webhook_endpoints.update()
        .where(which, webhook_endpoints.c.off_at.is_(None))
        .values(off_at=now, off_reason=reason)
        .returning(webhook_endpoints.c.service_id)
    )
    off = [row.service_id for row in switched]
    for service_id in off:
        log.warning("webhook switched off", service=service_id, reason=reason)
    if off:
        await drop_calls(conn, off)
