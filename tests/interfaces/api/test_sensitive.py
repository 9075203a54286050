"""What is sensitive shows no text in lists, popups and subjects; whom it is for opens it."""

from typing import Any

import pytest
import pytest_asyncio

from postroom.domain.caller import Person
from postroom.features.notifications.discretion import NEUTRAL
from postroom.features.notifications.find import find_as_new, find_some
from postroom.features.services import grant

pytestmark = pytest.mark.asyncio(loop_scope="module")

OFFICER = "amala.officer@hackney.gov.uk"
TEXT = "Court action begins against Zebedee"


@pytest_asyncio.fixture(loop_scope="module")
async def made(office: Any) -> Any:
    return await office.accepted(
        office.screen(user=OFFICER, message=TEXT, sensitive="true", targetId="T-sensitive")
    )


async def test_lists_show_a_neutral_text_and_opening_it_shows_all(office: Any, made: Any) -> None:
    token = office.token(OFFICER)
    await office.patch(made["id"], {"actionType": "Initiated", "actionNote": "Zebedee rang"}, token=token)

    listed = await office.get("/notifications?targetId=T-sensitive", token=token)
    opened = (await office.get(f"/notifications/{made['id']}", token=token)).body

    assert (listed.body[0]["message"], listed.body[0]["sensitive"], listed.body[0]["actionNote"]) == (
        NEUTRAL,
        True,
        None,
    )
    assert "Zebedee" not in listed.text
    assert (opened["message"], opened["actionNote"]) == (TEXT, "Zebedee rang")


async def test_its_own_service_sees_it_everywhere(office: Any, made: Any) -> None:
    (listed,) = [
        each
        for each in (await office.get("/notifications?targetId=T-sensitive")).body
        if each["id"] == made["id"]
    ]

    assert (made["message"], made["sensitive"], listed["message"]) == (TEXT, True, TEXT)


async def test_another_service_that_may_read_it_sees_it_in_no_list(office: Any, made: Any) -> None:
    reader = await office.app.directory.by_name("other")
    async with office.app.database.transaction() as conn:
        await grant(
            conn,
            reader_id=reader.id,
            owner_id=office.service_id,
            with_personal_data=True,
            now=office.app.clock(),
        )
    key = (await office.issue()).key
    listed = await office.get("/notifications?targetId=T-sensitive&service=demo", key=key)

    assert "Zebedee" not in listed.text


async def test_what_is_pushed_is_neutral(office: Any, made: Any) -> None:
    vault = office.app.vault
    async with office.app.database.reading() as conn:
        new = await find_as_new(conn, [made["id"]], vault=vault)
        own = await find_some(conn, [made["id"]], caller=Person(OFFICER), vault=vault)

    assert {new[made["id"]].personal.message, own[made["id"]].personal.message} == {NEUTRAL}


async def test_what_is_not_sensitive_is_shown(office: Any) -> None:
    made = await office.accepted(office.screen(user=OFFICER, targetId="T-plain"))
    (listed,) = (await office.get("/notifications?targetId=T-plain", token=office.token(OFFICER))).body

    assert (made["sensitive"], listed["message"]) == (False, made["message"])


async def test_a_subject_that_would_show_it_is_refused(office: Any) -> None:
    answer = await office.refused(office.email(sensitive=True))

    assert answer.fields == {
        "templateId": "This is sensitive: use a template whose subject has no placeholder."
    }
    plain = office.email(sensitive=True, templateId=office.templates["email_plain"])
    assert (await office.accepted(plain))["sensitive"] is True
    assert (await office.refused(office.screen(sensitive="perhaps"))).fields == {
        "sensitive": "Use true or false."
    }
