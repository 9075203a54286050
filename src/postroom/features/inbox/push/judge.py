"""What follows from a push service's answer. Pure: the time and the chance are passed in."""

from datetime import datetime, timedelta
from enum import StrEnum

from postroom.features.webhooks.retry import LONGEST_RETRY_AFTER, Answer, asked_for

WAITS = (
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
)
"""After each failure in a row; after one more, what waits is given up."""

_JITTER = 0.2
_GONE = frozenset({404, 410})
_BUSY = frozenset({408, 425, 429})


class Outcome(StrEnum):
    TAKEN = "taken"
    TRY_AGAIN = "try-again"
    # It will never take this one; the next may be right.
    REFUSED = "refused"
    GIVEN_UP = "given-up"
    # The browser subscribes no more.
    GONE = "gone"


def outcome_of(answer: Answer, *, failures: int) -> Outcome:
    """What came of a push after so many failures in a row."""
    status = answer.status_code
    if status is not None and 200 <= status < 300:
        return Outcome.TAKEN
    if status in _GONE:
        return Outcome.GONE
    if status is not None and status < 500 and status not in _BUSY:
        return Outcome.REFUSED
    return Outcome.TRY_AGAIN if failures < len(WAITS) else Outcome.GIVEN_UP


def next_try(answer: Answer, *, failures: int, now: datetime, chance: float) -> datetime:
    """When what could not be taken is tried again. `chance` (0 to 1) spreads many of them."""
    wait = WAITS[min(failures, len(WAITS) - 1)] * (1 + _JITTER * chance)
    return now + max(wait, min(asked_for(answer.retry_after, now), LONGEST_RETRY_AFTER))
