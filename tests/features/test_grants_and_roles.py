"""What is read by whom it is not addressed to: by a grant or a role, masked, and never changed."""

from typing import TYPE_CHECKING, Any

import pytest

from postroom.domain.action import ActionType
from postroom.domain.caller import Caller, Grant, Person, ServiceCaller
from postroom.domain.channel import Channel
from postroom.domain.errors import Conflict, Forbidden, Invalid, NotFound
from postroom.domain.masking import MASK
from postroom.domain.notification import Notification
from postroom.domain.role import Role
from postroom.features.notifications.act import Action
from postroom.features.notifications.reach import reach
from postroom.features.services import end_grant, grant, grants_to, issue_key

if TYPE_CHECKING:
    from tests.features.conftest import Office

APPROVED = Action(ActionType.APPROVED, note="Joe rang")


def person(role: Role, email: str = "sam@hackney.gov.uk", **others: Any) -> Person:
    return Person(email, roles=frozenset({role}), **others)


def granted(office: "Office", *, with_personal_data: bool = False) -> ServiceCaller:
    """Housing, with leave to read what repairs has."""
    allowed = Grant(office.repairs.service_id, "repairs", with_personal_data)
    return ServiceCaller(office.housing.service_id, "housing", grants=(allowed,))


async def listed(office: "Office", caller: Caller, service: str | None = None, **filters: Any) -> list[Any]:
    if service is not None:
        filters["reach"] = await reach(service, caller=caller, directory=office.app.directory)
    return [each.reference for each in reversed((await office.find(caller, **filters)).items)]


@pytest.fixture
async def made(office: "Office") -> dict[str, Notification]:
    """One of each service, and an email that repairs sends."""
    return {
        "repairs": await office.create(office.screen(reference="repairs")),
        "housing": await office.create(office.screen(reference="housing"), caller=office.housing),
        "email": await office.create(
            office.email(
                reference="email",
                channels=(Channel.SCREEN, Channel.EMAIL),
                target_id="t-2",
                message="Joe owes rent",
                user="joe@hackney.gov.uk",
                mobile_number="07700 900678",
            )
        ),
    }


async def test_a_grant_lists_the_others_where_they_are_asked_for(
    office: "Office", made: dict[str, Notification]
) -> None:
    housing = granted(office)

    assert await listed(office, housing) == ["housing"]
    assert await listed(office, housing, "repairs") == ["repairs", "email"]
    assert await listed(office, housing, "housing") == ["housing"]
    assert await listed(office, housing, "All") == ["repairs", "housing", "email"]
    assert await listed(office, housing, "All", target_id="t-2") == ["email"]
    assert await listed(office, office.repairs, "All") == ["repairs", "email"]


async def test_without_a_grant_a_service_is_told_the_same_of_another_and_of_none(
    office: "Office", made: dict[str, Notification]
) -> None:
    for name in ("housing", "nobody", "all", "", "HOUSING"):
        with pytest.raises(Forbidden, match=r"^Your service may not read the notifications of this one\.$"):
            await listed(office, office.repairs, name)


async def test_what_is_granted_is_read_masked_or_as_it_is(
    office: "Office", made: dict[str, Notification]
) -> None:
    masked = (await office.one(made["email"], granted(office))).personal
    full = (await office.one(made["email"], granted(office, with_personal_data=True))).personal
    own = (await office.one(made["housing"], granted(office))).personal

    assert (masked.email, masked.mobile_number) == ("a•••••@example.com", "07•••••678")
    assert (masked.message, masked.personalisation) == (MASK, {"name": MASK, "ref": MASK})
    assert masked.user == "joe@hackney.gov.uk"
    assert full == (await office.one(made["email"])).personal
    assert own.message == "Estimates are ready"


@pytest.mark.parametrize("with_personal_data", [False, True])
async def test_what_is_granted_is_not_changed(
    office: "Office", made: dict[str, Notification], with_personal_data: bool
) -> None:
    housing = granted(office, with_personal_data=with_personal_data)
    for action in (APPROVED, Action(ActionType.IS_READ)):
        with pytest.raises(Forbidden):
            await office.act(made["email"], action, caller=housing)
    with pytest.raises(Forbidden):
        await office.withdraw(made["email"], caller=housing)

    assert await office.one(made["email"]) == made["email"]


async def test_without_a_grant_there_is_nothing_to_change(
    office: "Office", made: dict[str, Notification]
) -> None:
    with pytest.raises(NotFound):
        await office.act(made["email"], APPROVED, caller=office.housing)
    with pytest.raises(NotFound):
        await office.withdraw(made["email"], caller=office.housing)


