"""Which limits hold for a service: the deployment's, and those chosen for it alone."""

from dataclasses import dataclass
from functools import lru_cache

import msgspec

from postroom.features.limits.verdicts import ProviderLimits, burst_of

_MORE_THAN_ANYBODY_SENDS = 2_000_000_000
_WITHOUT_DAYS = "test"
"""The type of key that Notify counts no days for."""


class ServiceLimits(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What was chosen for one service, as its row keeps it; None where the deployment's choice holds."""

    calls_a_minute: int | None = None
    same_template_an_hour: int | None = None
    notify_a_minute: int | None = None
    notify_emails_a_day: int | None = None
    notify_texts_a_day: int | None = None
    notify_international_texts_a_day: int | None = None
    notify_letters_a_day: int | None = None
    same_text_an_hour: int | None = None
    texts_an_hour: int | None = None


NOTHING_CHOSEN = ServiceLimits()


@dataclass(frozen=True, slots=True)
class LimitDefaults:
    """What a deployment chooses for services that nothing was chosen for."""

    calls_a_minute: int = 12_000
    same_template_an_hour: int = 20
    notify_a_minute: int = 3_000


@dataclass(frozen=True, slots=True)
class SendLimits:
    """What holds for a delivery: the provider's limits, and ours for its recipient (0 is none)."""

    provider: ProviderLimits
    same_template_an_hour: int


@lru_cache(maxsize=4096)
def send_limits(chosen: ServiceLimits, *, key_type: str, defaults: LimitDefaults) -> SendLimits:
    """The limits of a service for what it sends with a key of that type."""
    usual = ProviderLimits()
    per_minute = _either(chosen.notify_a_minute, defaults.notify_a_minute)
    days = {
        "emails": _either(chosen.notify_emails_a_day, usual.emails),
        "texts": _either(chosen.notify_texts_a_day, usual.texts),
        "international_texts": _either(chosen.notify_international_texts_a_day, usual.international_texts),
        "letters": _either(chosen.notify_letters_a_day, usual.letters),
    }
    if key_type == _WITHOUT_DAYS:
        days = dict.fromkeys(days, _MORE_THAN_ANYBODY_SENDS)
    return SendLimits(
        provider=ProviderLimits(
            per_minute=per_minute,
            burst=burst_of(per_minute),
            same_text_an_hour=_either(chosen.same_text_an_hour, usual.same_text_an_hour),
            texts_an_hour=_either(chosen.texts_an_hour, usual.texts_an_hour),
            **days,
        ),
        same_template_an_hour=_either(chosen.same_template_an_hour, defaults.same_template_an_hour),
    )


def _either(chosen: int | None, usual: int) -> int:
    return usual if chosen is None else chosen
