"""What is asked of the limits before a delivery is sent, and what they say."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from math import ceil

from postroom.domain.channel import Channel

_BURST = 999
_USUAL_A_MINUTE = 3_000


@dataclass(frozen=True, slots=True)
class ProviderLimits:
    """What GOV.UK Notify takes for one service and key type, and phone networks carry to one number."""

    per_minute: int = _USUAL_A_MINUTE
    burst: int = _BURST
    emails: int = 250_000
    texts: int = 250_000
    international_texts: int = 100
    letters: int = 20_000
    kept_for_singles: float = 0.2
    """The share of the burst that bulk leaves to what comes alone."""
    same_text_an_hour: int = 20
    texts_an_hour: int = 100
    """To one number; 0 sets no limit, here and above."""

    @property
    def kept(self) -> int:
        """So many tokens bulk leaves; never all that there can be, or it would wait for ever."""
        return min(int(self.kept_for_singles * self.burst), self.burst - 1)


def burst_of(per_minute: int) -> int:
    """How many at once a bucket of so many a minute holds: Notify's 999 of 3,000, or a third."""
    third = ceil(per_minute / 3)
    return third if per_minute > _USUAL_A_MINUTE else min(third, _BURST)


MOST_PARTS = 16
_TOKENS_OF_A_PART = 300_000
_DAY_OF_A_PART = 1_000_000
_NUMBERS = ("per_minute", "burst", "emails", "texts", "international_texts", "letters")


@lru_cache(maxsize=256)
def in_parts(limits: ProviderLimits) -> tuple[int, ProviderLimits]:
    """In how many parts a bucket is kept, and the limits of one.

    One that no worker could empty by itself is kept in parts, so that workers do not wait for each other's
    transactions. Notify's own limits are far from that: they are kept in one.
    """
    days = min(limits.emails, limits.texts, limits.international_texts, limits.letters)
    parts = min(limits.per_minute // _TOKENS_OF_A_PART, days // _DAY_OF_A_PART, MOST_PARTS)
    if parts <= 1:
        return 1, limits
    return parts, replace(limits, **{name: getattr(limits, name) // parts for name in _NUMBERS})


def stricter(one: ProviderLimits, other: ProviderLimits) -> ProviderLimits:
    """What holds where two of our services use one account and differ."""
    if one == other:
        return one
    return replace(one, **{name: min(getattr(one, name), getattr(other, name)) for name in _NUMBERS})


@dataclass(frozen=True, slots=True)
class Wanted:
    """A delivery that is about to be sent. `lane` is 0 for what came alone, 1 for bulk.

    `account` names the provider's bucket (see `account_of`). `recipient` and `content` are blind indexes;
    None is not counted. Of one template at most `same_template_an_hour` go to a recipient within an hour;
    None or 0 sets no cap. One that was `tried` before is in the day's count already.
    """

    delivery_id: str
    account: bytes
    limits: ProviderLimits
    lane: int
    channel: Channel
    international: bool
    recipient: bytes | None
    content: bytes | None
    template_id: str
    same_template_an_hour: int | None
    tried: bool = False


@dataclass(frozen=True, slots=True)
class Go:
    """It may be sent now, and has been counted."""


@dataclass(frozen=True, slots=True)
class PutOff:
    """It may not be sent now: ask again at `until`. Nothing has been counted."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Suppress:
    """It is not to be sent at all."""

    reason: str


Verdict = Go | PutOff | Suppress
GO = Go()
