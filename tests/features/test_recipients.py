"""Who is in a group or a patch: registered here, told by tokens, and what that lets them see."""

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from postroom.domain.audience import Audience, AudienceKind, audience_named
from postroom.domain.caller import Person
from postroom.domain.errors import FieldError, Invalid, NotFound
from postroom.features import recipients
from postroom.features.recipients.store import members, token_holders

if TYPE_CHECKING:
    from tests.features.conftest import Office

ESTATES = Audience(AudienceKind.GROUP, "estates")
NORTH = Audience(AudienceKind.PATCH, "north-1")
AMALA, JOE, SAM = (f"{name}@hackney.gov.uk" for name in ("amala", "joe", "sam"))


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("Estates", "estates"),
        (" internal audit ", "internal audit"),
        ("x" * 120, "x" * 120),
        ("x" * 121, None),
        ("", None),
        ("a,b", None),
        ("group:a", None),
        ("a\nb", None),
    ],
)
def test_what_an_audience_can_be_named(name: str, known: str | None) -> None:
    audience = audience_named(AudienceKind.GROUP, name)
    assert (None if audience is None else audience.name) == known


async def change(office: "Office", deed: Any, audience: Audience, what: Any, **more: Any) -> None:
    async with office.app.database.transaction() as conn:
        await deed(conn, audience, what, vault=office.app.vault, **more)


async def register(office: "Office", audience: Audience, *emails: str) -> None:
    await change(office, recipients.add_members, audience, list(emails), now=office.now)


async def in_it(office: "Office", audience: Audience, *, limit: int = 50) -> dict[str, tuple[bool, bool]]:
    """Whether each member is registered, and told by their token; read page by page."""
    found: dict[str, tuple[bool, bool]] = {}
    after = None
    while True:
        async with office.app.database.reading() as conn:
            some, after = await recipients.members_of(
                conn, audience, vault=office.app.vault, after=after, limit=limit
            )
        found |= {each.email: (each.registered_at is not None, each.told_at is not None) for each in some}
        if after is None:
            return found


async def hear(office: "Office", email: str, *groups: str, at: datetime | None = None) -> None:
    await office.app.memberships.hear(Person(email, groups), issued_at=at or office.now)


async def test_members_are_registered_replaced_and_removed(office: "Office") -> None:
    await register(office, ESTATES, AMALA, " Joe@Hackney.gov.uk", JOE)
    await register(office, NORTH, SAM)
    assert await in_it(office, ESTATES, limit=1) == {AMALA: (True, False), JOE: (True, False)}

    await change(office, recipients.set_members, ESTATES, [JOE, SAM], now=office.now)
    assert await in_it(office, ESTATES) == {JOE: (True, False), SAM: (True, False)}

    await change(office, recipients.remove_member, ESTATES, JOE.upper())
    assert await in_it(office, ESTATES) == {SAM: (True, False)}
    assert await in_it(office, NORTH) == {SAM: (True, False)}
    with pytest.raises(NotFound):
        await change(office, recipients.remove_member, ESTATES, JOE)


async def test_one_wrong_address_and_nothing_is_changed(office: "Office") -> None:
    await register(office, ESTATES, SAM)

    with pytest.raises(Invalid) as raised:
        await change(office, recipients.set_members, ESTATES, [AMALA, "amala", "group:x"], now=office.now)

    assert raised.value.errors == (
        FieldError("members[1]", "Enter an officer's email address."),
        FieldError("members[2]", "Enter an officer's email address."),
    )
    assert await in_it(office, ESTATES) == {SAM: (True, False)}


async def test_addresses_are_kept_sealed(office: "Office") -> None:
    await register(office, ESTATES, AMALA)

    [row] = await office.rows(members)
    assert AMALA.encode() not in row.sealed
    assert b"amala" not in row.member


