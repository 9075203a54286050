"""What changes on people's screens: recorded with the change, put in order, kept for a quarter of an hour."""

from postroom.features.screens.record import Change, Kind, add, changed, record

__all__ = ["Change", "Kind", "add", "changed", "record"]
