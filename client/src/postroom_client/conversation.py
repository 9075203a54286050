"""How an operation is carried out, retries and all, without doing any of it: a generator says what is next.

Both clients follow the same one. It asks for a request to be sent, or for a pause, and is told the answer.
"""

import secrets
from collections.abc import Callable, Generator
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias, TypeVar

from postroom_client.errors import PostroomError, Unavailable, UnexpectedAnswer
from postroom_client.operation import NoAnswer, Operation, Request, Response

T = TypeVar("T")

random_share: Callable[[], float] = secrets.SystemRandom().random


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How long one call is waited for, and for how long the whole is tried. `total_seconds=0` tries once.

    Waits grow twofold from `first_wait_seconds`, and each is drawn from nothing up to that ("full jitter"):
    callers who failed together do not come back together.
    """

    call_seconds: float = 10
    total_seconds: float = 30
    first_wait_seconds: float = 0.2
    longest_wait_seconds: float = 5

    def wait(self, *, failures: int, at_least: float, share: float) -> float:
        """The pause after so many failures; `share`, from 0 to 1, is drawn by the caller."""
        # 2 ** 30 is beyond every longest wait, and far from what a float cannot hold.
        growing = self.first_wait_seconds * 2.0 ** min(failures - 1, 30)
        return at_least + share * min(growing, self.longest_wait_seconds)


@dataclass(frozen=True, slots=True)
class Send:
    request: Request
    timeout: float


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


Step: TypeAlias = Send | Pause
Heard: TypeAlias = Response | NoAnswer | None


class Effect(Enum):
    """What a failed attempt may have done."""

    NOTHING = auto()
    UNKNOWN = auto()
    FINAL = auto()
    """Whatever it did, it would end the same way again."""


def converse(
    operation: Operation[T],
    *,
    policy: RetryPolicy,
    clock: Callable[[], float],
    draw: Callable[[], float] = random_share,
) -> Generator[Step, Heard, T]:
    """Ask for what has to be done, until there is a result to return or an error to raise."""
    began, timeout, failures, was_lost = clock(), policy.call_seconds, 0, False
    so_far: list[T] = []
    while True:
        heard = yield Send(operation.request, timeout)
        if isinstance(heard, Response) and _is_answer(heard, operation, was_lost=was_lost):
            so_far = [_parsed(heard, operation)]
            if operation.is_complete(so_far[0]):
                return so_far[0]
        effect, error = judge(heard)
        failures += 1
        was_lost |= effect is Effect.UNKNOWN
        left = began + policy.total_seconds - clock()
        wait = policy.wait(failures=failures, at_least=error.retry_after or 0, share=draw())
        if not _may_repeat(effect, operation) or wait >= left:
            if so_far:
                return so_far[0]
            raise _told(error, operation, was_lost=was_lost) from getattr(heard, "cause", None)
        yield Pause(wait)
        timeout = min(policy.call_seconds, left - wait)


def judge(heard: Heard) -> tuple[Effect, PostroomError]:
    """What a failed or incomplete attempt may have done, and the error to raise if it was the last."""
    if isinstance(heard, Response):
        return _effect(heard), heard.error
    if heard is None:
        raise TypeError("a request was sent, and nothing was heard of it")
    error = Unavailable(f"Postroom did not answer ({type(heard.cause).__name__}).")
    return (Effect.UNKNOWN if heard.sent else Effect.NOTHING), error


def _effect(response: Response) -> Effect:
    match response.status:
        case 429:
            return Effect.NOTHING
        case 207:
            # What was not taken of it.
            return Effect.NOTHING
        case 409 if response.retry_after is not None:
            return Effect.NOTHING
        case 503 if response.problem is not None:
            return Effect.NOTHING
        case 502 | 503 | 504:
            # Not Postroom's own words: something between gave up on an answer.
            return Effect.UNKNOWN
        case _:
            return Effect.FINAL


def _is_answer(response: Response, operation: Operation[T], *, was_lost: bool) -> bool:
    return (
        200 <= response.status < 300
        or (response.status in operation.answers and response.is_json)
        or (was_lost and response.status in operation.done_if_repeated)
    )


def _parsed(response: Response, operation: Operation[T]) -> T:
    try:
        return operation.parse(response)
    except (ValueError, TypeError, LookupError):
        text = f"Postroom answered {response.status} with something else than what was asked for."
        error = UnexpectedAnswer(text, status=response.status)
        raise _told(error, operation, was_lost=False) from None


def _may_repeat(effect: Effect, operation: Operation[T]) -> bool:
    return effect is Effect.NOTHING or (effect is Effect.UNKNOWN and operation.repeatable)


def _told(error: PostroomError, operation: Operation[T], *, was_lost: bool) -> PostroomError:
    error.idempotency_key = operation.request.headers.get("Idempotency-Key")
    if isinstance(error, Unavailable):
        error.may_have_happened = was_lost
    return error
