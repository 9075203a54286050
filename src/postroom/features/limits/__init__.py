"""How much may be sent, and asked: the provider's limits, ours for recipients, and ours for callers."""

from postroom.features.limits.chosen import (
    NOTHING_CHOSEN,
    LimitDefaults,
    SendLimits,
    ServiceLimits,
    send_limits,
)
from postroom.features.limits.provider import ProviderBuckets, account_of, forget_sends
from postroom.features.limits.verdicts import Go, ProviderLimits, PutOff, Suppress, Verdict, Wanted

__all__ = [
    "NOTHING_CHOSEN",
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
    "forget_sends",
    "send_limits",
]
