"""What an API key may be used for."""

from collections.abc import Iterable
from enum import StrEnum


class Scope(StrEnum):
    WRITE = "notifications:write"
    READ = "notifications:read"
    TEMPLATES = "templates:read"


EVERY_SCOPE = frozenset(Scope)

_ALL = "*"


def to_text(scopes: Iterable[Scope]) -> str:
    """How scopes are kept. All of them are kept as such: a scope that comes later belongs to them too."""
    chosen = frozenset(scopes)
    return _ALL if chosen == EVERY_SCOPE else " ".join(sorted(chosen))


def from_text(text: str) -> frozenset[Scope]:
    """The scopes of a text that `to_text` made; a word that is none of ours gives nothing."""
    if text == _ALL:
        return EVERY_SCOPE
    return frozenset(Scope(word) for word in text.split() if word in EVERY_SCOPE)
