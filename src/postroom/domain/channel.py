"""The ways by which a notification reaches somebody."""

from collections.abc import Iterable
from enum import StrEnum


class Channel(StrEnum):
    """A way to reach a recipient. The order of definition is the order in which channels are listed."""

    SCREEN = "Screen"
    EMAIL = "Email"
    TEXT = "Text"
    LETTER = "Letter"


CARRIED = (Channel.EMAIL, Channel.TEXT, Channel.LETTER)
"""The channels that a provider carries: each makes a delivery."""

_BITS = {channel: 1 << place for place, channel in enumerate(Channel)}
_BY_NAME = {channel.value.lower(): channel for channel in Channel}


def channel_named(name: str) -> Channel | None:
    """The channel of that name, whatever its capitals; None for a name that is none."""
    return _BY_NAME.get(name.strip().lower())


def to_mask(channels: Iterable[Channel]) -> int:
    """The channels as one number, a bit each, as the tables keep them."""
    mask = 0
    for channel in channels:
        mask |= _BITS[channel]
    return mask


def from_mask(mask: int) -> tuple[Channel, ...]:
    return tuple(channel for channel, bit in _BITS.items() if mask & bit)
