"""Spans of time as they are typed: 90d, 12h, 6w."""

import re
from datetime import timedelta

import typer

_SPAN = re.compile(r"([1-9]\d{0,4})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def span(text: str) -> timedelta:
    """So many minutes, hours, days or weeks."""
    found = _SPAN.fullmatch(text.strip().lower())
    if found is None:
        raise typer.BadParameter("use a number and one of m, h, d and w, as in 90d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
