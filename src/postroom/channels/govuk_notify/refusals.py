"""What each refusal of Notify means for an attempt, as data and one function."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from postroom.channels.govuk_notify.answers import Errors, OneError
from postroom.domain.outcome import Limit, Outcome, Rejected, TryAgain, Uncertain

_KEY_REFUSED = "GOV.UK Notify does not accept the service's key"
_CLOCK = "the call was too late, or this machine's clock differs from GOV.UK Notify's"
_DAY = "TooManyRequestsError"
_SHORTEST_VALUE = 4
"""Shorter values occur in ordinary words: hiding them would hide the reason."""
_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_PERSONAL = re.compile(
    rf"""[^\s@<>()"',;]+@[^\s@<>()"',;]+   # an address
    | \S*{_UUID}-{_UUID}                   # a key
    | (?<![\w-])\+?\d(?:[ ]?\d){{8,}}       # a number, however it is written""",
    re.VERBOSE | re.IGNORECASE,
)
"""What Notify may write otherwise than it was sent: hidden by its form."""


def to_outcome(status: int, raw: bytes, *, values: Iterable[Any]) -> Outcome:
    """What an answer other than 201 to a send means. `values` were sent: they never enter a reason."""
    if status >= 500:
        return Uncertain(f"GOV.UK Notify answered {status}", status)
    if status in (408, 425, 429):
        reason = _words(raw, values) or "GOV.UK Notify asks to send less often"
        return TryAgain(reason, status, limit=_limit(raw), answered=True)
    if status < 400:
        return Uncertain(f"GOV.UK Notify answered {status}", status)
    words = _words(raw, values)
    if words is None:
        # Not Notify's own form: a proxy or another server answered, and Notify saw nothing.
        return TryAgain(f"something other than GOV.UK Notify answered {status}", status)
    if status in (401, 403):
        if "system clock" in words:
            return TryAgain(_CLOCK, status, answered=True)
        return Rejected(f"{_KEY_REFUSED}: {words}" if status == 403 else _KEY_REFUSED, status)
    return Rejected(words, status)


def _limit(raw: bytes) -> Limit:
    """Which limit was reached: Notify names the one of a day otherwise than the one of a minute."""
    return Limit.DAY if any(error.error == _DAY for error in _errors(raw) or ()) else Limit.MINUTE


def _errors(raw: bytes) -> list[OneError] | None:
    try:
        return msgspec.json.decode(raw, type=Errors).errors
    except msgspec.MsgspecError:
        return None


def _words(raw: bytes, values: Iterable[Any]) -> str | None:
    """Notify's own messages without what was sent; None where the answer has not its form."""
    errors = _errors(raw)
    if errors is None:
        return None
    text = "; ".join(error.message for error in errors)
    # The longest first: a name within a longer value would leave the rest of it standing.
    for value in sorted(set(_texts(values)), key=len, reverse=True):
        text = re.sub(re.escape(value), "…", text, flags=re.IGNORECASE)
    return _PERSONAL.sub("…", text)[:200]


def _texts(values: Iterable[Any]) -> Iterator[str]:
    """Every text and number in the values that is long enough to be told from ordinary words."""
    for value in values:
        if isinstance(value, Mapping):
            yield from _texts(value.values())
        elif isinstance(value, list | tuple):
            yield from _texts(value)
        elif len(text := str(value).strip()) >= _SHORTEST_VALUE:
            yield text
