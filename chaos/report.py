"""What a run found, as a table for people and as JSON."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from statistics import median
from typing import Any

import msgspec

from chaos.compare import Fault, Wrong, undecided
from chaos.evidence import Evidence
from chaos.plan import Plan

_SHOWN = 20


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What happened while the plan was carried out."""

    plan: Plan
    began: datetime
    healed_at: datetime
    """When everything ran again, and nothing failed any more."""
    deeds: dict[str, int]
    connections_cut: int
    answers: dict[str, int]
    ended_by_themselves: dict[str, list[int]]
    """Processes that nobody took down, and the codes that they ended with."""
    errors: dict[str, int]
    """Lines of the level error in the logs, by what they tell of."""
    bad_stops: list[str]
    """Who did not end in time, or not well, when it was told to stop."""


def figures(run: Run, evidence: Evidence, faults: Sequence[Fault]) -> dict[str, Any]:
    accepted = [told for told in evidence.told if told.is_accepted]
    wrong = Counter(fault.wrong for fault in faults)
    known = {target for each in evidence.notifications if (target := each.target_id) is not None}
    return {
        "seed": run.plan.seed,
        "database": run.plan.database,
        "seconds": run.plan.seconds,
        "posted": len(evidence.told),
        "accepted": len(accepted),
        "not answered 201": len(evidence.told) - len(accepted),
        "of those kept all the same": sum(
            told.item.target_id in known for told in evidence.told if not told.is_accepted
        ),
        "deliveries": len(evidence.kept),
        "taken by the provider": len(evidence.taken),
        "ends": dict(Counter(each.status for each in evidence.kept).most_common()),
        "needed more than one attempt": sum(each.attempts > 1 for each in evidence.kept),
        "dead": [f"{each.id}: {each.reason}" for each in undecided(evidence.kept)],
        "deeds": run.deeds,
        "connections cut": run.connections_cut,
        "answers": run.answers,
        "seconds to the end": _waits(run, evidence),
        "ended by themselves": run.ended_by_themselves,
        "bad stops": run.bad_stops,
        "errors in the logs": run.errors,
        "ledger unaccounted": evidence.unaccounted,
        "wrong": {each.value: wrong[each] for each in Wrong},
    }


def _waits(run: Run, evidence: Evidence) -> dict[str, float]:
    """From the acceptance of a delivery to its end, and from the last trouble to the last end."""
    waits = sorted(
        (each.completed_at - each.created_at).total_seconds()
        for each in evidence.kept
        if each.completed_at is not None
    )
    if not waits:
        return {}
    last = max(each.completed_at for each in evidence.kept if each.completed_at is not None)
    return {
        "median": round(median(waits), 2),
        "of 99 in 100": round(waits[len(waits) * 99 // 100], 2),
        "slowest": round(waits[-1], 2),
        "last after healing": round((last - run.healed_at).total_seconds(), 2),
    }


def table(said: dict[str, Any], faults: Sequence[Fault]) -> str:
    lines = [f"{'':2}{name:<30}{_in_words(value)}" for name, value in said.items()]
    lines += [f"  ! {fault.wrong}: {fault.what}" for fault in faults[:_SHOWN]]
    if len(faults) > _SHOWN:
        lines.append(f"  ! and {len(faults) - _SHOWN} more, which the JSON holds")
    return "\n".join(lines)


def verdict(said: dict[str, Any], faults: Sequence[Fault]) -> str:
    kills = sum(count for deed, count in said["deeds"].items() if deed.startswith(("kill", "crash")))
    return (
        f"{said['database']}, seed {said['seed']}: {said['accepted']} accepted, {kills} kills, "
        f"lost {said['wrong'][Wrong.LOST]}, sent twice {said['wrong'][Wrong.TWICE]}: "
        f"{'FAILED' if faults else 'passed'}"
    )


def _in_words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {count}" for name, count in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value)
