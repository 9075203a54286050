"""Characters that have no place in what people write: they are refused, never dropped in silence."""

import re

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_CONTROL_OR_BREAK = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def has_control(text: str) -> bool:
    """Whether a text of several lines holds what is neither a character, a tab nor a line break."""
    return not is_plain(text) and _CONTROL.search(text) is not None


def has_control_or_break(text: str) -> bool:
    """Whether a text of one line holds what does not belong into one."""
    return not is_plain(text) and _CONTROL_OR_BREAK.search(text) is not None


def without_control(text: str) -> str:
    """The text as it may be shown in a message about it."""
    return _CONTROL_OR_BREAK.sub("�", text)


def is_plain(text: str) -> bool:
    """Whether all of it can be printed: what most texts are, and told at a tenth of the cost of a search."""
    return text.isascii() and text.isprintable()
