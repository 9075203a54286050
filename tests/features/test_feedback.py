"""What a service is told of: exactly what happened, with it or not at all, and in an order without gaps."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import text

from postroom.domain import delivery as steps
from postroom.domain.action import ActionType
from postroom.domain.caller import Person, ServiceCaller
from postroom.domain.channel import Channel
from postroom.domain.delivery import State
from postroom.domain.outcome import Accepted, Rejected, TryAgain, Uncertain
from postroom.domain.retry import RetryPolicy
from postroom.domain.status import FAILED, WAITING, Status
from postroom.features import webhooks
from postroom.features.notifications.act import Action
from postroom.features.notifications.news import news_of
from postroom.features.notifications.subjects import subjects_of
from postroom.features.webhooks import Kind
from postroom.features.webhooks.feed import FeedPage, read_feed
from postroom.features.webhooks.publish import publish
from postroom.features.webhooks.tables import feedback_events, feedback_outbox
from postroom.kit.ids import new_id

if TYPE_CHECKING:
    from tests.features.conftest import Office

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
POLICY = RetryPolicy()


async def read(office: "Office", caller: ServiceCaller, *, since: int = 0, limit: int = 200) -> FeedPage:
    while (await publish(office.app.database, now=office.now)).events:
        pass
    async with office.app.database.reading() as conn:
        return await read_feed(
            conn, service_id=caller.service_id, since=since, limit=limit, subjects=subjects_of
        )


async def told(office: "Office") -> list[tuple[str, str | None, str]]:
    """Kind, status or action, and actor of what the service `repairs` is told of."""
    page = await read(office, office.repairs)
    return [(each.type, each.data.status or each.data.action, each.data.actor) for each in page.items]


async def test_a_whole_life_is_told(office: "Office", joe: Person) -> None:
    made = await office.create(
        office.email(channels=(Channel.SCREEN, Channel.EMAIL), target_id="t-1", message="m", user=joe.email)
    )
    delivery = await office.step(made)
    await office.receive(delivery, "delivered")
    await office.receive(delivery, "delivered")
    for action in (ActionType.IS_READ, ActionType.IS_READ, ActionType.IS_UNREAD):
        await office.act(made, Action(action), caller=joe)
    await office.act(made, Action(ActionType.APPROVED, note="seen by Joe"), caller=joe)
    await office.withdraw(made, caller=office.repairs)

    assert await told(office) == [
        ("created", None, "service"),
        ("sent", "sending", "postroom"),
        ("delivered", "delivered", "postroom"),
        ("read", None, "officer"),
        ("actioned", "Approved", "officer"),
        ("removed", None, "service"),
    ]
    page = await read(office, office.repairs)
    assert {each.data.notification_id for each in page.items} == {made.id}
    assert {each.data.delivery_id for each in page.items} == {None, delivery.id}
    assert "joe" not in str(page).lower()


async def test_a_receipt_that_overtakes_the_answer_tells_of_both(office: "Office") -> None:
    made = await office.create(office.email())
    office.sandbox.fail("reset-after-accepting", times=1)
    await office.step(made)
    (delivery,) = (await office.one(made)).deliveries
    await office.receive(replace(delivery, notify_id=new_id()), "permanent-failure")

    assert await told(office) == [
        ("created", None, "service"),
        ("sent", "sending", "postroom"),
        ("failed", "permanent-failure", "postroom"),
    ]


async def test_what_is_removed_before_it_is_sent_is_told_of_once(office: "Office") -> None:
    made = await office.create(office.email())
    await office.withdraw(made, caller=office.repairs)

    assert [kind for kind, _, _ in await told(office)] == ["created", "removed"]


async def test_what_is_not_committed_is_not_told(office: "Office") -> None:
    async with office.app.database.transaction() as conn:
        await webhooks.record(conn, [event(office.repairs)])
        await conn.rollback()

    assert await told(office) == []


async def test_pages_and_only_ones_own(office: "Office") -> None:
    mine = [await office.create(office.screen()) for _ in range(5)]
    await office.create(office.screen(), caller=office.housing)

    first = await read(office, office.repairs, limit=3)
    rest = await read(office, office.repairs, since=int(first.items[-1].cursor), limit=3)

    assert (first.has_more, rest.has_more) == (True, False)
    assert [each.data.notification_id for each in (*first.items, *rest.items)] == [each.id for each in mine]


def event(caller: ServiceCaller) -> webhooks.Event:
    return webhooks.happened(
        Kind.CREATED,
        at=NOW,
        service_id=caller.service_id,
        notification_id=new_id(),
        actor=webhooks.Actor.SERVICE,
    )


async def test_a_reader_misses_nothing_while_many_write(office: "Office") -> None:
    writing = True
    written: list[Any] = []

    async def write() -> None:
        for _ in range(15):
            async with office.app.database.transaction() as conn:
                events = [event(office.repairs) for _ in range(3)]
                await webhooks.record(conn, events)
                await asyncio.sleep(0.002)
            written.extend(each["id"] for each in events)

    seen: list[str] = []

    async def follow() -> None:
        since, quiet = 0, False
        while writing or not quiet:
            page = await read(office, office.repairs, since=since, limit=7)
            quiet = not page.items
            seen.extend(each.id for each in page.items)
            since = int(page.items[-1].cursor) if page.items else since

    following = asyncio.create_task(follow())
    await asyncio.gather(*(write() for _ in range(4)))
    writing = False
    await following

    assert len(seen) == len(set(seen)) == 180
    assert set(seen) == set(written)


async def test_an_older_transaction_that_is_still_open_is_neither_skipped_nor_waited_for(
    postgres_office: "Office",
) -> None:
    office = postgres_office
    late, early = event(office.repairs), event(office.repairs)
    async with office.app.database.transaction() as open_for_long:
        await webhooks.record(open_for_long, [late])
        async with office.app.database.transaction() as conn:
            await webhooks.record(conn, [early])
        first = await read(office, office.repairs)
        assert [each.id for each in first.items] == [early["id"]]
    then = await read(office, office.repairs, since=int(first.items[-1].cursor))

    assert [each.id for each in then.items] == [late["id"]]


async def test_what_is_committed_while_another_publishes_waits_for_the_next_time(
    postgres_office: "Office",
) -> None:
    office = postgres_office
    async with office.app.database.transaction() as conn:
        await webhooks.record(conn, [event(office.repairs)])
    async with office.app.database.transaction() as publishing:
        await publishing.execute(text("SELECT pg_advisory_xact_lock(7205759403793)"))
        assert (await publish(office.app.database, now=office.now)).events == 0

    assert (await publish(office.app.database, now=office.now)).events == 1
    assert await office.rows(feedback_outbox) == []
    assert len(await office.rows(feedback_events)) == 1


async def test_of_many_who_publish_at_once_each_event_has_one_place(office: "Office") -> None:
    """Who finds that another was faster has nothing to do."""
    async with office.app.database.transaction() as conn:
        await webhooks.record(conn, [event(office.repairs) for _ in range(5)])

    published = await asyncio.gather(*(publish(office.app.database, now=office.now) for _ in range(4)))

    assert sum(each.events for each in published) == 5
    assert len(await office.rows(feedback_events)) == 5


OUTCOMES = st.sampled_from(
    [
        Accepted(notify_id="n-1"),
        Rejected(reason="no", status_code=400),
        TryAgain(reason="busy"),
        Uncertain(reason="cut"),
    ]
)
RECEIVED = st.sampled_from(
    [*FAILED - {Status.DEAD}, Status.DELIVERED, Status.RECEIVED, Status.SENDING, Status.SENT]
)
LIFE = st.lists(
    st.one_of(
        st.tuples(st.just("send"), OUTCOMES),
        st.tuples(st.just("receipt"), RECEIVED),
        st.tuples(st.just("poll"), RECEIVED),
        st.tuples(st.just("cancel"), st.none()),
        st.tuples(st.just("replay"), st.none()),
    ),
    max_size=12,
)


def lived(life: list[tuple[str, Any]]) -> tuple[State, list[webhooks.Event]]:
    """A delivery that all this happened to, as far as it could, and what was told of it."""
    state = State(
        id="d-1",
        notification_id="n-1",
        service_id="s-1",
        credential_id="c-1",
        channel=Channel.LETTER,
        template_id="t-1",
        status=Status.PENDING,
        created_at=NOW,
        due_at=NOW,
    )
    told: list[webhooks.Event] = []
    now = NOW
    for deed, what in life:
        for step in _steps(deed, what, now):
            change = step(state)
            if change is not None:
                told += news_of(state, change.state)
                state = change.state
        now += timedelta(hours=1)
    return state, told


def _steps(deed: str, what: Any, now: datetime) -> list[Any]:
    claim = partial(steps.claim, now=now, policy=POLICY, attempt_id="a-1")
    by_policy = {"now": now, "policy": POLICY}
    if deed == "send":
        record = partial(
            steps.record_outcome, outcome=what, attempt_id="a-1", chance=0.5, simulated=False, **by_policy
        )
        return [claim, record]
    if deed == "receipt":
        return [partial(steps.record_receipt, status=what, notify_id="n-1", completed_at=now, **by_policy)]
    if deed == "poll":
        return [claim, lambda state: steps.record_poll(state, what, completed_at=now, **by_policy)]
    if deed == "cancel":
        return [partial(steps.cancel, now=now)]
    return [partial(steps.replay, now=now, last_attempt="a-1", although_unsure=True)]


@given(LIFE)
def test_a_delivery_is_told_of_exactly_as_it_lived(life: list[tuple[str, Any]]) -> None:
    state, told = lived(life)
    kinds = [each["kind"] for each in told]

    assert kinds.count(Kind.SENT) == (state.notify_id is not None) + (state.status is Status.SENT)
    if state.notify_id is not None and Kind.SENT in kinds:
        assert kinds.index(Kind.SENT) <= min(kinds.index(kind) for kind in kinds if kind is not Kind.FAILED)
    if state.status in FAILED:
        assert (told[-1]["kind"], told[-1]["status"]) == (Kind.FAILED, state.status)
    if state.status in (Status.DELIVERED, Status.RECEIVED):
        assert (told[-1]["kind"], told[-1]["status"]) == (Kind.DELIVERED, state.status)
    if state.status is Status.CANCELLED or (state.status in WAITING and "replay" not in dict(life)):
        assert told == []
    assert len({each["id"] for each in told}) == len(told)
