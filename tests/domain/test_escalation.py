"""How long a step waits."""

from datetime import timedelta

import pytest

from postroom.domain.escalation import read_duration


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("PT24H", timedelta(hours=24)),
        ("P3D", timedelta(days=3)),
        ("P2W", timedelta(weeks=2)),
        ("P1DT2H30M", timedelta(days=1, hours=2, minutes=30)),
        ("PT1S", timedelta(seconds=1)),
        ("P365D", timedelta(days=365)),
    ],
)
def test_a_duration_is_read(text: str, duration: timedelta) -> None:
    assert read_duration(text) == duration


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "PT",
        "3 days",
        "24",
        "P1Y",
        "P1M",
        "-P1D",
        "PT0S",
        "PT0.5S",
        "P366D",
        "P99W",
        "P999999999D",
        "P1D ",
    ],
)
def test_what_is_none_or_too_short_or_long_is_not(text: str) -> None:
    assert read_duration(text) is None
