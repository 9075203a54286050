"""What people do about notifications, and taking them away."""

import asyncio
from itertools import product
from typing import TYPE_CHECKING

import pytest

from postroom.domain.action import ActionType
from postroom.domain.caller import Person
from postroom.domain.channel import Channel
from postroom.domain.errors import Conflict, FieldError, Invalid, NotFound, Stale
from postroom.domain.notification import ActionDetail, Notification
from postroom.domain.status import Status
from postroom.features.audit.store import audit_entries
from postroom.features.notifications.act import LONGEST_NOTE, Action, act
from postroom.features.notifications.tables import deliveries
from postroom.features.notifications.withdraw import is_removable
from postroom.settings import read_settings

if TYPE_CHECKING:
    from tests.features.conftest import Office

SETTINGS = {"POSTROOM_SECRET": "s" * 32, "OFFICER_TOKEN_SECRET": "o" * 32}
APPROVE = Action(ActionType.APPROVED, note="It is right")


async def kinds(office: "Office") -> list[str]:
    rows = sorted(await office.rows(audit_entries), key=lambda row: row.id)
    return [row.kind if row.detail is None else f"{row.kind} {row.detail}" for row in rows]


@pytest.fixture
async def made(office: "Office") -> Notification:
    return await office.create(office.screen(user="group:repairs-officers", require_action=True))


async def test_an_action_is_kept_with_who_did_it_and_why(
    office: "Office", made: Notification, joe: Person, amala: Person
) -> None:
    done = await office.act(made, APPROVE, caller=joe)

    assert (done.action, done.action_detail, done.version) == (
        ActionType.APPROVED,
        ActionDetail(done_by="joe@hackney.gov.uk", note="It is right"),
        2,
    )
    assert (await office.one(made, amala)).action is ActionType.APPROVED
    assert await kinds(office) == ["accepted", "action Approved"]


@pytest.mark.parametrize(
    "again", [ActionType.APPROVED, ActionType.REJECTED, ActionType.INITIATED, ActionType.VALIDATE]
)
async def test_what_is_settled_stays_so(
    office: "Office", made: Notification, joe: Person, again: ActionType
) -> None:
    done = await office.act(made, APPROVE, caller=joe)

    with pytest.raises(Conflict, match="This has already been settled: Approved"):
        await office.act(made, Action(again, note="no"), caller=joe)

    assert await office.one(made, joe) == done
    assert await kinds(office) == ["accepted", "action Approved"]


async def test_of_many_who_decide_at_once_one_does(office: "Office", made: Notification) -> None:
    people = [Person(f"officer-{n}@hackney.gov.uk", groups=("repairs-officers",)) for n in range(8)]
    wanted = [ActionType.APPROVED, ActionType.REJECTED] * 4

    results = await asyncio.gather(
        *(
            office.act(made, Action(action, note="so"), caller=person)
            for action, person in zip(wanted, people, strict=True)
        ),
        return_exceptions=True,
    )

    won = [result for result in results if isinstance(result, Notification)]
    assert [type(result) for result in results if result not in won] == [Conflict] * 7
    assert (await office.one(made)).action == won[0].action
    assert len(await kinds(office)) == 2


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (Action(ActionType.APPROVED), "Say why: Approved needs a note."),
        (Action(ActionType.REJECTED, note="  "), "Say why: Rejected needs a note."),
        (
            Action(ActionType.INITIATED, note="x" * (LONGEST_NOTE + 1)),
            f"Use up to {LONGEST_NOTE} characters.",
        ),
    ],
)
async def test_a_note(
    office: "Office", made: Notification, joe: Person, action: Action, message: str
) -> None:
    with pytest.raises(Invalid) as raised:
        await office.act(made, action, caller=joe)

    assert raised.value.errors == (FieldError("actionNote", message),)
    assert "xx" not in str(raised.value)


async def test_who_acts_on_an_old_version_is_told(
    office: "Office", made: Notification, joe: Person, amala: Person
) -> None:
    seen = await office.one(made, joe)
    await office.act(made, Action(ActionType.INITIATED), caller=amala)

    with pytest.raises(Stale):
        await office.act(made, Action(ActionType.APPROVED, note="so", if_match=seen.etag), caller=joe)

    fresh = await office.one(made, joe)
    done = await office.act(made, Action(ActionType.APPROVED, note="so", if_match=fresh.etag), caller=joe)
    assert (done.version, done.etag) == (3, '"3-u"')


