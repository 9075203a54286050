"""Many changes of deliveries are written together, without locks where nobody else changes them meanwhile."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from postroom.domain import delivery as steps
from postroom.domain.delivery import Change, State, Step
from postroom.domain.notification import Notification
from postroom.domain.status import Status
from postroom.features.limits import ProviderBuckets
from postroom.features.limits.store import lock_buckets, provider_buckets, recent_sends
from postroom.features.notifications import store
from postroom.features.notifications.changes import Done, Gate, Held, Request, Writer, state_of
from postroom.features.notifications.gate import LimitsGate
from postroom.features.notifications.tables import attempts, deliveries
from postroom.kit.database import AsyncConnection, Batch
from postroom.kit.ids import new_id

if TYPE_CHECKING:
    from tests.features.conftest import Office


BEFORE_A_DEADLOCK_IS_LOOKED_FOR = 1.3


@dataclass
class OpenGate:
    """Lets everything through, and keeps how it was asked. Before the writing something may happen."""

    meanwhile: Callable[[], Awaitable[object]] | None = None
    asked: list[str] = field(default_factory=list)

    async def locked(self, conn: AsyncConnection, held: Sequence[Held]) -> Mapping[str, Change]:
        self.asked.append("locked")
        return {}

    async def at_once(self, batch: Batch, held: Sequence[Held]) -> Mapping[str, Change] | None:
        self.asked.append("at once")
        if self.meanwhile is not None:
            await self.meanwhile()
        return {}


def writer(office: "Office", gate: Gate) -> Writer:
    return Writer(database=office.app.database, queue=office.app.queue, gate=gate)


def limits_gate(office: "Office") -> LimitsGate:
    """As another process has it: it shares nothing with others but the tables."""
    return LimitsGate(
        database=office.app.database,
        buckets=ProviderBuckets(),
        credentials=office.app.credentials,
        directory=office.app.directory,
        clock=office.clock,
        defaults=office.app.settings.limits,
    )


async def state(office: "Office", made: Notification) -> State:
    """The state of its first delivery now."""
    (row,) = await store.read_deliveries(office.app.database, [made.deliveries[0].id], with_personal=False)
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
        return await writer(office, OpenGate()).write(requests)

    done = [each for some in await asyncio.gather(*map(claim_all, range(12))) for each in some]

    taken = Counter(each.change.step for each in done if each.change is not None)
    assert taken == {Step.SEND: 12, Step.NOTHING: 132}
    assert len(await office.rows(attempts)) == 12
    assert {row.attempts for row in await office.rows(deliveries)} == {1}


async def test_workers_who_count_in_the_same_lists_do_not_stop_each_other(office: "Office") -> None:
    """Those who lock and those who do not take what they count in in one order: no transaction is cut."""
    every = [await office.create(office.email(email=f"a{number % 7}@example.com")) for number in range(60)]

    async def work(number: int) -> list[Done]:
        mine, writing = every[number::4], writer(office, limits_gate(office))
        groups = [mine[start : start + 5] for start in range(0, len(mine), 5)]
        return [
            each for group in groups for each in await writing.write([claim(office, made) for made in group])
        ]

    done = [each for some in await asyncio.gather(*map(work, range(4))) for each in some]

    assert Counter(each.change.step for each in done if each.change is not None) == {Step.SEND: 60}
    async with office.app.database.reading() as conn:
        counted = (await conn.execute(recent_sends.select())).all()
        (bucket,) = await conn.execute(provider_buckets.select())
    assert sum(len(row.sends) for row in counted) == 60 * 46  # an id and a moment, in hexadecimal digits
    assert bucket.emails == 60


async def test_who_claims_without_locks_takes_the_delivery_before_the_bucket(office: "Office") -> None:
    """As who locks them does: else the two could wait for each other, and one would be cut off."""
    first, second = [await office.create(office.email()) for _ in range(2)]
    gate = limits_gate(office)
    await writer(office, gate).write([claim(office, first)])
    writing = writer(office, gate)

    async with office.app.database.transaction() as conn:
        await store.lock_deliveries(conn, [second.deliveries[0].id], with_personal=False)
        claiming = asyncio.create_task(writing.write([claim(office, second)]))
        await asyncio.sleep(BEFORE_A_DEADLOCK_IS_LOOKED_FOR)
        accounts = (await conn.execute(provider_buckets.select())).all()
        await lock_buckets(conn, [row.id for row in accounts])

    (done,) = await claiming
    assert done.change is not None
    assert done.change.step is Step.SEND


async def test_claims_that_met_another_are_locked_for_a_while(office: "Office") -> None:
    """Else each would be tried in vain first, where two workers always meet."""
    first, second = [await office.create(office.email()) for _ in range(2)]
    gate = OpenGate(meanwhile=lambda: submit(office, claim(office, first)))
    writing = writer(office, gate)

    met = await writing.write([claim(office, first)])
    after = await writing.write([claim(office, second)])

    assert [each.change and each.change.step for each in met + after] == [Step.NOTHING, Step.SEND]
    assert gate.asked == ["at once", "locked"]


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
