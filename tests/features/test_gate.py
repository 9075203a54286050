"""What may not be sent now is not claimed: it is put off, or ended, and nobody is left waiting for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest

from postroom.domain import delivery as steps
from postroom.domain.delivery import Change, State, Step
from postroom.domain.notification import Notification
from postroom.domain.status import Status
from postroom.features.notifications.changes import Done, Held, Request, Writer, write_changes
from postroom.features.notifications.tables import attempts, deliveries
from postroom.kit.database import AsyncConnection, Batch
from postroom.kit.ids import new_id

if TYPE_CHECKING:
    from tests.features.conftest import Office

LATER = timedelta(minutes=1)


@dataclass
class ShutGate:
    """Lets nothing through that it was told of, and keeps whom it was asked about.

    `needs_locks` is one that cannot say it of what is not locked.
    """

    needs_locks: bool
    shut: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    async def locked(self, conn: AsyncConnection, held: Sequence[Held]) -> Mapping[str, Change]:
        assert self.needs_locks
        return self._instead([each.state for each in held])

    async def at_once(self, batch: Batch, held: Sequence[Held]) -> Mapping[str, Change] | None:
        return None if self.needs_locks else self._instead([each.state for each in held])

    def _instead(self, states: Sequence[State]) -> Mapping[str, Change]:
        self.asked += [state.id for state in states]
        return {
            state.id: steps.put_off(state, until=state.created_at + LATER, reason="waits for a limit")
            for state in states
            if state.id in self.shut
        }


@pytest.fixture(params=[True, False], ids=["locked", "at once"])
def gate(request: pytest.FixtureRequest) -> ShutGate:
    return ShutGate(request.param)


def claim(office: "Office", made: Notification) -> Request:
    delivery_id = made.deliveries[0].id
    apply = partial(steps.claim, now=office.now, policy=office.app.settings.policy, attempt_id=new_id())
    return Request(delivery_id, apply, claims=True)


async def write(office: "Office", requests: Sequence[Request], gate: ShutGate) -> list[Done]:
    return await Writer(database=office.app.database, queue=office.app.queue, gate=gate).write(requests)


def put_off(office: "Office", wait: timedelta) -> partial[Change]:
    return partial(steps.put_off, until=office.now + wait, reason="waits for a limit")


def step_of(done: Done) -> Step | None:
    return None if done.change is None else done.change.step


async def test_of_many_claims_only_those_are_stopped_that_the_gate_names(
    office: "Office", gate: ShutGate
) -> None:
    stopped, sent = [await office.create(office.email()) for _ in range(2)]
    gate.shut = {stopped.deliveries[0].id}

    done = await write(office, [claim(office, stopped), claim(office, sent)], gate)

    assert [step_of(each) for each in done] == [Step.WAIT, Step.SEND]
    assert done[0].personal is None
    first, second = [await office.row(deliveries, made.deliveries[0].id) for made in (stopped, sent)]
    assert (first.status, first.attempts, first.lease_until) == (Status.PENDING, 0, None)
    assert (first.due_at, first.reason) == (stopped.created_at + LATER, "waits for a limit")
    assert (second.attempts, second.open_attempt is not None) == (1, True)
    assert [row.delivery_id for row in await office.rows(attempts)] == [second.id]


async def test_the_gate_is_asked_only_of_what_would_call_the_provider(
    office: "Office", gate: ShutGate
) -> None:
    sending, not_due = [await office.create(office.email()) for _ in range(2)]
    await office.step(sending)

    def not_yet(state: State) -> Change:
        before = state.created_at - timedelta(seconds=1)
        return steps.claim(state, now=before, policy=office.app.settings.policy, attempt_id=new_id())

    office.clock.until(office.now + timedelta(hours=1))
    done = await write(
        office, [claim(office, sending), Request(not_due.deliveries[0].id, not_yet, claims=True)], gate
    )

    assert [step_of(each) for each in done] == [Step.POLL, Step.NOTHING]
    assert gate.asked == [sending.deliveries[0].id]


async def test_two_claims_of_one_delivery_are_one_question(office: "Office", gate: ShutGate) -> None:
    made = await office.create(office.email())

    done = await write(office, [claim(office, made), claim(office, made)], gate)

    assert [step_of(each) for each in done] == [Step.SEND, Step.NOTHING]
    assert gate.asked == [made.deliveries[0].id]


async def test_what_falls_due_by_the_request_before_is_not_claimed_with_it(
    office: "Office", gate: ShutGate
) -> None:
    """The gate was asked before, of what was due then."""
    made = await office.create(office.email())
    await write(office, [Request(made.deliveries[0].id, put_off(office, timedelta(hours=1)))], gate)

    resumed = Request(made.deliveries[0].id, put_off(office, timedelta(0)))
    done = await write(office, [resumed, claim(office, made)], gate)

    assert [step_of(each) for each in done] == [Step.WAIT, Step.NOTHING]
    assert gate.asked == []
    assert step_of((await write(office, [claim(office, made)], gate))[0]) is Step.SEND


async def test_nothing_is_claimed_past_the_gate(office: "Office") -> None:
    made = await office.create(office.email())

    with pytest.raises(AssertionError, match="passes the gate"):
        async with office.app.database.transaction() as conn:
            await write_changes(conn, [claim(office, made)], queue=office.app.queue, gate=None)
