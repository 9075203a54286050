"""How often a service may call: a bucket of tokens for each, with a minute's worth at once.

One process keeps them in its memory. Where there may be several, on PostgreSQL, each takes tokens from a
row that all share, in lots that are small beside the limit, and spends those without asking anybody.
"""

import asyncio
from datetime import datetime, timedelta
from math import ceil, inf, isinf

from postroom.domain.allowance import Allowance
from postroom.features.limits import store
from postroom.kit.clock import Clock
from postroom.kit.database import Database, DatabaseUnavailable, LockTimeout
from postroom.kit.log import get_logger

log = get_logger(__name__)

_LOTS_A_MINUTE = 200
"""A lot is so small a part of a minute's calls, and one at least: a small limit is exact."""
_LOT_KEPT = timedelta(minutes=1)
_NOBODY_ASKED = timedelta(seconds=1)
"""For so long nobody asks a database that did not answer."""
_CLOCKS_DIFFER = timedelta(minutes=1)
"""What is further ahead of us was written by a clock that was wrong."""


class CallerLimits:
    """Says of each call whether its service may make it."""

    def __init__(self, *, database: Database, clock: Clock, calls_a_minute: int) -> None:
        self._database = database
        self._clock = clock
        self.calls_a_minute = calls_a_minute
        self._shared = database.is_postgres
        self._purses: dict[str, _Purse] = {}

    async def take(self, service_id: str, *, cost: int = 1, a_minute: int | None = None) -> Allowance:
        """Take a token for a call, or one for each notification of a bulk: all of them or none.

        `a_minute` is the service's limit. Who does not know it leaves it out: it is what it was last.
        """
        now = self._clock()
        purse = self._purses.get(service_id)
        if purse is None:
            most = a_minute or self.calls_a_minute
            in_hand = 0.0 if self._shared else float(most)
            purse = self._purses[service_id] = _Purse(most, in_hand, now)
        elif a_minute is not None and a_minute != purse.a_minute:
            purse.change(a_minute)
        if not self._shared:
            purse.refill(now)
        elif purse.asks(cost, now):
            await self._fill(service_id, purse, cost)
        return purse.take(cost, now)

    async def _fill(self, service_id: str, purse: "_Purse", cost: int) -> None:
        """Take a lot from the row, one asker at a time: who waited meanwhile may find enough."""
        async with purse.lock:
            now = self._clock()
            if not purse.asks(cost, now):
                return
            try:
                await self._take_lot(service_id, purse, cost, now)
            except (DatabaseUnavailable, LockTimeout):
                # A limit keeps one caller from harming the others. Who cannot be counted is let through: to
                # refuse all for that would harm them more, and what needs the database is refused there.
                log.warning("calls are not counted while the database does not answer")
                purse.hold(inf, left=0, since=now, until=now + _NOBODY_ASKED)

    async def _take_lot(self, service_id: str, purse: "_Purse", cost: int, now: datetime) -> None:
        async with self._database.transaction() as conn:
            row = await store.lock_caller_bucket(conn, service_id, tokens=purse.a_minute, now=now)
            then = now if row.refilled_at > now + _CLOCKS_DIFFER else row.refilled_at
            passed = max((now - then).total_seconds(), 0)
            there = min(row.tokens + purse.spare + passed * purse.rate, purse.a_minute)
            lot = purse.lot(cost, there)
            at = max(now, then)
            await store.save_caller_bucket(conn, service_id, tokens=there - lot, refilled_at=at)
        purse.hold(lot, left=there - lot, since=now, until=now + _LOT_KEPT)


class _Purse:
    """A service's tokens as this process knows them: those in its hand, and those left in the row."""

    __slots__ = ("_in_hand", "_left", "_since", "_until", "a_minute", "lock", "rate")

    def __init__(self, a_minute: int, in_hand: float, now: datetime) -> None:
        self.lock = asyncio.Lock()
        self._in_hand: float
        self._left: float
        self.hold(in_hand, left=0, since=now, until=now)
        self.change(a_minute)

    def change(self, a_minute: int) -> None:
        self.a_minute = a_minute
        self.rate = a_minute / 60
        self._in_hand = min(self._in_hand, a_minute)

    def hold(self, in_hand: float, *, left: float, since: datetime, until: datetime) -> None:
        self._in_hand, self._left = in_hand, left
        self._since, self._until = since, until

    def refill(self, now: datetime) -> None:
        """Where the tokens in hand are all there are: with what has come back since the last call."""
        passed = (now - self._since).total_seconds()
        if passed > 0:
            self._in_hand = min(self._in_hand + passed * self.rate, self.a_minute)
            self._since = now
        elif self._since > now + _CLOCKS_DIFFER:
            self._since = now

    def asks(self, cost: int, now: datetime) -> bool:
        """Whether the row is to be asked. Where it had nothing, it is not until it can have a token."""
        if now >= self._until:
            return True
        if self._in_hand >= cost:
            return False
        known = self._in_hand + self._left
        passed = now - self._since
        return known >= 1 or passed.total_seconds() * self.rate >= 1 - known or passed < -_CLOCKS_DIFFER

    @property
    def spare(self) -> float:
        """What is in hand goes back to the row where the next lot is taken."""
        return 0 if isinf(self._in_hand) else self._in_hand

    def lot(self, cost: int, there: float) -> int:
        """How many are taken of those that are there: for this call at least, if it may be made."""
        if there < min(cost, self.a_minute):
            return 0
        return max(cost, min(self.a_minute // _LOTS_A_MINUTE, int(there)))

    def take(self, cost: int, now: datetime) -> Allowance:
        if self._in_hand >= min(cost, self.a_minute):
            self._in_hand -= cost
            known = self._known
            reset = ceil((self.a_minute - known) / self.rate)
            return Allowance(True, self.a_minute, max(int(known), 0), reset)
        known = self._known
        passed = max((now - self._since).total_seconds(), 0)
        wait = ceil((min(cost, self.a_minute) - known) / self.rate - passed)
        reset = ceil((self.a_minute - known) / self.rate - passed)
        return Allowance(False, self.a_minute, max(int(known), 0), max(reset, 1), max(wait, 1))

    @property
    def _known(self) -> float:
        return min(self._in_hand + self._left, float(self.a_minute))
