"""Whether a provider that does not answer is called: not, but for one probe now and then, until it answers.

A circuit is a value, and each of these functions makes the next one of it. It is closed while calls go
through. Failures in a row open it; then nothing is called until its moment comes. One call goes through as
the probe: where it fails, the wait is doubled; where anything is answered, the circuit closes.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

_PATIENCE = 4
"""A patient caller leaves the probe to others for so small a part of the wait."""


class Position(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"
    """Its probe is on the way."""


@dataclass(frozen=True, slots=True)
class CircuitPolicy:
    """How many failures in a row open a circuit, and what is waited between probes: doubled each time."""

    opens_after: int = 5
    first_wait: timedelta = timedelta(seconds=1)
    longest_wait: timedelta = timedelta(seconds=30)
    probe_lasts: timedelta = timedelta(seconds=20)
    """A probe of which nothing is heard for so long is given up. Longer than a whole call."""


@dataclass(frozen=True, slots=True)
class Circuit:
    """`until` is None while it is closed: else when the next probe may go, or this one is given up."""

    failures: int = 0
    wait: timedelta = timedelta(0)
    until: datetime | None = None
    probe: str | None = None

    @property
    def position(self) -> Position:
        if self.until is None:
            return Position.CLOSED
        return Position.OPEN if self.probe is None else Position.HALF_OPEN


CLOSED = Circuit()


def ask(circuit: Circuit, *, caller: str, patient: bool, now: datetime, policy: CircuitPolicy) -> Circuit:
    """The circuit after somebody wants to call. `lets_through` says whether they may.

    Asked twice by the same caller it says the same: a transaction may be tried again.
    """
    if circuit.until is None or circuit.probe == caller:
        return circuit
    until = circuit.until
    if patient and circuit.probe is None:
        until += circuit.wait / _PATIENCE
    if until > now and not _is_beyond(until, now, policy):
        return circuit
    return replace(circuit, probe=caller, until=now + policy.probe_lasts)


def lets_through(circuit: Circuit, caller: str) -> bool:
    return circuit.until is None or circuit.probe == caller


def failed(circuit: Circuit, *, caller: str, now: datetime, policy: CircuitPolicy, chance: float) -> Circuit:
    """The caller's call had no proper answer. While it is not closed, only its probe has a say.

    The wait is spread by `chance` in [0, 1) over its upper half: many processes do not probe together.
    """
    if circuit.until is None:
        failures = circuit.failures + 1
        if failures < policy.opens_after:
            return Circuit(failures=failures)
        return _opened(failures, policy.first_wait, now, chance)
    if circuit.probe != caller:
        return circuit
    return _opened(circuit.failures + 1, _doubled(circuit, policy), now, chance)


def answered() -> Circuit:
    """Somebody was answered, by whatever the provider says: it is there."""
    return CLOSED


def let_go(circuit: Circuit, *, caller: str, now: datetime) -> Circuit:
    """The caller does not call after all: the next may be the probe."""
    return replace(circuit, probe=None, until=now) if circuit.probe == caller else circuit


def next_probe(circuit: Circuit, *, now: datetime, patient: bool, policy: CircuitPolicy) -> datetime:
    """When it makes sense to ask again. Where a probe is on the way, as if it failed right now."""
    if circuit.until is None:
        return now
    at = circuit.until if circuit.probe is None else now + _doubled(circuit, policy)
    return at + circuit.wait / _PATIENCE if patient else at


def _opened(failures: int, wait: timedelta, now: datetime, chance: float) -> Circuit:
    return Circuit(failures=failures, wait=wait, until=now + wait * (0.5 + chance / 2))


def _doubled(circuit: Circuit, policy: CircuitPolicy) -> timedelta:
    return min(circuit.wait * 2, policy.longest_wait)


def _is_beyond(until: datetime, now: datetime, policy: CircuitPolicy) -> bool:
    """Further ahead than any wait: the clock was set back meanwhile."""
    return until - now > 2 * max(policy.longest_wait, policy.probe_lasts)
