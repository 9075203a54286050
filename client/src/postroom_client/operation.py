"""An operation is a value: the request to send, and how its answer is read. Whoever runs it does the I/O."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Generic, TypeVar

from postroom_client.errors import PostroomError, error_of, read_problem

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request below the address of Postroom. Who calls is added by the client that sends it."""

    method: str
    path: str
    query: Sequence[tuple[str, str]] = field(default=(), repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer. The names of its headers are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def is_json(self) -> bool:
        return self.headers.get("content-type", "").partition(";")[0] == "application/json"

    @property
    def problem(self) -> Mapping[str, Any] | None:
        return read_problem(self.body, media_type=self.headers.get("content-type", ""))

    @property
    def error(self) -> PostroomError:
        return error_of(self.status, self.problem, retry_after=self.retry_after)

    @property
    def retry_after(self) -> float | None:
        """In how many seconds to ask again. A date is read against the answer's own: clocks may differ."""
        text = self.headers.get("retry-after", "")
        if text.isascii() and text.isdigit():
            return float(text)
        try:
            until, now = parsedate_to_datetime(text), parsedate_to_datetime(self.headers.get("date", ""))
            return max(0.0, (until - now).total_seconds())
        except (ValueError, TypeError):
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAnswer:
    """The call failed on its way. `sent` is false where nothing of it can have arrived."""

    sent: bool
    cause: Exception


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[T]):
    """What to send, and what its answer means."""

    request: Request
    parse: Callable[[Response], T]
    repeatable: bool = True
    """Whether doing it twice is as doing it once, so that it may be repeated when its answer was lost."""
    answers: frozenset[int] = frozenset()
    """Statuses that are an answer where they come with JSON, beside those from 200 to 299."""
    is_complete: Callable[[T], bool] = lambda _: True
    """Whether a result is all that there is to get; else the same request may bring more."""
    done_if_repeated: frozenset[int] = frozenset()
    """Statuses that, after an answer was lost, say that the lost attempt did what was wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """A part of a list, and how to get the one after it."""

    items: Sequence[T]
    next: Operation["Page[T]"] | None = None
