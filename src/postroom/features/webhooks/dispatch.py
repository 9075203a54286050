"""Publishing what was recorded, and making the calls that are due: each endpoint in slots of its own."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta

from postroom.features.webhooks.caller import Caller
from postroom.features.webhooks.calls import SERVICES_WITH_CALLS, Call, Ended, claim_calls, write_ends
from postroom.features.webhooks.publish import MOST, publish
from postroom.features.webhooks.retry import judge
from postroom.features.webhooks.signing import signed_headers
from postroom.features.webhooks.told import Subjects
from postroom.kit.clock import Clock
from postroom.kit.crypto import Vault
from postroom.kit.database import (
    NOT_NOW,
    Database,
    DatabaseUnavailable,
    GroupCommit,
    LockTimeout,
    in_transactions,
)
from postroom.kit.in_hand import InHand
from postroom.kit.log import get_logger
from postroom.kit.signal import Wakeup

log = get_logger(__name__)

SLOTS = 10
"""Calls in hand for one endpoint: one that answers slowly, or not at all, takes no other's."""

_LOOK_EVERY = timedelta(seconds=0.5)
_PUBLISH_PAUSE = 0.1
"""Between two times: what is recorded in between is published together."""
_CALL_PAUSE = 0.02
_PATIENCE_SECONDS = 3.5


class Dispatcher:
    """One process's part of the work; on PostgreSQL several share it, by leases on the rows."""

    def __init__(
        self,
        *,
        database: Database,
        vault: Vault,
        subjects: Subjects,
        caller: Caller,
        clock: Clock,
        slots: int = SLOTS,
    ) -> None:
        self._database = database
        self._vault = vault
        self._subjects = subjects
        self._caller = caller
        self._clock = clock
        self._slots = slots
        self._recorded = Wakeup()
        self._callable = Wakeup()
        self._in_hand: InHand[str] = InHand(let_go=self._callable.ring)
        self._ends: GroupCommit[Ended, None] = GroupCommit(write=in_transactions(database, write_ends))

    def ring(self) -> None:
        """Say, after a commit, that something may be recorded."""
        self._recorded.ring()

    async def run(self, *, stop: asyncio.Event) -> None:
        """Publish and call until `stop`; then wait for what is in hand, or leave it: its leases lapse."""
        async with asyncio.TaskGroup() as group:
            loops = [
                group.create_task(_again(self.publish_all, self._recorded, _PUBLISH_PAUSE)),
                group.create_task(_again(self.start_due, self._callable, _CALL_PAUSE)),
            ]
            await stop.wait()
            for loop in loops:
                loop.cancel()
        await self._in_hand.finish(within=_PATIENCE_SECONDS)

    async def publish_all(self) -> int:
        """Publish all that is recorded; how many."""
        published = 0
        while True:
            some = await publish(self._database, now=self._clock())
            published += some.events
            if some.calls:
                self._callable.ring()
            if some.events < MOST:
                return published

    async def start_due(self) -> int:
        """Begin the calls that are due and have a slot; how many."""
        now = self._clock()
        services = await self._database.run(SERVICES_WITH_CALLS, now=now)
        if not any(self._free(service_id) for (service_id,) in services):
            return 0
        async with self._database.transaction() as conn:
            calls = await claim_calls(conn, self._free, vault=self._vault, subjects=self._subjects, now=now)
        for call in calls:
            self._in_hand.begin(call.service_id, self._make(call))
        return len(calls)

    async def idle(self) -> None:
        """Wait until no call is in hand."""
        await self._in_hand.idle()

    async def close(self) -> None:
        """Leave what is in hand, and write down what has ended."""
        await self._in_hand.finish(within=0)
        await self._ends.close()

    def _free(self, service_id: str) -> int:
        return self._slots - self._in_hand.number_for(service_id)

    async def _make(self, call: Call) -> None:
        try:
            headers = signed_headers(call.keys, event_id=call.event_id, at=self._clock(), body=call.body)
            if call.correlation_id is not None:
                headers["x-correlation-id"] = call.correlation_id
            answer = await self._caller.post(call.url, call.body, headers)
            now = self._clock()
            chance = random.random()  # noqa: S311 - spreads retries, guards nothing
            verdict = judge(answer, tries=call.number, now=now, chance=chance)
            log.info(
                "webhook",
                event_id=call.event_id,
                correlation_id=call.correlation_id,
                service=call.service_id,
                number=call.number,
                outcome=verdict.outcome.value,
                status=answer.status_code,
                error=answer.error,
            )
            await self._ends.submit(Ended(call, now, answer, verdict))
        except NOT_NOW:
            log.warning(
                "a webhook's end could not be written, and it is called again", event_id=call.event_id
            )
        except Exception as error:
            log.error("webhook failed", event_id=call.event_id, exc_info=error)


async def _again(work: Callable[[], Awaitable[int]], wakeup: Wakeup, pause: float) -> None:
    while True:
        done = 0
        try:
            done = await work()
        except (DatabaseUnavailable, LockTimeout):
            log.warning("feedback waits for the database")
        except Exception as error:
            log.error("feedback failed", exc_info=error)
        if not done:
            await wakeup.wait(at_most=_LOOK_EVERY)
        await asyncio.sleep(pause)
