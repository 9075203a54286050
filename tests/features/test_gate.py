"""What may not be sent now is not claimed: it is put off, or ended, and nobody is left waiting for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.domain import delivery as steps
from postroom.domain.delivery import Change, State, Step
from postroom.domain.notification import Notification
from postroom.domain.status import Status
from postroom.features.notifications.changes import Done, Request, state_of, write_changes
from postroom.features.notifications.tables import attempts, deliveries
from postroom.kit.ids import new_id

if TYPE_CHECKING:
    from tests.features.conftest import Office

LATER = timedelta(minutes=1)


@dataclass
class ShutGate:
    """Lets nothing through that it was told of, and keeps whom it was asked about."""

    shut: frozenset[str] = frozenset()
    asked: list[str] = field(default_factory=list)

    async def __call__(self, conn: AsyncConnection, rows: Sequence[Row[Any]]) -> Mapping[str, Change]:
        self.asked += [row.id for row in rows]
        return {
            row.id: steps.put_off(state_of(row), until=row.due_at + LATER, reason="waits for a limit")
            for row in rows
            if row.id in self.shut
        }


def claim(office: "Office", made: Notification) -> Request:
    delivery_id = made.deliveries[0].id
    apply = partial(steps.claim, now=office.now, policy=office.app.settings.policy, attempt_id=new_id())
    return Request(delivery_id, apply, claims=True)


async def write(office: "Office", requests: Sequence[Request], gate: ShutGate) -> list[Done]:
    async with office.app.database.transaction() as conn:
        return await write_changes(conn, requests, queue=office.app.queue, gate=gate)


def step_of(done: Done) -> Step | None:
    return None if done.change is None else done.change.step


async def test_of_many_claims_only_those_are_stopped_that_the_gate_names(office: "Office") -> None:
    stopped, sent = [await office.create(office.email()) for _ in range(2)]
    gate = ShutGate(frozenset({stopped.deliveries[0].id}))

    done = await write(office, [claim(office, stopped), claim(office, sent)], gate)

    assert [step_of(each) for each in done] == [Step.WAIT, Step.SEND]
    assert done[0].personal is None
    first, second = [await office.row(deliveries, made.deliveries[0].id) for made in (stopped, sent)]
    assert (first.status, first.attempts, first.lease_until) == (Status.PENDING, 0, None)
    assert (first.due_at, first.reason) == (stopped.created_at + LATER, "waits for a limit")
    assert (second.attempts, second.open_attempt is not None) == (1, True)
    assert [row.delivery_id for row in await office.rows(attempts)] == [second.id]


async def test_the_gate_is_asked_only_of_what_would_call_the_provider(office: "Office") -> None:
    sending, not_due = [await office.create(office.email()) for _ in range(2)]
    await office.step(sending)
    gate = ShutGate()

    def not_yet(state: State) -> Change:
        before = state.created_at - timedelta(seconds=1)
        return steps.claim(state, now=before, policy=office.app.settings.policy, attempt_id=new_id())

    office.clock.until(office.now + timedelta(hours=1))
    done = await write(
        office, [claim(office, sending), Request(not_due.deliveries[0].id, not_yet, claims=True)], gate
    )

    assert [step_of(each) for each in done] == [Step.POLL, Step.NOTHING]
    assert gate.asked == [sending.deliveries[0].id]


async def test_two_claims_of_one_delivery_are_one_question(office: "Office") -> None:
    made = await office.create(office.email())
    gate = ShutGate()

    done = await write(office, [claim(office, made), claim(office, made)], gate)

    assert [step_of(each) for each in done] == [Step.SEND, Step.NOTHING]
    assert gate.asked == [made.deliveries[0].id]


async def test_nothing_is_claimed_past_the_gate(office: "Office") -> None:
    made = await office.create(office.email())

    with pytest.raises(AssertionError, match="passes the gate"):
        async with office.app.database.transaction() as conn:
            await write_changes(conn, [claim(office, made)], queue=office.app.queue, gate=None)
