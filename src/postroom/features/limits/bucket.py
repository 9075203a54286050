"""One of the provider's buckets: tokens that come back with time, and the counts of a day.

Pure: the row of a bucket becomes a `Bucket`, is taken from while the row is locked, and is written back.
"""

import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from postroom.domain.channel import Channel
from postroom.features.limits.verdicts import ProviderLimits, PutOff, Wanted

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_BEYOND_DOUBT = timedelta(milliseconds=1)
"""More than what a token's moment loses in being rounded."""
_CLOCKS_DIFFER = timedelta(minutes=1)
"""A row that is further ahead of us was written by a clock that was wrong: it must not stop us till then."""

DAY_COUNTS = ("emails", "texts", "international_texts", "letters")
COLUMNS = (
    "tokens",
    "refilled_at",
    "single_until",
    "bulk_until",
    "tomorrow_single_until",
    "tomorrow_bulk_until",
    "day",
    *DAY_COUNTS,
    "closed",
    "version",
)
_COUNT_OF = {Channel.EMAIL: "emails", Channel.TEXT: "texts", Channel.LETTER: "letters"}
_NAMES = {
    "emails": "emails",
    "texts": "texts",
    "international_texts": "texts abroad",
    "letters": "letters",
}


@dataclass(slots=True)
class Bucket:
    """A bucket while it is in hand. `single_until` and the like are up to when tokens are promised.

    `version` is another with each writing: who remembers a bucket sees whether it was written since.
    """

    id: bytes
    tokens: float
    refilled_at: datetime
    single_until: datetime
    bulk_until: datetime
    tomorrow_single_until: datetime
    tomorrow_bulk_until: datetime
    day: int
    emails: int = 0
    texts: int = 0
    international_texts: int = 0
    letters: int = 0
    closed: int = 0
    """A bit for each count of the day that the provider has said is reached, whatever ours is."""
    version: int = 0

    def as_row(self) -> dict[str, Any]:
        return {"id": self.id} | {name: getattr(self, name) for name in COLUMNS}

    def refill(self, limits: ProviderLimits, *, now: datetime) -> None:
        """Bring the bucket to `now`. A clock behind the last one's gives nothing, and takes nothing."""
        if self.refilled_at > now + _CLOCKS_DIFFER:
            self.refilled_at = now
            self.single_until, self.bulk_until = now, now
        elapsed = (now - self.refilled_at).total_seconds()
        if elapsed > 0:
            self.tokens += elapsed * limits.per_minute / 60
            self.refilled_at = now
        self.tokens = min(self.tokens, float(limits.burst))
        self._turn_to(day_of(now))

    def put_off(self, wanted: Wanted, limits: ProviderLimits, *, now: datetime) -> PutOff | None:
        """Until when this has to wait, by the day's counts or for a token; None where it may go now."""
        full = self._reached(wanted, limits)
        if full is not None:
            reason = f"waits for midnight UTC: GOV.UK Notify takes no more {_NAMES[full]} today"
            return PutOff(self._tomorrow(wanted.lane, limits), reason)
        kept = limits.kept if wanted.lane else 0
        if self.tokens - 1 >= kept:
            return None
        reason = "waits: as much as GOV.UK Notify takes in a minute is on its way"
        return PutOff(self._soon(wanted.lane, kept, limits, now), reason)

    def take(self, wanted: Wanted) -> None:
        """Spend a token, and count it in the day unless it was before."""
        self._spend(wanted, 1)

    def give_back(self, wanted: Wanted) -> None:
        """It does not go after all."""
        self._spend(wanted, -1)

    def empty(self, *, now: datetime) -> None:
        """The provider said that it takes no more for now."""
        self.tokens = min(self.tokens, 0.0)
        self.refilled_at = max(self.refilled_at, now)

    def close(self, channel: Channel, *, international: bool, now: datetime) -> None:
        """The provider said that it takes no more of these today."""
        self._turn_to(day_of(now))
        name = "international_texts" if channel is Channel.TEXT and international else _COUNT_OF[channel]
        self.closed |= _bit(name)

    def _turn_to(self, today: int) -> None:
        # Around midnight one clock is in the new day already: for it and for all others the day has changed.
        if self.day == today or self.day == today + 1:
            return
        self.day = today
        self.emails = self.texts = self.international_texts = self.letters = self.closed = 0

    def _spend(self, wanted: Wanted, number: int) -> None:
        self.tokens -= number
        if not wanted.tried:
            for name in _counts(wanted):
                setattr(self, name, getattr(self, name) + number)

    def _reached(self, wanted: Wanted, limits: ProviderLimits) -> str | None:
        for name in _counts(wanted):
            if self.closed & _bit(name):
                return name
            if not wanted.tried and getattr(self, name) >= getattr(limits, name):
                return name
        return None

    def _soon(self, lane: int, kept: int, limits: ProviderLimits, now: datetime) -> datetime:
        """The moment of the next token that is promised to nobody of this lane."""
        missing = timedelta(seconds=(1 + kept - self.tokens) * 60 / limits.per_minute)
        there = max(now, self.refilled_at) + missing + _BEYOND_DOUBT
        until = max(there, (self.bulk_until if lane else self.single_until) + _a_token(limits))
        if lane:
            self.bulk_until = until
        else:
            self.single_until = until
        return until

    def _tomorrow(self, lane: int, limits: ProviderLimits) -> datetime:
        """After midnight, each a token's time after the one before."""
        midnight = _EPOCH + (self.day + 1) * _DAY
        promised = self.tomorrow_bulk_until if lane else self.tomorrow_single_until
        until = max(midnight, promised + _a_token(limits))
        if lane:
            self.tomorrow_bulk_until = until
        else:
            self.tomorrow_single_until = until
        return until


def new_bucket(account: bytes, limits: ProviderLimits, *, now: datetime) -> Bucket:
    """A bucket that nothing was taken from yet."""
    return Bucket(account, float(limits.burst), now, now, now, now, now, day_of(now))


def new_version() -> int:
    """Drawn, not counted: of two that were made from one bucket only one may have been committed."""
    return random.getrandbits(62)


def copy_of(bucket: Bucket) -> Bucket:
    """One to be taken from, while the other stays as it was read."""
    return replace(bucket)


def _a_token(limits: ProviderLimits) -> timedelta:
    """The time in which one comes back."""
    return timedelta(seconds=60 / limits.per_minute)


def day_of(moment: datetime) -> int:
    """Days since 1970, in UTC."""
    return (moment - _EPOCH) // _DAY


def _counts(wanted: Wanted) -> tuple[str, ...]:
    if wanted.channel is Channel.TEXT and wanted.international:
        return ("texts", "international_texts")
    return (_COUNT_OF[wanted.channel],)


def _bit(name: str) -> int:
    return 1 << DAY_COUNTS.index(name)
