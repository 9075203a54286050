"""When a call is tried again, and when it is given up. Pure: the time and the chance are passed in."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum

WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=10),
)
"""After each try but the last: with the first, eight tries in a little more than a day."""
LONGEST_RETRY_AFTER = timedelta(hours=1)
GIVE_UP_ENDPOINT_AFTER = timedelta(days=5)
"""An endpoint that fails for so long without a single success is switched off."""

_JITTER = 0.1
_GONE = 410
_BUSY = frozenset({429, 503})


class Outcome(StrEnum):
    DELIVERED = "delivered"
    TRY_AGAIN = "try-again"
    GIVEN_UP = "given-up"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one try: a status, or a word for why there is none. `retry_after` as it was sent."""

    status_code: int | None = None
    error: str | None = None
    retry_after: str | None = None
    took: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`due_at` is the next try's time, where there is one."""

    outcome: Outcome
    due_at: datetime | None = None


def judge(answer: Answer, *, tries: int, now: datetime, chance: float) -> Verdict:
    """What follows from the answer to the last of so many tries. `chance` (0 to 1) spreads the next ones."""
    if answer.status_code is not None and 200 <= answer.status_code < 300:
        return Verdict(Outcome.DELIVERED)
    if answer.status_code == _GONE:
        return Verdict(Outcome.GONE)
    if tries > len(WAITS):
        return Verdict(Outcome.GIVEN_UP)
    wait = WAITS[tries - 1] * (1 + _JITTER * chance)
    if answer.status_code in _BUSY:
        wait = max(wait, min(asked_for(answer.retry_after, now), LONGEST_RETRY_AFTER))
    return Verdict(Outcome.TRY_AGAIN, now + wait)


def asked_for(retry_after: str | None, now: datetime) -> timedelta:
    """What a Retry-After asks for, in seconds or as a date; nothing where it cannot be read."""
    if retry_after is None:
        return timedelta(0)
    if retry_after.isascii() and retry_after.isdigit():
        return timedelta(seconds=int(retry_after[:9]))
    try:
        return parsedate_to_datetime(retry_after) - now
    except (ValueError, TypeError, OverflowError):
        return timedelta(0)
