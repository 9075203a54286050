"""What changes on people's screens: recorded with the change, put in order, kept for a quarter of an hour."""

from postroom.features.screens.record import Change, Kind, changed, record

__all__ = ["Change", "Kind", "changed", "record"]
