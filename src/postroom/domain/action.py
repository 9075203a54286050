"""What people do about a notification, and in which order they may."""

from dataclasses import dataclass
from enum import StrEnum


class ActionType(StrEnum):
    INITIATED = "Initiated"
    APPROVED = "Approved"
    VALIDATE = "Validate"
    REJECTED = "Rejected"
    IS_READ = "IsRead"
    IS_UNREAD = "IsUnread"
    IS_SEEN = "IsSeen"
    ARCHIVED = "Archived"


FINAL = frozenset({ActionType.APPROVED, ActionType.VALIDATE, ActionType.REJECTED})
"""The actions that settle what a notification asked for."""

READING = frozenset({ActionType.IS_READ, ActionType.IS_UNREAD, ActionType.IS_SEEN, ActionType.ARCHIVED})
"""They belong to one reader and leave the performed action alone."""

NOTE_REQUIRED = frozenset({ActionType.APPROVED, ActionType.REJECTED})

_BY_NAME = {action.value.lower(): action for action in ActionType}


def action_named(name: str) -> ActionType | None:
    return _BY_NAME.get(name.strip().lower())


@dataclass(frozen=True, slots=True)
class Refused:
    """The action is not possible now; `why` is a plain sentence for the person who tried."""

    why: str


def decide(
    current: ActionType | None, wanted: ActionType, *, may_reopen: bool = False
) -> ActionType | Refused:
    """What stands as the performed action once `wanted` is done.

    From nothing or Initiated every action is possible, Initiated again too (the next person takes it up);
    after a final action no other is, nor the same again: it was somebody's decision, made once. Who
    `may_reopen` may decide otherwise, or take it up again.
    """
    if wanted in READING:
        raise ValueError("reading does not touch the performed action")
    if current in FINAL and (wanted is current or not may_reopen):
        return Refused(f"This has already been settled: {current}.")
    return wanted


def is_outstanding(*, require_action: bool, performed: ActionType | None) -> bool:
    """Whether the notification still waits for somebody's decision."""
    return require_action and performed not in FINAL
