"""How much may be sent."""

import pytest

from notify_sandbox.limits import SendLimits, TokenBucket, burst
from notify_sandbox.model import KeyType, Limits, Service
from notify_sandbox.problems import NotifyError

NOON = 20_000 * 86_400 + 43_200.0


@pytest.mark.parametrize(("per_minute", "expected"), [(3_000, 999), (60, 20), (3, 1), (6_000_000, 2_000_000)])
def test_how_many_at_once(per_minute: int, expected: int) -> None:
    assert burst(per_minute) == expected


def test_a_bucket_fills_at_fifty_a_second() -> None:
    bucket = TokenBucket(per_minute=3_000, now=0)
    at_once = sum(bucket.take(0) for _ in range(2_000))
    in_a_second = sum(bucket.take(1) for _ in range(2_000))
    after_an_hour = sum(bucket.take(3_600) for _ in range(2_000))

    assert (at_once, in_a_second, after_an_hour) == (999, 50, 999)


def housing(**limits: int) -> Service:
    return Service(id="1", name="Housing", email_from="housing", limits=Limits(**limits))


def taken(limits: SendLimits, service: Service, key_type: KeyType, *, now: float, kind: str = "email") -> str:
    try:
        limits.check(service, key_type, kind=kind, now=now)
    except NotifyError as refused:
        return str(refused.errors[0]["error"])
    limits.count(service, key_type, kind=kind, now=now)
    return "taken"


def test_each_key_type_has_a_bucket_of_its_own() -> None:
    limits, service = SendLimits(), housing(per_minute=3)
    seen = [taken(limits, service, key_type, now=NOON) for key_type in [*KeyType, *KeyType]]

    assert seen == ["taken"] * 3 + ["RateLimitError"] * 3


def test_a_day_counts_channels_apart_and_ends_at_midnight() -> None:
    limits, service = SendLimits(), housing(emails=1, texts=1)
    seen = [
        taken(limits, service, KeyType.LIVE, now=NOON),
        taken(limits, service, KeyType.TEAM, now=NOON),
        taken(limits, service, KeyType.TEST, now=NOON),
        taken(limits, service, KeyType.LIVE, now=NOON, kind="sms"),
        taken(limits, service, KeyType.LIVE, now=NOON + 43_199),
        taken(limits, service, KeyType.LIVE, now=NOON + 43_200),
    ]

    assert seen == ["taken", "TooManyRequestsError", "taken", "taken", "TooManyRequestsError", "taken"]
