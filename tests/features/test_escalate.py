"""When nobody reads a notification, or acts on it: the next is told, once, and the audit says so."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from postroom.domain.action import ActionType
from postroom.domain.audience import Audience, AudienceKind
from postroom.domain.caller import Person
from postroom.domain.channel import Channel
from postroom.domain.errors import Invalid
from postroom.domain.escalation import Unless
from postroom.domain.notification import Notification
from postroom.features import audit
from postroom.features.notifications.act import Action
from postroom.features.notifications.escalation import LEASE, escalation_steps, rows_of
from postroom.features.notifications.request import EscalationStep, NewNotification
from postroom.features.notifications.tables import notifications
from postroom.features.recipients import set_members
from postroom.kit.ids import new_id

if TYPE_CHECKING:
    from tests.features.conftest import Office

DAY = timedelta(days=1)
MANAGER = Person("maya.manager@hackney.gov.uk")


def step(request: NewNotification, *, after: timedelta = DAY, unless: Unless = Unless.READ) -> EscalationStep:
    return EscalationStep(
        after=after, unless=unless, request=request, place="escalation[0]", told={"after": "x"}
    )


def to_manager(office: "Office", **how: Any) -> EscalationStep:
    return step(office.screen(user=MANAGER.email), **how)


async def create(office: "Office", *steps: EscalationStep, **others: Any) -> Notification:
    others = {"user": "group:repairs-officers", "require_action": True} | others
    return await office.create(office.screen(escalation=steps, **others))


async def told(office: "Office") -> list[str]:
    """What the manager has been told of, by what it is about."""
    return [each.personal.message or "" for each in (await office.find(MANAGER)).items]


async def recorded(office: "Office", notification: Notification) -> list[str]:
    """The audit's entries of escalation, the oldest first."""
    async with office.app.database.reading() as conn:
        found = await audit.entries_about(conn, notification.id, vault=office.app.vault)
    return [each.detail or "" for each in found if each.kind is audit.Kind.ESCALATED]


async def later(office: "Office", by: timedelta = DAY) -> int:
    """Take what is due after a while; how many made a notification."""
    office.clock.until(office.now + by + timedelta(seconds=1))
    return await office.app.escalator.take_due()


async def test_a_step_is_taken_when_it_is_due_and_not_before(office: "Office") -> None:
    made = await create(office, to_manager(office))

    assert await later(office, DAY / 2) == 0
    assert await told(office) == []
    assert await later(office, DAY / 2) == 1
    assert await told(office) == ["Estimates are ready"]
    assert await later(office, 30 * DAY) == 0
    (entry,) = await recorded(office, made)
    (new,) = (await office.find(MANAGER)).items
    assert entry == f"step 1 of 1: {new.id}"
    assert await office.rows(escalation_steps) == []


async def test_that_nobody_is_in_the_group_it_goes_to_is_recorded(office: "Office") -> None:
    made = [await create(office, step(office.screen(user=f"group:{name}"))) for name in ("empty", "managers")]
    managers = Audience(AudienceKind.GROUP, "managers")
    async with office.app.database.transaction() as conn:
        await set_members(conn, managers, [MANAGER.email], vault=office.app.vault, now=office.now)

    assert await later(office) == 2

    empty, known = [(await recorded(office, each))[0] for each in made]
    assert empty.endswith(", but nobody is known in group:empty")
    assert "nobody" not in known


async def test_steps_follow_one_another(office: "Office") -> None:
    made = await create(office, step(office.email()), to_manager(office, after=3 * DAY))

    assert [await later(office) for _ in range(3)] == [1, 0, 1]

    details = await recorded(office, made)
    assert [each.partition(":")[0] for each in details] == ["step 1 of 2", "step 2 of 2"]
    every = await office.rows(notifications)
    assert len(every) == 3
    assert {row.service_id for row in every} == {office.repairs.service_id}


STOPS: dict[str, Any] = {
    "read": Action(ActionType.IS_READ),
    "taken up": Action(ActionType.INITIATED),
    "approved": Action(ActionType.APPROVED, note="so"),
}


