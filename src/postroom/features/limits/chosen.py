"""Which limits hold for a service: the deployment's, and those chosen for it alone."""

from dataclasses import dataclass
from functools import lru_cache

import msgspec

from postroom.domain.errors import FieldError
from postroom.features.limits.verdicts import ProviderLimits, burst_of

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

    def changed(self, others: "ServiceLimits") -> "ServiceLimits":
        """With those of the others that are chosen there."""
        chosen = {name: value for name, value in msgspec.structs.asdict(others).items() if value is not None}
        return msgspec.structs.replace(self, **chosen)


NOTHING_CHOSEN = ServiceLimits()
FAR_ABOVE = ServiceLimits(
    calls_a_minute=6_000_000,
    same_template_an_hour=0,
    notify_a_minute=6_000_000,
    notify_emails_a_day=1_000_000_000,
    notify_texts_a_day=1_000_000_000,
    notify_international_texts_a_day=1_000_000_000,
    notify_letters_a_day=1_000_000_000,
    same_text_an_hour=0,
    texts_an_hour=0,
)
"""Far above what GOV.UK Notify takes: only for a sandbox whose own limits are as high."""

_MAY_BE_OFF = frozenset({"same_template_an_hour", "same_text_an_hour", "texts_an_hour"})
_MOST_AN_HOUR = 1_000
_MOST = 2_000_000_000


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


def check_limits(chosen: ServiceLimits) -> list[FieldError]:
    """Every limit that cannot be one."""
    faults = []
    for field in msgspec.structs.fields(chosen):
        value = getattr(chosen, field.name)
        off = field.name in _MAY_BE_OFF
        most = _MOST_AN_HOUR if off else _MOST
        if value is not None and not (0 if off else 1) <= value <= most:
            text = f"Use 1 to {most}, or 0 for no limit." if off else f"Use 1 to {most}."
            faults.append(FieldError(field.encode_name, text))
    return faults


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
        days = dict.fromkeys(days, _MOST)
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
