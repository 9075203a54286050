"""What can go wrong, in the words of the domain. Interfaces map each to an answer, once."""

from collections.abc import Sequence
from typing import NamedTuple

from postroom.domain.allowance import Allowance


class FieldError(NamedTuple):
    """One field at fault, named as the caller wrote it (`personalisationParams.name`), and what to do."""

    field: str
    message: str


class PostroomError(Exception):
    """Base of every error that a caller is told of. The text never holds personal data."""


class Invalid(PostroomError):
    """The request cannot be accepted as it stands; every field at fault is named."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__(f"{len(errors)} field(s) at fault")
        self.errors = tuple(errors)


class Unauthenticated(PostroomError):
    """Who calls is not known."""


class Forbidden(PostroomError):
    """Who calls is known, and may not do this."""


class NotFound(PostroomError):
    """There is no such thing, or not for this caller. `reason` says which kind of absence it is."""

    def __init__(self, what: str, *, reason: str = "unknown") -> None:
        super().__init__(what)
        self.reason = reason


class Conflict(PostroomError):
    """The thing is in a state that does not allow this."""


class Stale(PostroomError):
    """The caller acts on a version that is no longer the current one."""


class Busy(PostroomError):
    """Postroom, its database or the provider cannot take this now; nothing was changed."""

    def __init__(self, what: str, *, retry_after_seconds: int = 1) -> None:
        super().__init__(what)
        self.retry_after_seconds = retry_after_seconds


class TooMany(PostroomError):
    """The caller asks more often than it may; nothing was changed."""

    def __init__(self, allowance: Allowance) -> None:
        super().__init__(
            f"Your service has used its {allowance.a_minute} calls a minute. "
            f"Ask again in {allowance.retry_after_seconds} s."
        )
        self.allowance = allowance


class KeyMisused(PostroomError):
    """An idempotency key came again with another request."""


class InFlight(PostroomError):
    """The same request is being worked on; asking again in a moment gets its answer."""

    retry_after_seconds = 1


class ProviderRefusedKey(PostroomError):
    """The provider does not accept the service's key."""
