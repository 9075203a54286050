"""Placeholders of a template: `((name))`, and `((name??text))`, shown where `name` says yes."""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import lru_cache, partial

from notify_rules.whitespace import close_up_stops, single_spaced, strip_obscure

_PLACEHOLDER = re.compile(r"\(\(([^()]+)\)\)")
_IGNORED_IN_NAMES = str.maketrans("", "", " _-")
_YES = frozenset({"yes", "y", "true", "t", "1", "include", "show"})
_SPACED_HYPHENS = re.compile(r"\s+[-–—]{1,3}\s+")
_BLANK_LINES = re.compile(r"\n{3,}")


class Style(StrEnum):
    """Where the text stands decides how a list is written, and which blanks are tidied."""

    BODY = "body"
    SUBJECT = "subject"
    SMS = "sms"
    LETTER = "letter"


@lru_cache(maxsize=4096)
def normalise_name(name: str) -> str:
    """Notify sees no difference between `First name`, `first_name` and `FIRST-NAME`."""
    return name.translate(_IGNORED_IN_NAMES).lower()


def names(*texts: str) -> list[str]:
    """The placeholders in order of first use, each written as it is where it comes first."""
    found: dict[str, str] = {}
    for text in texts:
        for inside in _PLACEHOLDER.findall(text):
            name, _, _ = inside.partition("??")
            found.setdefault(normalise_name(name), name)
    return list(found.values())


def missing(*, required: Iterable[str], given: Mapping[str, object]) -> list[str]:
    """The required names without a value. None is no value; an empty string is one."""
    values = _by_normalised_name(given)
    return [name for name in required if values.get(normalise_name(name)) is None]


def fill(text: str, values: Mapping[str, object], *, style: Style | str) -> str:
    """The text as it is sent. A placeholder without a value stays as it is written."""
    style = Style(style)
    replace = partial(_replacement, values=_by_normalised_name(values), style=style)
    return _tidied(_PLACEHOLDER.sub(replace, text), style)


def _by_normalised_name(values: Mapping[str, object]) -> dict[str, object]:
    return {normalise_name(name): value for name, value in values.items()}


def _replacement(match: re.Match[str], *, values: Mapping[str, object], style: Style) -> str:
    name, conditional, text = match[1].partition("??")
    value = values.get(normalise_name(name))
    if value is None:
        return match[0]
    if conditional:
        return text if _as_text(value, style).lower() in _YES else ""
    return _as_text(value, style)


def _as_text(value: object, style: Style) -> str:
    if isinstance(value, list):
        return _as_list([item for item in map(_item, value) if item], style)
    return str(value)


def _item(value: object) -> str:
    return "" if value is None else strip_obscure(str(value))


def _as_list(items: list[str], style: Style) -> str:
    if not items:
        return ""
    if style in {Style.BODY, Style.LETTER}:
        return "\n\n" + "\n".join(f"* {item}" for item in items)
    return f"{', '.join(items[:-1])} and {items[-1]}" if len(items) > 1 else items[0]


def _tidied(text: str, style: Style) -> str:
    if style is Style.SUBJECT:
        return single_spaced(_SPACED_HYPHENS.sub(" – ", close_up_stops(text)))
    if style is Style.SMS:
        lines = "\n".join(map(single_spaced, close_up_stops(text).splitlines()))
        return _BLANK_LINES.sub("\n\n", lines).strip()
    return text.strip()
