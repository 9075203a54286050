"""A provider that is down is hardly called, and what waited for it goes out once it answers, without help."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from notify_sandbox.model import KeyType
from notify_sandbox.testing import running_sandbox
from postroom.app import running_app
from postroom.domain.caller import ServiceCaller
from postroom.domain.circuit import CircuitPolicy, Position
from postroom.domain.lane import Lane
from postroom.domain.notification import Delivery, Notification
from postroom.domain.status import Status
from postroom.features.limits import ServiceLimits
from postroom.features.notifications.circuits import FURTHEST, WAITS, Call, Circuits, Way
from postroom.features.notifications.tables import attempts, deliveries
from postroom.features.services import Registration, register, set_limits
from postroom.interfaces.worker import JOBS, run_worker
from postroom.kit.ids import new_id

if TYPE_CHECKING:
    from tests.features.conftest import MovedClock, Office

OPENS_AFTER = CircuitPolicy().opens_after
MANY = 40
ENOUGH = 100_000


async def post(
    office: "Office", number: int, *, lane: Lane = Lane.SINGLE, **changed: Any
) -> list[Notification]:
    made = [
        await office.app.creator.create(
            office.email(**({"email": f"resident-{each}@example.com"} | changed)),
            caller=office.repairs,
            now=office.now,
            lane=lane,
        )
        for each in range(number)
    ]
    return [each.notification for each in made]


async def step_all(office: "Office", made: Sequence[Notification], *, at_once: bool = False) -> None:
    """Do what is due of each, one after the other or all at the same time."""
    steps = [office.app.sender.step(each.deliveries[0].id) for each in made]
    if at_once:
        await asyncio.gather(*steps)
        return
    for step in steps:
        await step


async def first(office: "Office", made: Notification) -> Delivery:
    return (await office.one(made)).deliveries[0]


def way(office: "Office", call: Call) -> Way:
    return Way(office.sandbox.url, call)


def position(office: "Office", call: Call = Call.SEND) -> Position | None:
    return office.app.circuits.states().get(way(office, call))


class Door:
    """Counts the calls that come to a sandbox which fails so."""

    def __init__(self, office: "Office", fault: str, *, method: str | None = None) -> None:
        self._faults = office.sandbox.controls.faults.api
        office.sandbox.fail(fault, times=ENOUGH, method=method, path="/v2/notifications")
        self._fault = self._faults[-1]

    @property
    def calls(self) -> int:
        return ENOUGH - (self._fault.times or 0)


async def until_due(office: "Office", made: Sequence[Notification]) -> None:
    """Move the clock to where each of them is due. The sandbox takes no token of more than 30 s ahead."""
    ids = {each.deliveries[0].id for each in made}
    due = [row.due_at for row in await office.rows(deliveries) if row.id in ids and row.due_at is not None]
    office.clock.until(max(due))


async def check_all_taken_once(office: "Office", made: Sequence[Notification]) -> None:
    taken = Counter(sent.reference for sent in office.sandbox.sent())
    assert taken == {each.deliveries[0].id: 1 for each in made}


@pytest.mark.parametrize("fault", ["down", "silent", "error", "rubbish"])
async def test_a_provider_that_is_down_is_hardly_called(office: "Office", fault: str) -> None:
    made = await post(office, MANY)
    office.clock.stand_still()
    door = Door(office, fault)

    await step_all(office, made)

    assert door.calls == OPENS_AFTER
    assert position(office) is Position.OPEN
    waiting = [await first(office, each) for each in made[OPENS_AFTER:]]
    assert {(each.status, each.attempts, each.failure_reason) for each in waiting} == {
        (Status.PENDING, 0, WAITS)
    }


async def test_nobody_listens_and_it_is_found_back(office: "Office") -> None:
    made = await post(office, MANY)
    office.clock.stand_still()
    office.sandbox.refuse_connections(seconds=2)
    while office.sandbox.listening:  # noqa: ASYNC110 - the sandbox rings no bell
        await asyncio.sleep(0.01)

    await step_all(office, made)
    tried = len(await office.rows(attempts))
    while not office.sandbox.listening:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    office.clock.go_on()
    await until_due(office, made)
    await step_all(office, made)

    assert tried == OPENS_AFTER
    await check_all_taken_once(office, made)


async def test_while_it_is_down_one_at_a_time_tries(office: "Office") -> None:
    made = await post(office, MANY)
    office.clock.stand_still()
    door = Door(office, "error", method="POST")
    await step_all(office, made)

    for _ in range(3):
        await until_due(office, made)
        before = door.calls
        await step_all(office, made[OPENS_AFTER:], at_once=True)
        assert door.calls - before == 1


async def test_what_waits_longest_waits_hardly_longer_than_the_next_probe(office: "Office") -> None:
    made = await post(office, MANY)
    office.clock.stand_still()
    Door(office, "error")
    await step_all(office, made)

    due = [
        row.due_at - office.now
        for row in await office.rows(deliveries)
        if row.reason == WAITS and row.due_at is not None
    ]

    assert len(set(due)) == len(due) == MANY - OPENS_AFTER
    assert max(due) < CircuitPolicy().first_wait + MANY * timedelta(milliseconds=75)


async def test_one_answer_makes_due_what_waits_and_all_of_it_arrives_once(office: "Office") -> None:
    made = await post(office, MANY)
    Door(office, "down")
    await step_all(office, made)
    for _ in range(2):  # the waits grow
        await until_due(office, made)
        await step_all(office, made[OPENS_AFTER:], at_once=True)
    office.sandbox.heal()
    untried = [each for each in made if (await first(office, each)).attempts == 0]
    await until_due(office, made)
    await step_all(office, untried[:1])

    assert position(office) is Position.CLOSED
    await JOBS["resume what waited for a provider"](office.app)
    rows = await office.rows(deliveries)
    assert [row.id for row in rows if row.reason == WAITS and row.due_at > office.now] == []
    for _ in range(5):  # those that were tried are looked for, twice, and sent again
        await step_all(office, made)
        office.clock.until(office.now + timedelta(seconds=1))
    await check_all_taken_once(office, made)


async def test_a_worker_gets_through_an_outage_without_help(office: "Office") -> None:
    made = await post(office, 2 * MANY)
    bulk = await post(office, MANY, lane=Lane.BULK)
    door = Door(office, "down")
    stop = asyncio.Event()
    working = asyncio.create_task(run_worker(office.app, stop=stop))
    await asyncio.sleep(2)
    at_the_door = door.calls
    office.sandbox.heal()

    async with asyncio.timeout(60):
        while len(office.sandbox.sent()) < len(made) + len(bulk):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    stop.set()
    await working

    # As many as were in hand when it went down, and the probes.
    settings = office.app.settings
    assert at_the_door < settings.at_once * 1.5 + 20
    await check_all_taken_once(office, [*made, *bulk])


async def test_it_may_take_nothing_while_it_answers_questions(office: "Office") -> None:
    made = await post(office, MANY)
    office.clock.stand_still()
    door = Door(office, "error", method="POST")
    await step_all(office, made)
    doubted = position(office, Call.ASK)
    office.clock.until(office.now + timedelta(seconds=1.2))

    await step_all(office, made[:OPENS_AFTER])

    assert doubted is Position.OPEN
    assert (position(office, Call.SEND), position(office, Call.ASK)) == (Position.OPEN, Position.CLOSED)
    assert door.calls == OPENS_AFTER


async def test_a_look_that_waits_finds_what_was_taken(office: "Office") -> None:
    made = await post(office, 2 * OPENS_AFTER)
    office.sandbox.fail("reset-after-accepting", times=OPENS_AFTER, method="POST")
    await step_all(office, made[:OPENS_AFTER])
    door = Door(office, "down", method="GET")
    await until_due(office, made)
    # The looks of the first five fail; so does no send, but none is let through either.
    for _ in range(2 * OPENS_AFTER):
        await until_due(office, made[:OPENS_AFTER])
        await step_all(office, made[:OPENS_AFTER], at_once=True)
    rows = {row.id: row for row in await office.rows(deliveries)}
    looking = [rows[each.deliveries[0].id] for each in made[:OPENS_AFTER]]

    assert position(office, Call.ASK) is Position.OPEN
    assert door.calls <= 5 * OPENS_AFTER  # of ten times five
    assert [(row.attempts, row.looks, row.open_attempt is not None) for row in looking] == [
        (1, 0, True)
    ] * OPENS_AFTER
    office.sandbox.heal()
    for _ in range(3):
        await until_due(office, made[:OPENS_AFTER])
        await step_all(office, made[:OPENS_AFTER])
    assert {(await first(office, each)).attempts for each in made[:OPENS_AFTER]} == {1}
    assert len(office.sandbox.sent()) == OPENS_AFTER


async def test_polls_wait_and_say_nothing_of_it(office: "Office") -> None:
    made = await post(office, MANY)
    await step_all(office, made)
    office.clock.stand_still()
    door = Door(office, "error", method="GET")
    await until_due(office, made)

    await step_all(office, made)

    assert door.calls == OPENS_AFTER
    rows = await office.rows(deliveries)
    assert {(row.status, row.reason) for row in rows} == {("sending", None)}
    assert Counter(row.polls for row in rows) == {1: OPENS_AFTER, 0: MANY - OPENS_AFTER}


async def test_a_provider_elsewhere_is_not_waited_for(office: "Office") -> None:
    async with running_sandbox() as elsewhere:
        registration = Registration(
            name="planning", notify_key=elsewhere.api_key, notify_base_url=elsewhere.url
        )
        async with office.app.database.transaction() as conn:
            service_id = await register(conn, registration, vault=office.app.vault, now=office.now)
        down = await post(office, MANY)
        Door(office, "down")
        new = office.email(service_key="planning", template_id=elsewhere.templates["email"])
        others = [
            await office.create(new, caller=ServiceCaller(service_id, "planning")) for _ in range(OPENS_AFTER)
        ]
        await step_all(office, down)

        await step_all(office, others)

        assert len(elsewhere.sent()) == OPENS_AFTER


async def test_refusals_open_no_circuit(office: "Office") -> None:
    office.sandbox.fail("down", path="/v2/templates")
    unchecked = await post(office, 2 * OPENS_AFTER, template_id=new_id())
    office.sandbox.heal()
    made = await post(office, 2 * OPENS_AFTER)
    await step_all(office, unchecked)
    office.sandbox.revoke(KeyType.LIVE)

    await step_all(office, made)

    assert {(await first(office, each)).status for each in [*unchecked, *made]} == {Status.PERMANENT_FAILURE}
    assert position(office) is Position.CLOSED


async def test_limits_open_no_circuit(office: "Office") -> None:
    made = await post(office, 1)
    door = Door(office, "limited")
    for _ in range(2 * OPENS_AFTER):
        await office.step(made[0])

    assert door.calls > OPENS_AFTER
    assert position(office) is Position.CLOSED


async def test_who_is_too_old_ends_though_nobody_is_called(office: "Office") -> None:
    made = await post(office, OPENS_AFTER + 1)
    Door(office, "down")
    await step_all(office, made)
    office.clock.until(office.now + office.app.settings.policy.give_up_after + timedelta(minutes=1))
    circuits = office.app.circuits
    for _ in range(OPENS_AFTER):  # it was tried just now
        circuits.ask(way(office, Call.SEND), delivery_id="probe", lane=Lane.SINGLE, now=office.now)
        circuits.failed(way(office, Call.SEND), delivery_id="probe", now=office.now)

    ended = await office.step(made[-1])

    assert (ended.status, ended.attempts) == (Status.DEAD, 0)
    assert ended.failure_reason == "given up: GOV.UK Notify does not answer"


async def test_a_process_that_starts_later_makes_due_what_another_put_off(office: "Office") -> None:
    made = await post(office, MANY)
    office.clock.stand_still()
    Door(office, "down", method="POST")
    await step_all(office, made)
    office.clock.go_on()
    office.sandbox.heal()

    async with running_app(office.app.settings, clock=office.clock) as later:
        (news,) = await post(office, 1)
        await later.sender.step(news.deliveries[0].id)
        await JOBS["resume what waited for a provider"](later)
        for each in made[OPENS_AFTER:]:
            await later.sender.step(each.deliveries[0].id)

    await check_all_taken_once(office, [news, *made[OPENS_AFTER:]])


async def test_what_a_process_put_off_that_has_ended_is_found_by_another(office: "Office") -> None:
    made = await post(office, MANY)
    async with running_app(office.app.settings, clock=office.clock) as other:
        office.clock.stand_still()
        Door(office, "down", method="POST")
        for each in made:
            await other.sender.step(each.deliveries[0].id)
    office.clock.go_on()
    office.sandbox.heal()
    (news,) = await post(office, 1)
    await step_all(office, [news])
    assert office.app.circuits.take_news()  # as if it had been acted upon before the other put anything off

    await JOBS["resume what waited for a provider"](office.app)
    asleep = sum(row.due_at > office.now for row in await office.rows(deliveries) if row.reason == WAITS)
    await JOBS["resume what others left waiting"](office.app)
    await step_all(office, made[OPENS_AFTER:])

    assert asleep > 0
    await check_all_taken_once(office, [news, *made[OPENS_AFTER:]])


async def test_a_probe_that_a_limit_holds_back_leaves_it_to_the_next(office: "Office") -> None:
    """The first that is let through may not be sent for another reason: the next one tries."""
    async with office.app.database.transaction() as conn:
        await set_limits(
            conn, service_id=office.repairs.service_id, limits=ServiceLimits(same_template_an_hour=1)
        )
    capped = await post(office, 2, email="amala@example.com")
    await step_all(office, capped[:1])
    others = await post(office, OPENS_AFTER + 1)
    Door(office, "down")
    await step_all(office, others[:OPENS_AFTER])
    office.sandbox.heal()
    office.clock.until(office.now + CircuitPolicy().first_wait)

    await step_all(office, [capped[1], others[-1]])

    assert (await first(office, capped[1])).status is Status.SUPPRESSED
    assert (await first(office, others[-1])).status is Status.SENDING


def test_bulk_leaves_the_probe_to_what_came_alone(moved_clock: "MovedClock") -> None:
    circuits, there = opened(moved_clock)
    probe_at = circuits.ask(there, delivery_id="alone", lane=Lane.SINGLE, now=moved_clock())
    assert probe_at is not None
    moved_clock.until(probe_at)

    of_bulk = circuits.ask(there, delivery_id="of a bulk", lane=Lane.BULK, now=moved_clock())
    alone = circuits.ask(there, delivery_id="alone", lane=Lane.SINGLE, now=moved_clock())

    assert (of_bulk is None, alone) == (False, None)


def test_however_many_wait_so_few_come_back_each_second(moved_clock: "MovedClock") -> None:
    circuits, there = opened(moved_clock)
    now = moved_clock()

    moments = [
        circuits.ask(there, delivery_id=str(each), lane=Lane.SINGLE, now=now) for each in range(100_000)
    ]

    seconds = Counter(int((at - now).total_seconds()) for at in moments if at is not None)
    assert sum(seconds.values()) == 100_000
    assert max(seconds.values()) < 2 * 30
    assert max(seconds) <= FURTHEST.total_seconds() + 1


def test_nothing_is_put_off_for_ever(moved_clock: "MovedClock") -> None:
    circuits, there = opened(moved_clock)
    now = moved_clock()

    moments = [
        circuits.ask(there, delivery_id=str(each), lane=Lane.SINGLE, now=now) for each in range(400_000)
    ]

    assert max(at for at in moments if at is not None) <= now + FURTHEST + timedelta(seconds=1)


def test_it_is_said_once_that_a_provider_is_back(moved_clock: "MovedClock") -> None:
    circuits, there = opened(moved_clock)
    assert not circuits.take_news()

    circuits.answered(there)
    circuits.answered(there)

    assert (circuits.take_news(), circuits.take_news()) == (True, False)


def test_what_is_said_of_an_address_holds_no_secret_of_it(
    moved_clock: "MovedClock", capsys: pytest.CaptureFixture[str]
) -> None:
    circuits = Circuits(policy=CircuitPolicy(opens_after=1))
    circuits.failed(
        Way("https://user:secret@notify.example", Call.SEND), delivery_id="one", now=moved_clock()
    )

    said = capsys.readouterr()
    assert "notify.example" in said.out + said.err
    assert "secret" not in said.out + said.err


def opened(clock: "MovedClock") -> tuple[Circuits, Way]:
    circuits, there = Circuits(policy=CircuitPolicy()), Way("https://notify.example", Call.SEND)
    for each in range(OPENS_AFTER):
        circuits.failed(there, delivery_id=str(each), now=clock())
    return circuits, there
