"""Searching over services: by each thing that can be known, as each may see it, page by page."""

from typing import Any

import pytest

from postroom.domain.caller import Caller, Person
from postroom.domain.channel import Channel
from postroom.domain.role import Role
from postroom.features.notifications.find import Page
from postroom.features.notifications.search import By, Sought, search

DEVELOPER = Person("dev@hackney.gov.uk", roles=frozenset({Role.DEVELOPER}))


async def found(office: Any, by: By, text: str, *, caller: Caller = DEVELOPER, **more: Any) -> Page:
    services = more.pop("service_ids", (office.repairs.service_id, office.housing.service_id))
    sought = Sought(by, text, service_ids=services, **more)
    async with office.app.database.reading() as conn:
        page: Page = await search(conn, sought, caller=caller, vault=office.app.vault)
    return page


def ids(page: Page) -> list[str]:
    return [each.id for each in page.items]


@pytest.fixture
async def kept(office: Any) -> dict[str, Any]:
    email = office.email(target_id="T-1", reference="R-1", correlation_id="c-1")
    text = office.email(
        channels=(Channel.TEXT,),
        email=None,
        mobile_number="07700 900456",
        template_id=office.sandbox.templates["text"],
        personalisation={"name": "Joe", "code": "1"},
        target_id="T-1",
        correlation_id="c-2",
    )
    housing = office.screen(target_id="T-1", reference="R-1", user="joe@hackney.gov.uk")
    made = {
        "email": await office.create(email),
        "text": await office.create(text),
        "screen": await office.create(housing, caller=office.housing),
    }
    await office.step(made["email"])
    return made


async def test_each_thing_that_is_known_leads_to_it(office: Any, kept: dict[str, Any]) -> None:
    email, text, screen = (kept[name].id for name in ("email", "text", "screen"))
    (delivery,) = (await office.one(kept["email"])).deliveries

    for by, known, wanted in [
        (By.TARGET, "T-1", [screen, text, email]),
        (By.REFERENCE, "R-1", [screen, email]),
        (By.CORRELATION_ID, "c-1", [email]),
        (By.RECIPIENT, "Amala@Example.com", [email]),
        (By.RECIPIENT, "07700900456", [text]),
        (By.RECIPIENT, "+44 7700 900 456", [text]),
        (By.RECIPIENT, "joe@hackney.gov.uk", [screen]),
        (By.RECIPIENT, "nobody@example.com", []),
        (By.RECIPIENT, "not a recipient", []),
        (By.NOTIFY_ID, delivery.notify_id, [email]),
        (By.NOTIFY_ID, "not an id", []),
        (By.ID, email.upper(), [email]),
        (By.ID, delivery.id, [email]),
        (By.TARGET, "t-1", []),
    ]:
        assert (by, known, ids(await found(office, by, known))) == (by, known, wanted)


async def test_a_role_sees_personal_data_masked(office: Any, kept: dict[str, Any]) -> None:
    (one,) = (await found(office, By.RECIPIENT, "amala@example.com")).items

    assert (one.personal.email, one.personal.personalisation) == (
        "a•••••@example.com",
        {"name": "•••••", "ref": "•••••"},
    )


async def test_only_the_services_that_are_asked_for(office: Any, kept: dict[str, Any]) -> None:
    housing = await found(office, By.TARGET, "T-1", service_ids=(office.housing.service_id,))
    nothing = await found(office, By.TARGET, "T-1", service_ids=())

    assert (ids(housing), ids(nothing)) == ([kept["screen"].id], [])


async def test_who_may_not_read_it_does_not_find_it(office: Any, kept: dict[str, Any]) -> None:
    joe = Person("joe@hackney.gov.uk")

    assert ids(await found(office, By.TARGET, "T-1", caller=joe)) == [kept["screen"].id]
    assert ids(await found(office, By.TARGET, "T-1", caller=office.housing)) == [kept["screen"].id]


async def test_what_was_removed_is_not_found(office: Any, kept: dict[str, Any]) -> None:
    await office.withdraw(kept["email"], caller=office.repairs)

    for by, known in ((By.REFERENCE, "R-1"), (By.RECIPIENT, "amala@example.com"), (By.CORRELATION_ID, "c-1")):
        assert kept["email"].id not in ids(await found(office, by, known))


async def test_pages_follow_one_another(office: Any, kept: dict[str, Any]) -> None:
    first = await found(office, By.TARGET, "T-1", limit=2)
    second = await found(office, By.TARGET, "T-1", limit=2, before=first.next_before)

    assert ids(first) + ids(second) == [kept[name].id for name in ("screen", "text", "email")]
    assert second.next_before is None