async def test_reading_changes_the_readers_version_alone(
    office: "Office", made: Notification, joe: Person, amala: Person
) -> None:
    read = await office.act(made, Action(ActionType.IS_READ), caller=joe)
    again = await office.act(made, Action(ActionType.IS_READ), caller=joe)

    assert (read.etag, again.etag) == ('"1-r"', '"1-r"')
    assert (await office.one(made, amala)).etag == '"1-u"'
    assert await kinds(office) == ["accepted", "action IsRead"]


@pytest.mark.parametrize(
    ("require_action", "action", "who"),
    list(product([True, False], [None, *ActionType], ["service", "addressee", "group"])),
)
async def test_is_removable_says_whether_removing_succeeds(
    sqlite_office: "Office", joe: Person, require_action: bool, action: ActionType | None, who: str
) -> None:
    office = sqlite_office
    user = "group:repairs-officers" if who == "group" else "joe@hackney.gov.uk"
    caller = office.repairs if who == "service" else joe
    made = await office.create(office.screen(user=user, require_action=require_action))
    if action is ActionType.ARCHIVED and require_action:
        with pytest.raises(Conflict, match="needs somebody's decision"):
            await office.act(made, Action(action), caller=joe)
    elif action is not None:
        await office.act(made, Action(action, note="so"), caller=joe)
    current = await office.one(made, caller)

    try:
        await office.withdraw(made, caller=caller)
        succeeded = True
    except Conflict:
        succeeded = False

    assert is_removable(current) is succeeded
    assert succeeded is (
        not require_action or action in {ActionType.APPROVED, ActionType.VALIDATE, ActionType.REJECTED}
    )
    if succeeded:
        with pytest.raises(NotFound):
            await office.one(made, caller)
    else:
        assert await office.one(made, caller) == current


async def test_a_member_of_a_group_hides_it_from_themselves_alone(
    office: "Office", joe: Person, amala: Person
) -> None:
    made = await office.create(office.screen(user="group:repairs-officers"))

    await office.withdraw(made, caller=joe)

    with pytest.raises(NotFound):
        await office.one(made, joe)
    assert (await office.find(joe)).items == ()
    assert (await office.one(made, amala)).id == (await office.one(made)).id == made.id
    assert await kinds(office) == ["accepted", "hidden"]


@pytest.mark.parametrize("who", ["service", "addressee"])
async def test_its_owner_and_its_only_addressee_remove_it_for_all(
    office: "Office", joe: Person, who: str
) -> None:
    made = await office.create(office.screen())

    await office.withdraw(made, caller=office.repairs if who == "service" else joe)

    for caller in (office.repairs, joe):
        assert (await office.find(caller)).items == ()
        with pytest.raises(NotFound):
            await office.withdraw(made, caller=caller)
    assert await kinds(office) == ["accepted", "removed"]


async def test_removing_cancels_what_nobody_began_and_recalls_nothing(office: "Office") -> None:
    templates = office.sandbox.templates
    made = await office.create(
        office.email(
            extra_channels=(Channel.TEXT,),
            mobile_number="07700900123",
            template_ids={Channel.TEXT: templates["text"]},
            personalisation={"name": "Amala", "ref": "R-1", "code": "1"},
        )
    )
    await office.step(made)

    await office.withdraw(made, caller=office.repairs)

    status = {row.channel: (row.status, row.due_at is None) for row in await office.rows(deliveries)}
    assert status == {"Email": (Status.SENDING, False), "Text": (Status.CANCELLED, True)}
    text_delivery = made.deliveries[1].id
    await office.app.sender.step(text_delivery)
    assert [sent.channel for sent in office.sandbox.sent()] == ["email"]


async def test_a_withdrawal_that_fails_leaves_everything(office: "Office") -> None:
    made = await office.create(office.email(require_action=True))

    with pytest.raises(Conflict):
        await office.withdraw(made, caller=office.repairs)

    assert await office.one(made) == made
    assert await kinds(office) == ["accepted"]


async def test_a_deployment_may_let_people_reject_without_a_note(
    office: "Office", made: Notification, joe: Person
) -> None:
    reject = Action(ActionType.REJECTED)

    async def do(need_note: frozenset[ActionType]) -> Notification:
        async with office.app.database.transaction() as conn:
            return await act(
                conn,
                made.id,
                reject,
                caller=joe,
                vault=office.app.vault,
                now=office.now,
                need_note=need_note,
            )

    with pytest.raises(Invalid):
        await do(read_settings(SETTINGS).need_note)
    lenient = read_settings(SETTINGS | {"POSTROOM_REJECT_NEEDS_NOTE": "off"}).need_note
    assert lenient == {ActionType.APPROVED}
    assert (await do(lenient)).action is ActionType.REJECTED
