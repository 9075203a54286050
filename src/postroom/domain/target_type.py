"""The kinds of thing that a notification can be about: an open vocabulary with known names."""

import difflib
import re

KNOWN = {
    "FailedDirectDebits": "Failed direct debits",
    "MissedServiceChargePayments": "Missed service charge payments",
    "Estimates": "Estimates to approve",
    "Actuals": "Actuals to approve",
    "EstimatesAndActuals": "Estimates and actuals to approve",
    "Person": "Person",
    "Asset": "Property",
    "Tenure": "Tenure",
    "Repair": "Repair",
    "Process": "Process",
}
"""Name on the wire → label for a screen."""

ALIASES = {
    "MissedServiceCharge": "MissedServiceChargePayments",
}

_FORM = re.compile(r"[A-Z][A-Za-z0-9]{0,63}")
_CANONICAL = {name.lower(): name for name in KNOWN} | {alias.lower(): name for alias, name in ALIASES.items()}


def canonical(name: str) -> str | None:
    """The name as it is kept, or None where it has not the form of one (PascalCase, up to 64)."""
    known = _CANONICAL.get(name.lower())
    if known is not None:
        return known
    return name if _FORM.fullmatch(name) else None


def nearest(name: str) -> list[str]:
    """Up to three known names that the writer may have meant."""
    first = name.split(",")[0].strip().lower()
    close = difflib.get_close_matches(first, _CANONICAL, n=3, cutoff=0.5)
    return list(dict.fromkeys(_CANONICAL[match] for match in close))


def label(name: str) -> str:
    return KNOWN.get(name, name)


def in_words(name: str | None) -> str:
    """As words: ThresholdBreached as Threshold breached, where it has no label."""
    if not name:
        return "Notification"
    if name in KNOWN:
        return label(name)
    parts: list[str] = []
    for character in name:
        if character.isupper() and parts and not parts[-1].isupper():
            parts += [" ", character.lower()]
        else:
            parts.append(character)
    return "".join(parts)
