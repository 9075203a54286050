"""What happens when nobody reads a notification, or acts on it: after how long, and unless what."""

import re
from datetime import timedelta
from enum import StrEnum

import msgspec

SHORTEST = timedelta(seconds=1)
LONGEST = timedelta(days=365)
MOST_STEPS = 10

_WEEKS = re.compile(r"P([0-9]{1,2})W", re.ASCII)


class Unless(StrEnum):
    """What keeps a step from being taken. Acting always does; so does removing the notification."""

    READ = "read"
    ACTED = "acted"


def read_duration(text: str) -> timedelta | None:
    """A duration by ISO 8601, in weeks or in days and smaller; None where it is none, or too long."""
    weeks = _WEEKS.fullmatch(text)
    if weeks is not None:
        duration = timedelta(weeks=int(weeks[1]))
    else:
        try:
            duration = msgspec.convert(text, timedelta)
        except msgspec.ValidationError:
            return None
    return duration if SHORTEST <= duration <= LONGEST else None
