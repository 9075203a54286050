"""One of the provider's buckets: tokens that come back with time, and the counts of a day.

Pure: the row of a bucket becomes a `Bucket`, is taken from while the row is locked, and is written back.
"""

from dataclasses import dataclass
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
    """A bucket while it is in hand. `single_until` and the like are up to when tokens are promised."""

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

    def put_off(self, wanted: Wanted, *, now: datetime) -> PutOff | None:
        """Until when this has to wait, by the day's counts or for a token; None where it may go now."""
        full = self._reached(wanted)
        if full is not None:
            reason = f"waits for midnight UTC: GOV.UK Notify takes no more {_NAMES[full]} today"
            return PutOff(self._tomorrow(wanted), reason)
        if self._has_token(wanted):
            return None
        reason = "waits: as much as GOV.UK Notify takes in a minute is on its way"
        return PutOff(self._soon(wanted, now), reason)

    def take(self, wanted: Wanted) -> None:
        """Spend a token, and count it in the day unless it was before."""
        self.tokens -= 1
        if not wanted.tried:
            for name in _counts(wanted):
                setattr(self, name, getattr(self, name) + 1)

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

    def _reached(self, wanted: Wanted) -> str | None:
        for name in _counts(wanted):
            if self.closed & _bit(name):
                return name
            if not wanted.tried and getattr(self, name) >= getattr(wanted.limits, name):
                return name
        return None

    def _has_token(self, wanted: Wanted) -> bool:
        return self.tokens - 1 >= (wanted.limits.kept if wanted.lane else 0)

    def _soon(self, wanted: Wanted, now: datetime) -> datetime:
        """The moment of the next token that is promised to nobody of this lane."""
        rate = wanted.limits.per_minute / 60
        missing = 1 + (wanted.limits.kept if wanted.lane else 0) - self.tokens
        there = max(now, self.refilled_at) + timedelta(seconds=missing / rate) + _BEYOND_DOUBT
        promised = self.bulk_until if wanted.lane else self.single_until
        until = max(there, promised + timedelta(seconds=1 / rate))
        if wanted.lane:
            self.bulk_until = until
        else:
            self.single_until = until
        return until

    def _tomorrow(self, wanted: Wanted) -> datetime:
        """After midnight, each a token's time after the one before."""
        midnight = _EPOCH + (self.day + 1) * _DAY
        promised = self.tomorrow_bulk_until if wanted.lane else self.tomorrow_single_until
        until = max(midnight, promised + timedelta(seconds=60 / wanted.limits.per_minute))
        if wanted.lane:
            self.tomorrow_bulk_until = until
        else:
            self.tomorrow_single_until = until
        return until


def new_bucket(account: bytes, limits: ProviderLimits, *, now: datetime) -> Bucket:
    """A bucket that nothing was taken from yet."""
    return Bucket(account, float(limits.burst), now, now, now, now, now, day_of(now))


def day_of(moment: datetime) -> int:
    """Days since 1970, in UTC."""
    return (moment - _EPOCH) // _DAY


def _counts(wanted: Wanted) -> tuple[str, ...]:
    if wanted.channel is Channel.TEXT and wanted.international:
        return ("texts", "international_texts")
    return (_COUNT_OF[wanted.channel],)


def _bit(name: str) -> int:
    return 1 << DAY_COUNTS.index(name)
