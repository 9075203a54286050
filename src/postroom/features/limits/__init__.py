"""How much may be sent, and asked: the provider's limits, ours for recipients, and ours for callers."""

from postroom.features.limits.callers import CallerLimits
from postroom.features.limits.chosen import (
    FAR_ABOVE,
    NOTHING_CHOSEN,
    LimitDefaults,
    SendLimits,
    ServiceLimits,
    check_limits,
    send_limits,
)
from postroom.features.limits.provider import ProviderBuckets, account_of, forget_sends
from postroom.features.limits.verdicts import Go, ProviderLimits, PutOff, Suppress, Verdict, Wanted

__all__ = [
    "FAR_ABOVE",
    "NOTHING_CHOSEN",
    "CallerLimits",
    "Go",
    "LimitDefaults",
    "ProviderBuckets",
    "ProviderLimits",
    "PutOff",
    "SendLimits",
    "ServiceLimits",
    "Suppress",
    "Verdict",
    "Wanted",
    "account_of",
    "check_limits",
    "forget_sends",
    "send_limits",
]
