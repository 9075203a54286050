"""Times as the council's people read them: in London, and in words."""

from datetime import datetime
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


def clock(moment: datetime) -> str:
    """As in 08:00."""
    return f"{moment.astimezone(LONDON):%H:%M}"


def day(moment: datetime) -> str:
    """As in 3 November 2026."""
    local = moment.astimezone(LONDON)
    return f"{local.day} {local:%B %Y}"


def day_and_clock(moment: datetime) -> str:
    """As in 3 November 2026 at 08:00."""
    return f"{day(moment)} at {clock(moment)}"


def until(moment: datetime, *, now: datetime) -> str:
    """As in 08:00, or 3 November 2026 at 08:00 where that is another day than today."""
    return clock(moment) if day(moment) == day(now) else day_and_clock(moment)
