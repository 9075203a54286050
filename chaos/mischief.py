"""What goes wrong in a run: who is killed, paused, stopped or cut off, and how the provider fails."""

import random
from collections.abc import Iterator, Mapping
from enum import StrEnum

import msgspec

CALL_TIMEOUT, LEASE, QUIET = 2.0, 6.0, 5.0
"""Seconds. In the order that the service demands, and short, so that a run sees many recoveries."""

_LATEST = 12.0
"""So late a call comes to the provider at most: long after it was given up, and perhaps sent again."""
_WHOLE_GAPS_FROM = 90.0
"""A run shorter than this has its troubles closer together, so that it has some."""


class Kind(StrEnum):
    KILL = "kill -9"
    """Started again after so many seconds."""
    PAUSE = "pause"
    """SIGSTOP, for longer than a lease, and SIGCONT."""
    STOP = "stop"
    """SIGTERM, and started again after so many seconds."""
    CRASH = "crash"
    """PostgreSQL, as by `pg_ctl stop -m immediate`; started again after so many seconds."""
    CUT = "cut"
    """This share of PostgreSQL's connections is terminated."""
    FAULT = "fault"
    """The provider fails so for so many seconds, at this share of the calls."""
    RECEIPT_FAULT = "receipts"
    """Receipts go wrong so for so many seconds, this share of them."""
    ABSENCE = "absence"
    """The provider does not listen for so many seconds."""


class Deed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    at: float
    kind: Kind
    target: str
    seconds: float = 0.0
    share: float = 1.0
    how: str | None = None
    late_by: float = 0.0
    """How many seconds late, where the way of failing is to be late."""

    @property
    def in_words(self) -> str:
        how = f" {self.how}" if self.how else ""
        late = f" by {self.late_by:.1f} s" if self.late_by else ""
        share = f", {self.share:.0%}" if self.share < 1 else ""
        seconds = f" for {self.seconds:.1f} s" if self.seconds else ""
        target = "" if self.target == self.kind else f" {self.target}"
        return f"{self.kind}{target}{how}{late}{seconds}{share}"


class _Way(msgspec.Struct, frozen=True):
    """One kind of trouble for a target: how often beside the others, and how long."""

    kind: Kind
    weight: int
    seconds: tuple[float, float]
    share: tuple[float, float] = (1.0, 1.0)
    how: str | None = None
    late_by: tuple[float, float] = (0.0, 0.0)


class _Target(msgspec.Struct, frozen=True):
    """Whom it befalls, and how many seconds of peace lie between one and the next."""

    name: str
    gap: tuple[float, float]
    ways: tuple[_Way, ...]


def plan_deeds(chance: random.Random, *, database: str, seconds: float) -> tuple[Deed, ...]:
    """Each target has its own troubles, one after the other; those of different targets overlap freely."""
    closer = min(1.0, seconds / _WHOLE_GAPS_FROM)
    deeds = [
        deed
        for target in _TARGETS[database]
        for deed in _troubles(chance, target, seconds=seconds, closer=closer)
    ]
    return tuple(sorted(deeds, key=lambda deed: (deed.at, deed.target)))


def _troubles(chance: random.Random, target: _Target, *, seconds: float, closer: float) -> Iterator[Deed]:
    """The first comes early, so that a short run has its share of every target's."""
    low, high = target.gap
    at = chance.uniform(0.2 * low, high) * closer
    while at < seconds:
        (way,) = chance.choices(target.ways, weights=[way.weight for way in target.ways])
        deed = Deed(
            at=round(at, 3),
            kind=way.kind,
            target=target.name,
            seconds=round(chance.uniform(*way.seconds), 3),
            share=round(chance.uniform(*way.share), 2),
            how=way.how,
            late_by=round(chance.uniform(*way.late_by), 2),
        )
        yield deed
        at += deed.seconds + chance.uniform(low, high) * closer


def _process(name: str, *, gap: tuple[float, float], pause: int = 3) -> _Target:
    return _Target(
        name,
        gap,
        (
            _Way(Kind.KILL, 5, (0.2, 3.0)),
            _Way(Kind.PAUSE, pause, (LEASE + 1, LEASE + 5)),
            _Way(Kind.STOP, 2, (0.2, 2.0)),
        ),
    )


_SANDBOX = _Target("sandbox", (15, 40), (_Way(Kind.KILL, 1, (0.2, 3.0)),))
_NOTIFY = _Target(
    "notify",
    (2, 8),
    (
        _Way(Kind.FAULT, 2, (1, 6), (0.3, 1.0), "down"),
        _Way(Kind.FAULT, 3, (2, 8), (0.3, 1.0), "slow", (0.2, QUIET)),
        _Way(Kind.FAULT, 3, (2, 8), (0.2, 0.8), "slow", (QUIET, _LATEST)),
        _Way(Kind.FAULT, 2, (1, 6), (0.3, 1.0), "error"),
        _Way(Kind.FAULT, 2, (1, 6), (0.3, 1.0), "limited"),
        _Way(Kind.FAULT, 2, (1, 6), (0.3, 1.0), "rubbish"),
        _Way(Kind.FAULT, 2, (1, 5), (0.2, 0.8), "silent"),
        _Way(Kind.FAULT, 4, (2, 8), (0.2, 0.8), "timeout-after-accepting"),
        _Way(Kind.FAULT, 4, (2, 8), (0.3, 1.0), "reset-after-accepting"),
        _Way(Kind.FAULT, 4, (2, 8), (0.3, 1.0), "error-after-accepting"),
        _Way(Kind.ABSENCE, 2, (0.5, 4)),
    ),
)
_RECEIPTS = _Target(
    "receipts",
    (4, 12),
    (
        _Way(Kind.RECEIPT_FAULT, 1, (4, 12), (0.3, 1.0), "doubled"),
        _Way(Kind.RECEIPT_FAULT, 1, (4, 12), (0.3, 1.0), "lost"),
        _Way(Kind.RECEIPT_FAULT, 1, (4, 12), (0.3, 1.0), "late", (0.5, 8.0)),
        _Way(Kind.RECEIPT_FAULT, 1, (4, 12), (0.3, 1.0), "disordered", (0.5, 8.0)),
    ),
)
_TARGETS: Mapping[str, tuple[_Target, ...]] = {
    "sqlite": (_process("serve", gap=(4, 16), pause=2), _SANDBOX, _NOTIFY, _RECEIPTS),
    "postgres": (
        _process("api-0", gap=(8, 25)),
        _process("api-1", gap=(8, 25)),
        _process("worker-0", gap=(5, 18)),
        _process("worker-1", gap=(5, 18)),
        _process("worker-2", gap=(5, 18)),
        _Target("postgres", (30, 70), (_Way(Kind.CRASH, 1, (0.3, 3.0)),)),
        _Target("connections", (6, 20), (_Way(Kind.CUT, 1, (0, 0), (0.2, 1.0)),)),
        _SANDBOX,
        _NOTIFY,
        _RECEIPTS,
    ),
}
