"""What an API key may be used for."""

from collections.abc import Iterable
from enum import StrEnum


class Scope(StrEnum):
    WRITE = "notifications:write"
    READ = "notifications:read"
    TEMPLATES = "templates:read"
    MEMBERS = "members:write"


EVERY_SCOPE = frozenset(Scope) - {Scope.MEMBERS}
"""What a key has where nothing is said. Who is in a group sees what every service sends to it: whoever may
say that is named, one by one."""

_ALL = "*"
_WORDS = frozenset(Scope)


def to_text(scopes: Iterable[Scope]) -> str:
    """How scopes are kept. All of them are kept as such: a scope that comes later belongs to them too."""
    chosen = frozenset(scopes)
    return _ALL if chosen == EVERY_SCOPE else " ".join(sorted(chosen))


def from_text(text: str) -> frozenset[Scope]:
    """The scopes of a text that `to_text` made; a word that is none of ours gives nothing."""
    if text == _ALL:
        return EVERY_SCOPE
    return frozenset(Scope(word) for word in text.split() if word in _WORDS)
