"""What can go wrong. No text holds a key, or what was sent."""

import json
from collections.abc import Mapping
from typing import Any

PROBLEM = "application/problem+json"


class PostroomError(Exception):
    """Base of all: the call did not bring what was asked for."""

    def __init__(
        self, text: str, *, status: int | None = None, problem: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(text)
        told = problem or {}
        self.status = status
        self.user_message: str | None = told.get("userErrorMessage")
        """A sentence for the person at the screen."""
        self.correlation_id: str | None = told.get("correlationId")
        self.retry_after: float | None = None
        """In how many seconds Postroom wants to be asked again."""
        self.idempotency_key: str | None = None
        """What the request was sent with. Sent again with the same key, it counts once."""


class Invalid(PostroomError):
    """Some of the request has to be corrected: `errors` says what, by field, all at once."""

    def __init__(
        self, text: str, *, status: int | None = None, problem: Mapping[str, Any] | None = None
    ) -> None:
        errors = _errors_by_field((problem or {}).get("errors"))
        told = "; ".join(f"{field}: {message}" for field, message in errors.items())
        super().__init__(told or text, status=status, problem=problem)
        self.errors: Mapping[str, str] = errors


class Unauthenticated(PostroomError):
    """The key or the token is not known."""


class Forbidden(PostroomError):
    """Who calls is known, and may not do this."""


class NotFound(PostroomError):
    """There is no such thing, or not for this caller. `reason` says which kind of absence it is."""

    def __init__(
        self, text: str, *, status: int | None = None, problem: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(text, status=status, problem=problem)
        self.reason: str | None = (problem or {}).get("reason")


class Conflict(PostroomError):
    """The notification is in a state that does not allow this."""


class InFlight(PostroomError):
    """The same request was still being worked on when time was up. Send it again with the same key."""


class Stale(PostroomError):
    """The notification has changed since it was read."""


class TooLarge(PostroomError):
    """The request is larger than is taken."""


class KeyMisused(PostroomError):
    """The idempotency key came earlier with another request."""


class ProviderRefusedKey(PostroomError):
    """GOV.UK Notify does not accept the service's key."""


class TooMany(PostroomError):
    """The service called more often than it may, and `retry_after` was more than the time left."""


class Unavailable(PostroomError):
    """Postroom did not answer in time, or could not take the request, however often it was tried.

    `may_have_happened` says whether an attempt may have been taken all the same.
    """

    may_have_happened = False


class UnexpectedAnswer(PostroomError):
    """The answer is none that this client understands."""


_BY_STATUS: Mapping[int, type[PostroomError]] = {
    400: Invalid,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    412: Stale,
    413: TooLarge,
    422: KeyMisused,
    424: ProviderRefusedKey,
    429: TooMany,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def error_of(
    status: int, problem: Mapping[str, Any] | None, *, retry_after: float | None = None
) -> PostroomError:
    """The exception for an answer. Its text is the problem's, else the bare status: no gateway's page."""
    kind = _BY_STATUS.get(status, UnexpectedAnswer)
    if kind is Conflict and retry_after is not None:
        kind = InFlight
    detail = (problem or {}).get("detail")
    text = detail if isinstance(detail, str) else f"Postroom answered with status {status}."
    error = kind(text, status=status, problem=problem)
    error.retry_after = retry_after
    return error


def _errors_by_field(errors: object) -> dict[str, str]:
    """None where they have another form: a gateway writes problems too."""
    if not isinstance(errors, list):
        return {}
    told = [each for each in errors if isinstance(each, Mapping) and {"field", "message"} <= each.keys()]
    return {str(each["field"]): str(each["message"]) for each in told}


def read_problem(body: bytes, *, media_type: str) -> Mapping[str, Any] | None:
    """The problem that a body describes, by RFC 9457; None where it describes none."""
    if media_type.partition(";")[0].strip().lower() != PROBLEM:
        return None
    try:
        problem = json.loads(body)
    except ValueError:
        return None
    return problem if isinstance(problem, dict) else None
