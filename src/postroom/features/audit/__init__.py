"""The lasting record of what was done, by whom and when."""

from postroom.features.audit.read import entries_about
from postroom.features.audit.record import Entry, Kind, add, count_accepted_without, record

__all__ = ["Entry", "Kind", "add", "count_accepted_without", "entries_about", "record"]
