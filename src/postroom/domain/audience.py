"""Whom a notification can address beside one officer: a group, or a patch with those who look after it."""

import re
from dataclasses import dataclass
from enum import StrEnum

_NAME = re.compile(r"[^\s,;:][^,;:]{0,119}")


class AudienceKind(StrEnum):
    GROUP = "group"
    PATCH = "patch"


@dataclass(frozen=True, slots=True)
class Audience:
    """A group or a patch, by its name in lower case."""

    kind: AudienceKind
    name: str

    def __str__(self) -> str:
        """As a notification's `user` has it."""
        return f"{self.kind}:{self.name}"


def audience_named(kind: AudienceKind, name: str) -> Audience | None:
    """The audience of that name, None where none can be named so."""
    name = name.strip().lower()
    return Audience(kind, name) if _NAME.fullmatch(name) and name.isprintable() else None


def audience_of(user: str) -> Audience | None:
    """The group or patch that a notification's `user` names; None where it names a person."""
    kind, colon, name = user.partition(":")
    return audience_named(AudienceKind(kind), name) if colon and kind in set(AudienceKind) else None
