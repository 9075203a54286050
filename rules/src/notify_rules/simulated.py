"""Recipients that Notify plays through: accepted and never sent, or sent to an end known beforehand."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from notify_rules.whitespace import remove_all

SIMULATED_EMAIL_ADDRESSES = frozenset(
    f"{name}@notifications.service.gov.uk"
    for name in ("simulate-delivered", "simulate-delivered-2", "simulate-delivered-3")
)
SIMULATED_PHONE_NUMBERS = frozenset({"+447700900000", "+447700900111", "+447700900222"})

TEST_KEY_OUTCOMES: Mapping[str, str] = MappingProxyType(
    {
        "temp-fail@simulator.notify": "temporary-failure",
        "perm-fail@simulator.notify": "permanent-failure",
        "+447700900003": "temporary-failure",
        "+447700900002": "permanent-failure",
    }
)

_UK_NUMBER = re.compile(r"(?:\+|00)?(?:44)?0?(7[0-9]{9})")


def is_simulated(channel_recipient: str) -> bool:
    """With any key: answered 201 and stored nowhere. A number may be written in any way."""
    return _plain(channel_recipient) in SIMULATED_EMAIL_ADDRESSES | SIMULATED_PHONE_NUMBERS


def outcome_with_test_key(channel_recipient: str) -> str:
    """How a message ends that was sent with a test key: with the status that Notify reports."""
    return TEST_KEY_OUTCOMES.get(_plain(channel_recipient), "delivered")


def _plain(channel_recipient: str) -> str:
    compact = remove_all(channel_recipient).lower()
    if "@" in compact:
        return compact
    number = _UK_NUMBER.fullmatch(re.sub(r"[()-]", "", compact))
    return f"+44{number[1]}" if number else compact
