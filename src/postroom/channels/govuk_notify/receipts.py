"""What Notify says later: its receipts and its statuses, mapped to ours once, as data."""

import msgspec

from postroom.domain.status import Status

_STATUS = {
    "created": Status.SENDING,
    "sending": Status.SENDING,
    "pending": Status.SENDING,
    "accepted": Status.SENDING,
    "pending-virus-check": Status.SENDING,
    "sent": Status.SENT,
    "delivered": Status.DELIVERED,
    "received": Status.RECEIVED,
    "cancelled": Status.CANCELLED,
    "permanent-failure": Status.PERMANENT_FAILURE,
    "temporary-failure": Status.TEMPORARY_FAILURE,
    "technical-failure": Status.TECHNICAL_FAILURE,
    "validation-failed": Status.VALIDATION_FAILED,
    "virus-scan-failed": Status.VIRUS_SCAN_FAILED,
    "returned-letter": Status.RETURNED,
}


class Receipt(msgspec.Struct, frozen=True):
    """One delivery receipt. The recipient (`to`) is not read: we know whom we sent it to."""

    id: str
    status: str
    reference: str | None = None
    completed_at: str | None = None
    sent_at: str | None = None
    notification_type: str | None = None


def status_of(notify_status: str) -> Status | None:
    """Our status for Notify's, None for one that is new to us."""
    return _STATUS.get(notify_status)


def decode(raw: bytes) -> Receipt | None:
    """The receipt, or None where the body is none."""
    try:
        receipt = msgspec.json.decode(raw, type=Receipt)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None
    # A database may refuse what is no character; Notify sends none.
    return receipt if receipt.id.isprintable() and receipt.status.isprintable() else None
