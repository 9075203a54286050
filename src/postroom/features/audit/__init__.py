"""The lasting record of what was done, by whom and when; it shows what was changed in it since."""

from postroom.features.audit.record import (
    By,
    Entry,
    Kind,
    add_accepted,
    count_accepted_without,
    record,
    record_of_service,
)
from postroom.features.audit.trail import (
    Recorded,
    TrailFilters,
    TrailPage,
    entries_about,
    find_entries,
    was_done,
)

__all__ = [
    "By",
    "Entry",
    "Kind",
    "Recorded",
    "TrailFilters",
    "TrailPage",
    "add_accepted",
    "count_accepted_without",
    "entries_about",
    "find_entries",
    "record",
    "record_of_service",
    "was_done",
]
