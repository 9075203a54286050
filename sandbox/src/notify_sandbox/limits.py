"""How much may be sent: a bucket of tokens for each service and key type, a count for each day."""

from math import ceil

from notify_sandbox.model import Channel, KeyType, Service
from notify_sandbox.problems import NotifyError, problem

BURST = 999
INTERVAL = 60


class TokenBucket:
    def __init__(self, *, per_minute: int, now: float) -> None:
        self.per_minute = per_minute
        self._full = float(burst(per_minute))
        self._tokens = self._full
        self._at = now

    def take(self, now: float) -> bool:
        self._tokens = min(self._full, self._tokens + (now - self._at) * self.per_minute / INTERVAL)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def burst(per_minute: int) -> int:
    """999 for the usual 3,000 a minute; a third of it where that is less, or far more than Notify allows."""
    third = ceil(per_minute / 3)
    return min(third, BURST) if per_minute <= 3_000 else third


class SendLimits:
    """Counts in memory: a restart begins the day anew, as Notify's own cache does."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[str, KeyType], TokenBucket] = {}
        self._day = 0
        self._sent: dict[tuple[str, str], int] = {}

    def check(self, service: Service, key_type: KeyType, *, kind: str, now: float) -> None:
        self.check_rate(service, key_type, now=now)
        self.check_day(service, key_type, kind=kind, now=now)

    def check_rate(self, service: Service, key_type: KeyType, *, now: float) -> None:
        bucket = self._buckets.get((service.id, key_type))
        if bucket is None or bucket.per_minute != service.limits.per_minute:
            bucket = TokenBucket(per_minute=service.limits.per_minute, now=now)
            self._buckets[service.id, key_type] = bucket
        if not bucket.take(now):
            raise _too_fast(service, key_type)

    def check_day(self, service: Service, key_type: KeyType, *, kind: str, now: float) -> None:
        if key_type is KeyType.TEST:
            return
        self._turn_to(now)
        limit = _daily_limit(service, kind)
        if self._sent.get((service.id, kind), 0) >= limit:
            raise problem(429, "TooManyRequestsError", f"Exceeded send limits ({kind}: {limit}) for today")

    def count(self, service: Service, key_type: KeyType, *, kind: str, now: float) -> None:
        if key_type is KeyType.TEST:
            return
        self._turn_to(now)
        self._sent[service.id, kind] = self._sent.get((service.id, kind), 0) + 1

    def _turn_to(self, now: float) -> None:
        day = int(now // 86_400)
        if day != self._day:
            self._day = day
            self._sent.clear()


INTERNATIONAL_TEXT = "international_sms"


def _daily_limit(service: Service, kind: str) -> int:
    limits = {
        Channel.EMAIL.value: service.limits.emails,
        Channel.TEXT.value: service.limits.texts,
        Channel.LETTER.value: service.limits.letters,
        INTERNATIONAL_TEXT: service.limits.international_texts,
    }
    return limits[kind]


def _too_fast(service: Service, key_type: KeyType) -> NotifyError:
    rate = service.limits.per_minute
    message = f"Exceeded rate limit for key type {key_type.upper()} of {rate} requests per {INTERVAL} seconds"
    return problem(429, "RateLimitError", message)
