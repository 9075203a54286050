"""The course of a message: which status it comes to and when, laid down when it is accepted."""

from notify_rules.simulated import outcome_with_test_key
from notify_sandbox.model import FINAL, Channel, KeyType, Notification, ReceiptState
from notify_sandbox.settings import Timing

Steps = list[tuple[float, str]]


def of_email(*, at: float, timing: Timing, outcome: str) -> Steps:
    return [(at, "created"), (at + timing.sending, "sending"), (at + timing.final, outcome)]


def of_text(*, at: float, timing: Timing, outcome: str) -> Steps:
    return [
        (at, "created"),
        (at + timing.sending, "sending"),
        (at + timing.pending, "pending"),
        (at + timing.final, outcome),
    ]


def of_text_abroad(*, at: float, timing: Timing) -> Steps:
    """Networks abroad report nothing back: `sent` is all that is ever known."""
    return [(at, "created"), (at + timing.sending, "sent")]


def of_letter(*, at: float, timing: Timing, fault: str | None) -> Steps:
    if fault is not None:
        return [(at, "created"), (at + timing.letter_pdf, fault)]
    return [
        (at, "created"),
        (at + timing.letter_sending, "sending"),
        (at + timing.letter_received, "delivered"),
    ]


def of_precompiled(*, at: float, timing: Timing, key_type: KeyType, fault: str | None) -> Steps:
    """`fault` is the status that ends it after the virus check."""
    checked = at + timing.virus_check
    waiting = (at, "pending-virus-check")
    if fault is not None:
        return [waiting, (checked, fault)]
    if key_type is KeyType.TEST:
        return [waiting, (checked, "delivered")]
    return [
        waiting,
        (checked, "created"),
        (checked + timing.letter_sending, "sending"),
        (checked + timing.letter_received, "delivered"),
    ]


def outcome_for(recipient: str, key_type: KeyType) -> str:
    return outcome_with_test_key(recipient) if key_type is KeyType.TEST else "delivered"


ENDS = FINAL - {"sent"}


def end_later(notification: Notification, status: str, *, at: float) -> None:
    """Adds a turn for the worse after its end."""
    notification.steps.append((at, status))


def end(notification: Notification, status: str, *, now: float) -> None:
    """Cuts the course short: from now on it stands at `status`, whatever its end was."""
    first, *others = notification.steps
    under_way = [step for step in others if step[0] <= now and step[1] not in FINAL]
    notification.steps = [first, *under_way, (now, status)]


def final_step(notification: Notification) -> tuple[float, str] | None:
    return next(((at, status) for at, status in notification.steps if status in FINAL), None)


def receipts_for(notification: Notification) -> list[ReceiptState]:
    """A receipt for the end of an email or text; letters are asked after."""
    last = final_step(notification)
    if last is None or notification.channel is Channel.LETTER:
        return []
    return [ReceiptState(due_at=last[0], status=last[1])]
