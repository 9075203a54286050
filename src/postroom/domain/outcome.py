"""What the provider said at once to one attempt. A value, not an exception."""

from dataclasses import dataclass
from enum import StrEnum


class Limit(StrEnum):
    """A limit of the provider's, by how long it holds."""

    MINUTE = "minute"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has it, under an id of its own."""

    notify_id: str
    template_version: int | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """The provider will never take this; the reason is plain and holds no personal data."""

    reason: str
    status_code: int


@dataclass(frozen=True, slots=True)
class TryAgain:
    """The provider certainly did not take it, and may later."""

    reason: str
    status_code: int | None = None
    limit: Limit | None = None
    """Which of the provider's limits was reached, where it was one."""
    answered: bool = False
    """Whether the provider itself said so; else it was not reached, or something else answered for it."""


@dataclass(frozen=True, slots=True)
class Uncertain:
    """The provider may have taken it: ask for our reference before it is tried again."""

    reason: str
    status_code: int | None = None


Outcome = Accepted | Rejected | TryAgain | Uncertain


def speaks_of_presence(outcome: Outcome) -> bool:
    """Whether the provider is there: it took the attempt, or refused it in its own words."""
    match outcome:
        case Accepted() | Rejected():
            return True
        case TryAgain(answered=answered):
            return answered
        case Uncertain():
            return False


class OutcomeName(StrEnum):
    """How an attempt's end is kept in its row; an attempt without one is open."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    TRY_AGAIN = "try-again"
    UNCERTAIN = "uncertain"
    NOT_TAKEN = "not-taken"


def name_of(outcome: Outcome) -> OutcomeName:
    match outcome:
        case Accepted():
            return OutcomeName.ACCEPTED
        case Rejected():
            return OutcomeName.REJECTED
        case TryAgain():
            return OutcomeName.TRY_AGAIN
        case Uncertain():
            return OutcomeName.UNCERTAIN
