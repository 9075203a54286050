"""What one person has done with a notification for themselves: seen it, read it, put it away, removed it."""

from enum import IntFlag

from postroom.domain.action import ActionType


class Reading(IntFlag):
    """All that holds. Nothing does of what a person has not seen."""

    UNSEEN = 0
    SEEN = 1
    READ = 2
    ARCHIVED = 4
    HIDDEN = 8


OUT_OF_SIGHT = Reading.ARCHIVED | Reading.HIDDEN
"""What takes it off the list that a person looks at every day."""


def after(reading: Reading, action: ActionType) -> Reading:
    """What holds once the person has done that.

    Who reads or archives it has seen it. Unread again means to come back to it, so it is archived no more.
    """
    match action:
        case ActionType.IS_SEEN:
            return reading | Reading.SEEN
        case ActionType.IS_READ:
            return reading | Reading.SEEN | Reading.READ
        case ActionType.IS_UNREAD:
            return reading & ~(Reading.READ | Reading.ARCHIVED)
        case ActionType.ARCHIVED:
            return reading | Reading.SEEN | Reading.ARCHIVED
    raise ValueError("this is no action of a reader's own")