@pytest.mark.parametrize("stop", list(STOPS))
async def test_what_one_addressee_reads_or_acts_on_is_escalated_no_more(
    office: "Office", stop: str, joe: Person
) -> None:
    made = await create(office, to_manager(office), to_manager(office, after=2 * DAY))
    await office.act(made, STOPS[stop], caller=joe)

    assert [await later(office) for _ in range(3)] == [0, 0, 0]

    assert (await told(office), await recorded(office, made)) == ([], [])
    assert await office.rows(escalation_steps) == []


async def test_what_was_read_counts_as_read_though_it_is_unread_again(office: "Office", joe: Person) -> None:
    made = await create(office, to_manager(office))
    for action in (ActionType.IS_READ, ActionType.IS_UNREAD):
        await office.act(made, Action(action), caller=joe)

    assert await later(office) == 0


async def test_a_step_may_wait_for_an_action_though_somebody_has_read(office: "Office", joe: Person) -> None:
    made = await create(office, to_manager(office), to_manager(office, unless=Unless.ACTED))
    await office.act(made, Action(ActionType.IS_READ), caller=joe)

    assert (await later(office), await told(office)) == (1, ["Estimates are ready"])


async def test_what_is_withdrawn_is_escalated_no_more(office: "Office") -> None:
    made = await create(office, to_manager(office), require_action=False)
    await office.withdraw(made, caller=office.repairs)

    assert (await later(office), await office.rows(escalation_steps)) == (0, [])


async def test_of_workers_at_once_one_takes_a_step(office: "Office") -> None:
    made = await create(office, to_manager(office))
    office.clock.until(office.now + 2 * DAY)

    done = await asyncio.gather(*(office.app.escalator.take((made.id, 1)) for _ in range(5)))

    assert sorted(done) == [False] * 4 + [True]
    assert (await told(office), len(await recorded(office, made))) == (["Estimates are ready"], 1)


async def test_a_crash_after_the_notification_was_made_makes_no_second(office: "Office") -> None:
    """The step is still there, as it is where a worker ends between the two transactions."""
    made = await create(office, to_manager(office))
    (row,) = await office.rows(escalation_steps)
    assert await later(office) == 1
    async with office.app.database.transaction() as conn:
        await conn.execute(escalation_steps.insert(), [row._asdict()])

    assert await later(office, 60 * DAY) == 1

    assert await told(office) == ["Estimates are ready"]
    assert len(set(await recorded(office, made))) == 1


async def test_a_step_of_a_worker_that_ended_is_taken_up_by_another(office: "Office") -> None:
    await create(office, to_manager(office))
    async with office.app.database.transaction() as conn:
        await conn.execute(update(escalation_steps).values(due_at=office.now + LEASE))

    assert [await later(office, LEASE / 2) for _ in range(2)] == [0, 1]


async def test_what_cannot_be_made_any_more_is_recorded_and_given_up(office: "Office") -> None:
    made = await create(office, step(office.email()))
    async with office.app.database.transaction() as conn:
        await conn.execute(escalation_steps.delete())
        broken = office.screen(escalation=(step(office.email(email="nobody")),))
        await conn.execute(escalation_steps.insert(), rows_of(broken, made, vault=office.app.vault))

    assert await later(office) == 0

    assert await recorded(office, made) == ["step 1 of 1: failed: email"]
    assert await office.rows(escalation_steps) == []


async def test_a_notification_without_one_has_no_step(office: "Office") -> None:
    made = await office.create(office.screen())

    assert (await office.rows(escalation_steps), made.personal.escalation) == ([], ())


async def test_nothing_is_kept_of_what_is_refused(office: "Office") -> None:
    wrong = step(office.screen(user="nobody", target_id=None, message=None))
    with pytest.raises(Invalid) as refused:
        await create(office, wrong, step(office.email(email=None, service_key=None)), target_id=None)

    assert sorted(error.field for error in refused.value.errors) == [
        "email",
        "escalation[0].user",
        "message",
        "serviceKey",
        "targetId",
    ]
    assert (await office.rows(escalation_steps), await office.rows(notifications)) == ([], [])


async def test_a_step_is_sealed(office: "Office") -> None:
    await create(office, step(office.email(email="zebedee@example.com", channels=(Channel.EMAIL,))))
    (row,) = await office.rows(escalation_steps)

    assert b"zebedee" not in bytes(row.sealed)
    assert (row.number, row.steps, len(new_id())) == (1, 1, 36)
