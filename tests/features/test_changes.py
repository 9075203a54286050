"""Many changes of deliveries are written together, without locks where nobody else changes them meanwhile."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from postroom.domain import delivery as steps
from postroom.domain.delivery import Change, State, Step
from postroom.domain.notification import Notification
from postroom.domain.status import Status
from postroom.features.notifications import store
from postroom.features.notifications.changes import Done, Held, Request, state_of, write_together
from postroom.features.notifications.tables import attempts, deliveries
from postroom.kit.database import AsyncConnection, Batch
from postroom.kit.ids import new_id

if TYPE_CHECKING:
    from tests.features.conftest import Office


class OpenGate:
    async def locked(self, conn: AsyncConnection, held: Sequence[Held]) -> Mapping[str, Change]:
        return {}

    async def at_once(self, batch: Batch, held: Sequence[Held]) -> Mapping[str, Change] | None:
        return {}


OPEN_GATE = OpenGate()


async def state(office: "Office", made: Notification) -> State:
    """The state of its first delivery now."""
    async with office.app.database.looking() as conn:
        (row,) = await store.read_deliveries(conn, [made.deliveries[0].id], with_personal=False)
    return state_of(row)


async def submit(office: "Office", *requests: Request) -> list[Done]:
    return await asyncio.gather(*map(office.app.changes.submit, requests))


def claim(office: "Office", made: Notification) -> Request:
    apply = partial(steps.claim, now=office.now, policy=office.app.settings.policy, attempt_id=new_id())
    return Request(made.deliveries[0].id, apply, claims=True)


def polled(office: "Office", status: Status) -> partial[Change]:
    return partial(steps.record_poll, status=status, now=office.now, policy=office.app.settings.policy)


async def test_a_state_reads_as_it_was_written(office: "Office") -> None:
    made = await office.create(office.email())
    (done,) = await submit(office, claim(office, made))

    assert done.change is not None
    assert done.change.step is Step.SEND
    assert await state(office, made) == done.change.state


async def test_what_is_known_by_a_state_that_has_moved_on_is_changed_as_it_is_now(office: "Office") -> None:
    """A receipt was faster than what its sender records: it is not written over."""
    made, other = [await office.create(office.email()) for _ in range(2)]
    for each in (made, other):
        await office.step(each)
    known = [await state(office, each) for each in (made, other)]
    delivery = (await office.one(made)).deliveries[0]
    await office.receive(delivery, "delivered")

    done = await submit(
        office,
        *(Request(each.id, polled(office, Status.TEMPORARY_FAILURE), known=each) for each in known),
    )

    first, second = [await state(office, each) for each in (made, other)]
    assert (first.status, second.status) == (Status.DELIVERED, Status.TEMPORARY_FAILURE)
    assert [each.change and each.change.state for each in done] == [first, second]


async def test_of_two_changes_of_one_delivery_the_second_finds_what_the_first_left(office: "Office") -> None:
    made = await office.create(office.email())
    await office.step(made)
    known = await state(office, made)

    await submit(
        office,
        Request(known.id, polled(office, Status.DELIVERED), known=known),
        Request(known.id, polled(office, Status.TEMPORARY_FAILURE)),
    )

    assert (await state(office, made)).status is Status.DELIVERED


async def test_however_many_claim_at_once_each_is_sent_once(office: "Office") -> None:
    """Claims that cross, in any order: none of them overlooks another's, and none waits for ever."""
    every = [await office.create(office.email()) for _ in range(12)]

    async def claim_all(turn: int) -> Sequence[Done]:
        requests = [claim(office, made) for made in every[turn:] + every[:turn]]
        return await write_together(
            requests, database=office.app.database, queue=office.app.queue, gate=OPEN_GATE
        )

    done = [each for some in await asyncio.gather(*map(claim_all, range(12))) for each in some]

    taken = Counter(each.change.step for each in done if each.change is not None)
    assert taken == {Step.SEND: 12, Step.NOTHING: 132}
    assert len(await office.rows(attempts)) == 12
    assert {row.attempts for row in await office.rows(deliveries)} == {1}


async def test_what_is_not_there_is_not_found(office: "Office") -> None:
    def change(state: State) -> Change:
        return steps.put_off(state, until=office.now + timedelta(hours=1), reason="waits")

    made = await office.create(office.email())
    nowhere, foreign, own = await submit(
        office,
        Request(new_id(), change),
        Request(made.deliveries[0].id, change, service_id=office.housing.service_id),
        Request(made.deliveries[0].id, change, service_id=office.repairs.service_id),
    )

    assert [each.found for each in (nowhere, foreign, own)] == [False, False, True]
    assert (await state(office, made)).reason == "waits"
