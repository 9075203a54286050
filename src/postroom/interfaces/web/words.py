"""The words of the pages: moments, channels, statuses and actions as people read them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from postroom.domain import action, target_type
from postroom.domain.action import ActionType
from postroom.domain.channel import Channel
from postroom.domain.notification import Notification
from postroom.domain.status import FAILED, Status
from postroom.features.inbox.register import Unconfirmed
from postroom.features.notifications.find import Count
from postroom.kit.local_time import LONDON, clock, day, day_and_clock

CHANNELS: Mapping[Channel, str] = {
    Channel.SCREEN: "Screen",
    Channel.EMAIL: "Email",
    Channel.TEXT: "Text message",
    Channel.LETTER: "Letter",
}
ACTIONS: Mapping[ActionType, str] = {
    ActionType.INITIATED: "Taken up",
    ActionType.APPROVED: "Approved",
    ActionType.VALIDATE: "Validated",
    ActionType.REJECTED: "Rejected",
}
UNREADABLE = (
    "What is personal about this cannot be read: it was sealed with another secret, or changed since. "
    "Whoever runs Postroom can tell why."
)
_GOOD = frozenset({Status.DELIVERED, Status.RECEIVED, Status.SENT})
_BAD = FAILED | {Status.SUPPRESSED, Status.EXPIRED}


def when(moment: datetime | None) -> str:
    return "" if moment is None else day_and_clock(moment)


def when_exactly(moment: datetime) -> str:
    """To the second, for what follows one thing upon another."""
    return f"{day(moment)} at {moment.astimezone(LONDON):%H:%M:%S}"


def exact(moment: datetime) -> str:
    """For the datetime of a <time>."""
    return moment.isoformat().replace("+00:00", "Z")


def kind_of(name: str | None) -> str:
    """A target type as words."""
    return target_type.in_words(name)


def first_line(text: str | None, most: int = 120) -> str:
    """The beginning of a message, for a list."""
    line = " ".join((text or "").split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def colour(status: str) -> str:
    """The colour of a status's tag, which says its word too."""
    if status in _GOOD:
        return "govuk-tag--green"
    return "govuk-tag--red" if status in _BAD else "govuk-tag--blue"


def counted(number: int, is_exact: bool = True) -> str:
    return f"{number:,}" if is_exact else f"more than {number:,}"


def as_text(value: object) -> str:
    """A value of a personalisation."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return f"file {value.get('filename') or ''}".strip()
    return str(value)


def preview(one: Notification) -> str:
    """What a list shows of a notification's text."""
    return first_line(one.personal.message)


def is_outstanding(one: Notification) -> bool:
    return action.is_outstanding(require_action=one.require_action, performed=one.action)


def confirmed(item: Unconfirmed) -> str:
    """How many have confirmed it, of how many. Of a very large group only a part is looked at."""
    of = f"{item.members:,}" if item.is_all else f"the first {item.members:,}"
    return f"{item.members - len(item.missing):,} of {of} confirmed"


def standing(numbers: Count) -> str:
    """How much there is for somebody, and how much of it is left to do."""
    if not numbers.number:
        return "There is nothing for you."
    unread = f"{numbers.unread:,} unread" if numbers.unread else "all read"
    waiting = numbers.needs_action or 0
    needs = f", {waiting:,} {'needs' if waiting == 1 else 'need'} action" if waiting else ""
    return f"{numbers.number:,} on your list: {unread}{needs}."


def decided(one: Notification, *, reader: str, now: datetime) -> str | None:
    """What was done about it, by whom and when, in a sentence: for who has done nothing it is closed so."""
    if one.action is None or one.action_at is None:
        return None
    by = one.action_detail.done_by if one.action_detail else "somebody"
    at = one.action_at
    moment = f"at {clock(at)}" if day(at) == day(now) else f"on {day_and_clock(at)}"
    return f"{ACTIONS[one.action]} by {'you' if by == reader else by} {moment}"


def audience(user: str) -> str:
    """Whom it addresses, as in: the group finance."""
    kind, colon, name = user.partition(":")
    return f"the {kind} {name}" if colon and kind in ("group", "patch") else user


def pairs(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(name, as_text(value)) for name, value in values.items()]


TYPES = {"email": "Email", "sms": "Text message", "letter": "Letter"}
"""GOV.UK Notify's names for the channels."""


def channels(every: Iterable[Channel]) -> str:
    return ", ".join(CHANNELS[each] for each in every)
