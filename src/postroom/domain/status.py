"""Where a delivery stands, and where it may go from there."""

from enum import StrEnum


class Status(StrEnum):
    PENDING = "pending"
    SCHEDULED = "scheduled"
    HELD = "held"
    SENDING = "sending"
    SENT = "sent"
    RECEIVED = "received"
    DELIVERED = "delivered"
    PERMANENT_FAILURE = "permanent-failure"
    TEMPORARY_FAILURE = "temporary-failure"
    TECHNICAL_FAILURE = "technical-failure"
    VALIDATION_FAILED = "validation-failed"
    VIRUS_SCAN_FAILED = "virus-scan-failed"
    RETURNED = "returned"
    CANCELLED = "cancelled"
    SUPPRESSED = "suppressed"
    EXPIRED = "expired"
    DEAD = "dead"


WAITING = frozenset({Status.PENDING, Status.SCHEDULED, Status.HELD})
"""Not yet with the provider."""

UNDERWAY = frozenset({Status.SENDING})
"""With the provider, its end not yet known."""

FINAL = frozenset(Status) - WAITING - UNDERWAY
"""The end of a delivery: no receipt, poll or retry changes it any more."""

FAILED = frozenset(
    {
        Status.PERMANENT_FAILURE,
        Status.TEMPORARY_FAILURE,
        Status.TECHNICAL_FAILURE,
        Status.VALIDATION_FAILED,
        Status.VIRUS_SCAN_FAILED,
        Status.RETURNED,
        Status.DEAD,
    }
)

PLAIN_REASON = {
    Status.PERMANENT_FAILURE: "the address or number does not exist or does not take messages",
    Status.TEMPORARY_FAILURE: "the address or number could not be reached for three days",
    Status.TECHNICAL_FAILURE: "the provider or its carrier failed",
    Status.VALIDATION_FAILED: "the letter did not pass the provider's checks",
    Status.VIRUS_SCAN_FAILED: "the provider found a virus in the letter",
    Status.RETURNED: "the letter came back",
    Status.CANCELLED: "cancelled at the provider",
}
"""Why, for each failed end that a provider can tell of without saying more."""


def is_final(status: Status) -> bool:
    return status in FINAL


def may_become(current: Status, following: Status) -> bool:
    """Whether a delivery that stands at `current` may be set to `following`.

    A final status never reopens, with one exception that the post makes: a letter that was received
    by the printer's count can still come back as returned.
    """
    if current in FINAL:
        return current is Status.RECEIVED and following is Status.RETURNED
    if current in UNDERWAY:
        return following not in WAITING
    return True
