"""What each person has done with what addresses them, and how many notifications that leaves them."""

from postroom.features.readers.counts import add_new, count_again, tallies
from postroom.features.readers.many import Step, change_states, read_by_anyone
from postroom.features.readers.states import (
    About,
    View,
    anyone_has_read,
    change_state,
    is_read_by_anyone,
    is_shown,
    read_by,
    readers_of,
    state_for,
    states_of,
    states_of_anyone,
)

__all__ = [
    "About",
    "Step",
    "View",
    "add_new",
    "anyone_has_read",
    "change_state",
    "change_states",
    "count_again",
    "is_read_by_anyone",
    "is_shown",
    "read_by",
    "read_by_anyone",
    "readers_of",
    "state_for",
    "states_of",
    "states_of_anyone",
    "tallies",
]