async def test_what_a_token_says_is_kept_until_a_later_one_says_otherwise(office: "Office") -> None:
    first = office.now
    await register(office, ESTATES, AMALA)
    await hear(office, AMALA, "Estates", "leaseholders", "no,name", at=first)
    leaseholders = Audience(AudienceKind.GROUP, "leaseholders")
    assert await in_it(office, ESTATES) == {AMALA: (True, True)}
    assert await in_it(office, leaseholders) == {AMALA: (False, True)}

    await hear(office, AMALA, "estates", "finance", at=first - timedelta(minutes=5))
    assert await in_it(office, leaseholders) == {AMALA: (False, True)}

    await hear(office, AMALA, "finance", at=first + timedelta(minutes=5))
    assert await in_it(office, ESTATES) == {AMALA: (True, False)}
    assert await in_it(office, leaseholders) == {}
    await change(office, recipients.remove_member, ESTATES, AMALA)
    assert await in_it(office, ESTATES) == {}


async def test_a_token_that_says_nothing_new_writes_nothing(office: "Office") -> None:
    await hear(office, AMALA, "estates")
    before = await office.rows(members), await office.rows(token_holders)
    another = recipients.Memberships(database=office.app.database, vault=office.app.vault, clock=office.clock)

    await hear(office, AMALA, "estates", at=office.now + timedelta(minutes=1))
    await another.hear(Person(AMALA, ("Estates",)), issued_at=office.now + timedelta(minutes=1))

    assert (await office.rows(members), await office.rows(token_holders)) == before


async def test_what_somebody_is_registered_in_is_theirs_to_see(office: "Office") -> None:
    await register(office, ESTATES, AMALA)
    await register(office, NORTH, AMALA)
    by_group = await office.create(office.screen(user="group:Estates"))
    by_patch = await office.create(office.screen(user="patch:north-1"))
    amala = await office.app.memberships.complete(Person(AMALA, ("Leaseholders",)))

    assert amala == Person(AMALA, ("Leaseholders", "estates"), patches=("north-1",))
    assert [each.id for each in (await office.find(amala)).items] == [by_patch.id, by_group.id]
    assert (await office.find(Person(AMALA))).items == ()


async def test_what_a_token_once_said_lets_nobody_in(office: "Office") -> None:
    await hear(office, AMALA, "estates")

    assert await office.app.memberships.complete(Person(AMALA)) == Person(AMALA)


async def test_a_membership_that_ends_elsewhere_is_remembered_for_seconds(office: "Office") -> None:
    office.clock.stand_still()
    await register(office, NORTH, AMALA)
    person = Person(AMALA)
    assert (await office.app.memberships.complete(person)).patches == ("north-1",)

    await change(office, recipients.remove_member, NORTH, AMALA)
    assert (await office.app.memberships.complete(person)).patches == ("north-1",)
    office.clock.until(office.now + timedelta(seconds=5))
    assert (await office.app.memberships.complete(person)).patches == ()


async def test_lists_that_cross_do_not_wait_for_one_another(postgres_office: "Office") -> None:
    emails = [f"officer-{each}@hackney.gov.uk" for each in range(200)]

    await asyncio.gather(
        *(register(postgres_office, ESTATES, *(emails if turn % 2 else emails[::-1])) for turn in range(6))
    )

    assert set(await in_it(postgres_office, ESTATES, limit=1_000)) == set(emails)


async def test_groups_and_patches_are_listed_by_name(office: "Office") -> None:
    await register(office, ESTATES, AMALA, JOE)
    await hear(office, SAM, "estates", "finance")
    await register(office, NORTH, SAM)
    async with office.app.database.reading() as conn:
        first = await recipients.audiences(conn, AudienceKind.GROUP, limit=1)
        rest = await recipients.audiences(conn, AudienceKind.GROUP, after="estates", limit=1)
        patches = await recipients.audiences(conn, AudienceKind.PATCH, limit=5)

    assert (first, rest, patches) == (
        ([("estates", 3)], "estates"),
        ([("finance", 1)], None),
        ([("north-1", 1)], None),
    )
