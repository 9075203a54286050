"""What the provider says later: receipts, applied once, in whatever order they come."""

from datetime import UTC, datetime
from functools import partial

from postroom.channels.govuk_notify import Receipt, status_of
from postroom.domain.delivery import record_receipt
from postroom.domain.retry import RetryPolicy
from postroom.domain.status import Status
from postroom.features.notifications import store
from postroom.features.notifications.changes import Apply, Changes, Request
from postroom.kit.database import AsyncConnection, Database
from postroom.kit.ids import is_id, new_id
from postroom.kit.log import get_logger

log = get_logger(__name__)


async def settle(
    receipt: Receipt,
    *,
    service_id: str,
    database: Database,
    changes: Changes,
    policy: RetryPolicy,
    now: datetime,
) -> None:
    """Keep the receipt, and let it change its delivery where it says something new.

    Its `reference` is our delivery's id, so that a receipt that is faster than the answer to the send
    finds its delivery too.
    """
    reference = receipt.reference.lower() if receipt.reference and is_id(receipt.reference) else None
    status = status_of(receipt.status)
    row = {
        "id": new_id(),
        "service_id": service_id,
        "notify_id": receipt.id[:64],
        "status": receipt.status[:64],
        "delivery_id": reference,
        "received_at": now,
        "applied": False,
    }
    if reference is not None and status is not None:
        # As a rule: found in the transaction that changes it, which is shared, and not looked for before.
        apply = _apply(receipt, status, now=now, policy=policy)
        done = await changes.submit(Request(reference, apply, receipt=row, service_id=service_id))
        if done.found:
            return
    async with database.reading() as conn:
        delivery_id = await _delivery_of(conn, receipt, reference, service_id=service_id)
    row["delivery_id"] = delivery_id
    if delivery_id is None or status is None:
        log.warning(
            "receipt kept, not applied", known_delivery=delivery_id is not None, known_status=bool(status)
        )
        async with database.transaction() as conn:
            await store.insert_receipts(conn, [row])
        return
    apply = _apply(receipt, status, now=now, policy=policy)
    await changes.submit(Request(delivery_id, apply, receipt=row))


def _apply(receipt: Receipt, status: Status, *, now: datetime, policy: RetryPolicy) -> Apply:
    return partial(
        record_receipt,
        status=status,
        notify_id=receipt.id,
        now=now,
        policy=policy,
        completed_at=moment(receipt.completed_at),
    )


async def _delivery_of(
    conn: AsyncConnection, receipt: Receipt, reference: str | None, *, service_id: str
) -> str | None:
    row = None
    if reference is not None:
        row = await store.delivery(conn, reference, service_id=service_id)
    if row is None and is_id(receipt.id):
        row = await store.delivery_by_notify_id(conn, receipt.id.lower(), service_id=service_id)
    return None if row is None else row.id


def moment(text: str | None) -> datetime | None:
    """A moment as the provider writes it, None for what is none."""
    if text is None:
        return None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
