"""What was accepted, beside what the provider really took: nothing lost, nothing twice, every end true."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

import msgspec

from chaos.caller import Told
from chaos.evidence import Evidence, Kept, Taken
from chaos.traffic import Fate

END_FOR: Mapping[str, str] = {
    "sent": "sent",
    "delivered": "delivered",
    "received": "received",
    "permanent-failure": "permanent-failure",
    "temporary-failure": "temporary-failure",
    "technical-failure": "technical-failure",
    "validation-failed": "validation-failed",
    "virus-scan-failed": "virus-scan-failed",
    "returned-letter": "returned",
    "cancelled": "cancelled",
}
"""How a delivery must have ended whose message ended so at the provider."""

DECLARED = frozenset({"suppressed", "technical-failure", "dead", "expired"})
"""Ends of what the provider did not take. Each says why, and is counted."""

_UNDECIDED = "needs a decision"


class Wrong(StrEnum):
    LOST = "lost"
    TWICE = "sent twice"
    ASTRAY = "sent, and not known"
    WRONG_END = "wrong end"
    NOT_ENDED = "not ended"
    MADE_TWICE = "made twice"
    NOT_LISTED = "lists are wrong"
    STRANGE_ANSWER = "strange answer"
    PERSONAL = "personal data in a log"
    UNACCOUNTED = "unaccounted for"


class Fault(msgspec.Struct, frozen=True):
    """Something that must not be. `what` names it by ids and statuses alone."""

    wrong: Wrong
    what: str


def compare(evidence: Evidence) -> list[Fault]:
    """Everything that is wrong; nothing where all that was accepted came to its true end, once."""
    return [
        *_lost_notifications(evidence),
        *_ends(evidence),
        *_made_twice(evidence),
        *_astray(evidence),
        *_wrongly_listed(evidence),
        *_seen_from_outside(evidence),
    ]


def _lost_notifications(evidence: Evidence) -> Iterator[Fault]:
    """What was answered 201 is kept, with each delivery that the answer told of."""
    known = {each.id for each in evidence.notifications}
    deliveries = {each.id for each in evidence.kept}
    for told in evidence.told:
        for missing in sorted(told.ids - known):
            yield Fault(Wrong.LOST, f"{_of(told)}: accepted as {missing}, which is not kept")
        for missing in sorted(told.deliveries - deliveries):
            yield Fault(Wrong.LOST, f"{_of(told)}: its delivery {missing} is not kept")


def _ends(evidence: Evidence) -> Iterator[Fault]:
    """Each delivery that is kept, beside what the provider took under its id."""
    told_by_target = {told.item.target_id: told for told in evidence.told}
    target_of = {each.id: each.target_id for each in evidence.notifications}
    taken: dict[str | None, list[Taken]] = defaultdict(list)
    for each in evidence.taken:
        taken[each.reference].append(each)
    for kept in evidence.kept:
        told = told_by_target.get(target_of.get(kept.notification_id) or "")
        if told is None:
            yield Fault(Wrong.ASTRAY, f"delivery {kept.id} is kept, and nobody posted it")
        else:
            yield from _end(kept, told, taken[kept.id])


def _end(kept: Kept, told: Told, taken: list[Taken]) -> Iterator[Fault]:
    what = f"{_of(told)}, delivery {kept.id}, {kept.status}"
    if len(taken) > 1:
        yield Fault(Wrong.TWICE, f"{what}: taken {len(taken)} times")
    if kept.completed_at is None:
        yield Fault(Wrong.NOT_ENDED, f"{what}, after {kept.attempts} attempts")
    elif taken:
        expected = END_FOR.get(taken[0].status, f"none for {taken[0].status}")
        if kept.status != expected and not _awaits_decision(kept):
            yield Fault(Wrong.WRONG_END, f"{what}: the provider says {taken[0].status}")
    elif not _may_end_untaken(kept, told):
        yield Fault(Wrong.LOST, f"{what}: the provider never took it")


def _may_end_untaken(kept: Kept, told: Told) -> bool:
    """Whether a delivery may stand so, of which the provider has no record."""
    if kept.status in DECLARED:
        return bool(kept.reason)
    if kept.status == "cancelled":
        return told.removal_asked
    if told.item.fate is Fate.SIMULATED:
        return (kept.status, kept.reason) == ("delivered", "simulated")
    return told.item.fate is Fate.REFUSED and kept.status == "permanent-failure" and bool(kept.reason)


def _made_twice(evidence: Evidence) -> Iterator[Fault]:
    """What was posted once, or again with its key, is one notification, whatever the answers were."""
    made: Counter[str | None] = Counter(each.target_id for each in evidence.notifications)
    for told in evidence.told:
        count = max(made[told.item.target_id], len(told.ids))
        if count > 1:
            yield Fault(Wrong.MADE_TWICE, f"{_of(told)}: {count} notifications of one request")


def _astray(evidence: Evidence) -> Iterator[Fault]:
    known = {each.id for each in evidence.kept}
    for each in evidence.taken:
        if each.reference not in known:
            yield Fault(Wrong.ASTRAY, f"the provider took {each.id} as {each.reference}, which is not kept")


def _wrongly_listed(evidence: Evidence) -> Iterator[Fault]:
    """The API lists what is kept and not removed, and what is removed not."""
    removed = {each.id for each in evidence.notifications if each.is_removed}
    kept = {each.id for each in evidence.notifications} - removed
    listed = set(evidence.listed)
    for missing in sorted(kept - listed):
        yield Fault(Wrong.NOT_LISTED, f"notification {missing} is kept and not listed")
    for extra in sorted(listed - kept):
        yield Fault(Wrong.NOT_LISTED, f"notification {extra} is listed, and removed or not kept")
    for told in evidence.told:
        if told.is_removed and told.ids - removed:
            yield Fault(Wrong.NOT_LISTED, f"{_of(told)}: its removal was confirmed, and is not kept")
        elif not told.removal_asked and told.ids & removed:
            yield Fault(Wrong.NOT_LISTED, f"{_of(told)}: removed, and nobody asked for that")


def _seen_from_outside(evidence: Evidence) -> Iterator[Fault]:
    for answer, count in evidence.strange_answers.items():
        yield Fault(Wrong.STRANGE_ANSWER, f"{answer}: {count} times")
    for log, count in evidence.personal_in_logs.items():
        yield Fault(Wrong.PERSONAL, f"{log}: {count} lines")
    if evidence.unaccounted:
        yield Fault(Wrong.UNACCOUNTED, f"the ledger cannot account for {evidence.unaccounted} deliveries")


def undecided(kept: Iterable[Kept]) -> list[Kept]:
    """Those that were given up, or of which somebody has to decide."""
    return [each for each in kept if each.status == "dead"]


def _awaits_decision(kept: Kept) -> bool:
    """It may have been sent, and says so: that is not hidden, and counted apart."""
    return kept.status == "dead" and (kept.reason or "").startswith(_UNDECIDED)


def _of(told: Told) -> str:
    return f"{told.item.kind} {told.item.number}"