@pytest.mark.parametrize("role", [Role.ADMIN, Role.DEVELOPER, Role.AUDITOR])
async def test_these_roles_read_everything_masked_and_change_nothing(
    office: "Office", made: dict[str, Notification], role: Role
) -> None:
    sam = person(role)

    assert await listed(office, sam) == []
    assert await listed(office, sam, "All") == ["repairs", "housing", "email"]
    assert await listed(office, sam, "All", reference="email") == ["email"]
    assert await listed(office, sam, "housing") == ["housing"]
    assert (await office.one(made["email"], sam)).personal.mobile_number == "07•••••678"
    for action in (APPROVED, Action(ActionType.IS_READ)):
        with pytest.raises(Forbidden):
            await office.act(made["email"], action, caller=sam)
    with pytest.raises(Forbidden):
        await office.withdraw(made["email"], caller=sam)


async def test_what_is_addressed_to_one_with_a_role_is_seen_as_it_is_and_acted_on(
    office: "Office", made: dict[str, Notification]
) -> None:
    joe = person(Role.AUDITOR, "joe@hackney.gov.uk")

    assert (await office.one(made["email"], joe)).personal.mobile_number == "07700 900678"
    done = await office.act(made["email"], APPROVED, caller=joe)
    assert done.action_detail is not None
    assert done.action_detail.note == "Joe rang"
    seen = (await office.one(made["email"], person(Role.AUDITOR))).action_detail
    assert seen is not None
    assert (seen.done_by, seen.note) == ("joe@hackney.gov.uk", MASK)


@pytest.mark.parametrize(
    "caller", [Person("sam@hackney.gov.uk"), person(Role.MANAGER)], ids=["no role", "manager"]
)
async def test_everybody_else_sees_what_is_theirs_alone(
    office: "Office", made: dict[str, Notification], caller: Person
) -> None:
    for name in ("All", "repairs", "nobody"):
        with pytest.raises(Forbidden, match="admin, auditor, developer"):
            await listed(office, caller, name)
    with pytest.raises(NotFound):
        await office.one(made["email"], caller)


async def test_a_role_is_told_that_there_is_no_such_service(office: "Office") -> None:
    with pytest.raises(Invalid) as raised:
        await listed(office, person(Role.AUDITOR), "nobody")

    assert [fault.field for fault in raised.value.errors] == ["service"]


async def test_who_may_reopen_decides_otherwise(office: "Office", made: dict[str, Notification]) -> None:
    joe = Person("joe@hackney.gov.uk")
    boss = Person("joe@hackney.gov.uk", may_reopen=True)
    rejected = Action(ActionType.REJECTED, note="no")
    await office.act(made["email"], APPROVED, caller=joe)

    for caller in (joe, office.repairs):
        with pytest.raises(Conflict):
            await office.act(made["email"], rejected, caller=caller)
    assert (await office.act(made["email"], rejected, caller=boss)).action is ActionType.REJECTED
    with pytest.raises(Conflict):
        await office.act(made["email"], rejected, caller=boss)
    again = await office.act(made["email"], Action(ActionType.INITIATED), caller=boss)
    assert again.action is ActionType.INITIATED


async def test_grants_are_given_changed_and_taken_back(office: "Office") -> None:
    pair = {"reader_id": office.housing.service_id, "owner_id": office.repairs.service_id}

    async with office.app.database.transaction() as conn:
        for with_personal_data in (True, False, True):
            await grant(conn, **pair, with_personal_data=with_personal_data, now=office.now)
        assert await grants_to(conn, pair["reader_id"]) == (Grant(pair["owner_id"], "repairs", True),)
        assert await grants_to(conn, pair["owner_id"]) == ()
        with pytest.raises(Invalid):
            await grant(
                conn,
                reader_id=pair["owner_id"],
                owner_id=pair["owner_id"],
                with_personal_data=False,
                now=office.now,
            )
        made = await issue_key(
            conn, vault=office.app.vault, service_id=pair["reader_id"], name="one", now=office.now
        )
    known = await office.app.directory.by_api_key(made.key)
    assert known is not None
    assert known.caller.grants == (Grant(pair["owner_id"], "repairs", True),)
    async with office.app.database.transaction() as conn:
        assert [await end_grant(conn, **pair) for _ in range(2)] == [True, False]
        assert await grants_to(conn, pair["reader_id"]) == ()


@pytest.mark.parametrize("with_personal_data", [False, True])
async def test_the_status_of_anothers_message_by_its_notification_alone(
    office: "Office", made: dict[str, Notification], with_personal_data: bool
) -> None:
    housing = granted(office, with_personal_data=with_personal_data)
    delivery = await office.step(made["email"])
    statuses = office.app.statuses
    address = "amala@example.com" if with_personal_data else "a•••••@example.com"

    for service in ("repairs", "housing"):
        message = await statuses.get(made["email"].id, service=service, caller=housing)
        assert (message.id, message.email_address) == (delivery.notify_id, address)
        assert (message.body == MASK) is not with_personal_data
        assert (message.subject == MASK) is not with_personal_data
    for other_id in (delivery.id, delivery.notify_id):
        with pytest.raises(NotFound):
            await statuses.get(str(other_id), service="repairs", caller=housing)
    with pytest.raises(Forbidden):
        await statuses.get(made["email"].id, service="repairs", caller=office.housing)
