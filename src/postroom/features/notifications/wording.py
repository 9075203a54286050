"""The lines of a timeline in plain English."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from postroom.domain.action import READING
from postroom.domain.channel import Channel
from postroom.domain.delivery import MAY_HAVE_BEEN_SENT
from postroom.domain.outcome import OutcomeName
from postroom.domain.status import FAILED, UNDERWAY, Status
from postroom.features import audit, webhooks
from postroom.kit.local_time import until

THINGS: Mapping[Channel, str] = {
    Channel.EMAIL: "email",
    Channel.TEXT: "text message",
    Channel.LETTER: "letter",
}
_ACTIONS = {
    "Initiated": "Taken up",
    "Approved": "Approved",
    "Validate": "Validated",
    "Rejected": "Rejected",
    "IsRead": "Read",
    "IsUnread": "Marked as unread",
    "IsSeen": "Seen",
    "Archived": "Archived",
}
_KINDS = {
    audit.Kind.ACCEPTED: "Accepted and kept.",
    audit.Kind.REMOVED: "Removed from every list. What nobody had begun to send was cancelled.",
    audit.Kind.EXPIRED: "Expired: taken from every list. What nobody had begun to send will not be sent.",
    audit.Kind.MARKED: "Marked with others at once.",
    audit.Kind.HIDDEN: "Removed from their own view.",
    audit.Kind.CANCELLED: "Cancelled.",
    audit.Kind.REPLAYED: "Taken up again, after it had been given up.",
}
BY_WHOM_IS_LOST = "By whom cannot be read: it was sealed with another secret, or changed since."
_ENDS = {
    Status.DELIVERED: "Delivered",
    Status.SENT: "Sent: its carrier says no more of it",
    Status.RECEIVED: "Printed and posted",
    Status.RETURNED: "Returned",
    Status.CANCELLED: "Cancelled",
    Status.EXPIRED: "Expired before it was sent",
    Status.DEAD: "Given up",
}


def of_entry(entry: audit.Recorded) -> str:
    """An audit entry. One of a kind that has no words here is told by its name."""
    if entry.kind is audit.Kind.ACTION:
        return f"{_ACTIONS.get(entry.detail or '', entry.detail)}."
    if entry.kind is audit.Kind.REPLACED:
        return f"A later notification has taken its place: {entry.detail}."
    known = _KINDS.get(entry.kind)
    if known is not None:
        return known
    words = entry.kind.value.replace("-", " ").capitalize()
    return f"{words}: {entry.detail}." if entry.detail else f"{words}."


def is_of_one_reader(entry: audit.Recorded) -> bool:
    """Whether it tells of one person's own view."""
    return entry.kind in (audit.Kind.HIDDEN, audit.Kind.MARKED) or (
        entry.kind is audit.Kind.ACTION
        and (entry.detail in READING or entry.detail in ("IsSeen", "Archived"))
    )


def of_check(row: Row[Any], *, unchecked: bool) -> str:
    """What was decided of a delivery when it was accepted."""
    thing = THINGS[Channel(row.channel)]
    wanted = f"{'An' if thing == 'email' else 'A'} {thing} is to be sent"
    if row.template_version is not None:
        return f"{wanted}, checked against version {row.template_version} of its template."
    if unchecked:
        return f"{wanted}. Its template could not be checked: GOV.UK Notify did not answer."
    return f"{wanted}."


def of_answer(attempt: Row[Any], delivery: Row[Any]) -> str:
    """How a try ended."""
    tried = f"Try {attempt.number}"
    status = "" if attempt.status_code is None else f" answered {attempt.status_code}"
    because = "" if attempt.reason is None else f" ({attempt.reason})"
    match OutcomeName(attempt.outcome):
        case OutcomeName.ACCEPTED:
            version = "" if delivery.used_version is None else f", made from version {delivery.used_version}"
            return f"{tried}: GOV.UK Notify{status or ' has it'} and took it{version}{because}."
        case OutcomeName.REJECTED:
            return f"{tried}: GOV.UK Notify{status} and refused it{because}."
        case OutcomeName.TRY_AGAIN:
            said = f"; GOV.UK Notify{status}" if status else ""
            return f"{tried}: not taken{said}{because}. It is tried again."
        case OutcomeName.NOT_TAKEN:
            return f"{tried}: not taken{because}."
        case OutcomeName.UNCERTAIN:
            return f"{tried}: nobody knows whether it was taken{because}."


def of_receipt(receipt: Row[Any]) -> str:
    said = f"GOV.UK Notify reported “{receipt.status}”"
    return f"{said}." if receipt.applied else f"{said}; that changed nothing."


def of_end(row: Row[Any]) -> str:
    """How a delivery ended, and why."""
    status = Status(row.status)
    because = f": {row.reason}" if row.reason else ""
    if status is Status.DEAD and row.reason == MAY_HAVE_BEEN_SENT:
        return "Given up, and needs a decision: it may have been sent."
    if status is Status.DELIVERED and row.reason == "simulated":
        return "Delivered, as a test: this recipient is a simulated one."
    if status is Status.SUPPRESSED:
        return f"Not sent{because}."
    if status in FAILED and status not in _ENDS:
        return f"Failed ({status}){because}."
    return f"{_ENDS.get(status, status.value)}{because.replace('given up: ', '')}."


def of_next(row: Row[Any], now: datetime) -> str:
    """What is due next of a delivery."""
    moment = until(row.due_at, now=now)
    because = f": {row.reason.removeprefix('waits: ').removeprefix('waits ')}" if row.reason else ""
    if row.lease_until is not None and row.lease_until > now:
        return "A worker is at it."
    if row.open_attempt is not None:
        return f"GOV.UK Notify may have taken it, and is asked at {moment}{because}."
    if Status(row.status) in UNDERWAY:
        return f"GOV.UK Notify has it. Unless it reports before, it is asked at {moment}."
    if row.due_at <= now:
        return f"Due since {moment}{because}."
    return f"Held until {moment}{because}."


def of_told(told: webhooks.Told) -> str:
    """A try to tell the service by its webhook."""
    answered = f"answered {told.status_code}" if told.status_code is not None else "did not answer"
    because = f" ({told.error})" if told.error else ""
    ends = {
        webhooks.Outcome.DELIVERED: "",
        webhooks.Outcome.TRY_AGAIN: " It is told again.",
        webhooks.Outcome.GIVEN_UP: " That was the last try.",
        webhooks.Outcome.GONE: " The webhook was switched off: it is gone.",
    }
    return f"Told the service “{told.kind}”: its webhook {answered}{because}.{ends[told.outcome]}"


def of_to_be_told(call: webhooks.ToBeTold, now: datetime) -> str:
    tries = f" after {call.tries} {'try' if call.tries == 1 else 'tries'} in vain" if call.tries else ""
    return f"The service is to be told “{call.kind}” at {until(call.due_at, now=now)}{tries}."
