"""The officer's screen: nothing is carried anywhere, the notification itself is what is shown."""

from postroom.domain.errors import FieldError
from postroom.domain.notification import Personal


def check(personal: Personal, *, target_id: str | None) -> list[FieldError]:
    """What a screen needs: something to say, and what it is about."""
    errors = []
    if target_id is None:
        errors.append(FieldError("targetId", "Enter what the notification is about."))
    if not (personal.message or "").strip():
        errors.append(FieldError("message", "Enter the text to show."))
    return errors
