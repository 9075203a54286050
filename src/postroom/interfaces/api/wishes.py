"""Reading what a request may wish beside the specification: a follow-on action, and an end."""

from datetime import UTC, datetime
from typing import Any

from postroom.domain.errors import FieldError
from postroom.domain.notification import FollowOn

_OF_FOLLOW_ON = ("label", "url", "kind")


def read_follow_on(given: dict[str, Any], errors: list[FieldError]) -> FollowOn | None:
    """The follow-on action, None where it cannot be read; what is wrong is added to the errors."""
    faults = [
        FieldError(f"followOnAction.{_shown(name)}", "There is no such field.")
        for name in given
        if name not in _OF_FOLLOW_ON
    ]
    values = {name: given[name] for name in _OF_FOLLOW_ON if given.get(name) is not None}
    needed = ("label", "url")
    faults += [FieldError(f"followOnAction.{name}", "Enter this.") for name in needed if name not in values]
    faults += [
        FieldError(f"followOnAction.{name}", "Use text here.")
        for name, value in values.items()
        if not isinstance(value, str)
    ]
    errors += faults
    return None if faults else FollowOn(**values)


def read_expiry(text: str, errors: list[FieldError]) -> datetime | None:
    """When it expires; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        errors.append(FieldError("expiresAt", "Use a time by RFC 3339, as in 2026-11-23T09:30:00Z."))
        return None


def _shown(name: str) -> str:
    return name[:100] if name.isprintable() else "�"
