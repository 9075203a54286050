"""Watches: what the others only record is turned into notifications here, by the one way in."""

from postroom.features.monitors.endpoints_off import tell_owners

__all__ = ["tell_owners"]
