"""What those see whom personal data is not meant for."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.masking import (
    MASK,
    mask_action,
    mask_email,
    mask_number,
    mask_personal,
    mask_text,
    mask_values,
)
from postroom.domain.notification import ActionDetail, FollowOn, Personal


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        pytest.param("07700900678", "07•••••678", id="a mobile"),
        pytest.param("07700 900 678", "07•••••678", id="with spaces"),
        pytest.param("(07700) 900-678", "07•••••678", id="with brackets"),
        pytest.param("+447700900678", "+44•••••678", id="international"),
        pytest.param(" +44 7700 900678", "+44•••••678", id="international, with spaces"),
        pytest.param("00447700900678", "00•••••678", id="by 00"),
        pytest.param("+33612345678", "+33•••••678", id="French"),
        pytest.param("123456789", "12•••••789", id="as short as may be"),
        pytest.param("12345678", MASK, id="too short"),
        pytest.param("80818", MASK, id="a short code"),
        pytest.param("", MASK, id="empty"),
        pytest.param("ring Joe", MASK, id="no number"),
    ],
)
def test_numbers(number: str, masked: str) -> None:
    assert mask_number(number) == masked


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        pytest.param("joe@example.com", "j•••••@example.com", id="plain"),
        pytest.param("joe.bloggs+rent@mail.example.co.uk", "j•••••@mail.example.co.uk", id="long"),
        pytest.param(" joe@example.com ", "j•••••@example.com", id="with spaces around"),
        pytest.param("j@example.com", "•••••@example.com", id="one character"),
        pytest.param("@example.com", "•••••@example.com", id="none"),
        pytest.param('"joe@home"@example.com', '"•••••@example.com', id="an at in quotes"),
        pytest.param("joe@", MASK, id="no host"),
        pytest.param("joe", MASK, id="no at"),
        pytest.param("", MASK, id="empty"),
    ],
)
def test_email_addresses(address: str, masked: str) -> None:
    assert mask_email(address) == masked


@pytest.mark.parametrize(
    ("values", "masked"),
    [
        ({}, {}),
        ({"name": "Joe", "ref": "X1"}, {"name": MASK, "ref": MASK}),
        ({"name": "", "ref": None}, {"name": "", "ref": None}),
        ({"rent": 120.5, "count": 0, "is_late": False}, {"rent": MASK, "count": MASK, "is_late": MASK}),
        ({"children": ["Ann", "Bob"], "none": []}, {"children": MASK, "none": MASK}),
        ({"letter": {"file": "aGVsbG8=", "filename": "joe-bloggs.pdf"}}, {"letter": MASK}),
    ],
    ids=repr,
)
def test_personalisation(values: dict[str, Any], masked: dict[str, Any]) -> None:
    assert mask_values(values) == masked


@pytest.mark.parametrize(("text", "masked"), [("Joe owes rent", MASK), ("", ""), (None, None)])
def test_texts(text: str | None, masked: str | None) -> None:
    assert mask_text(text) == masked


def test_of_a_notification_all_but_its_addressee_and_warnings() -> None:
    personal = Personal(
        user="amala@hackney.gov.uk",
        message="Joe Bloggs owes rent",
        email="joe@example.com",
        mobile_number="07700 900678",
        personalisation={"name": "Joe"},
        warnings=("ref is not used by the template",),
        follow_on=FollowOn(label="See the rent of Joe", url="https://example.com/joe"),
        escalation=({"after": "24h", "to": "joe@example.com"},),
        sensitive=True,
        thread_key="lift-1",
        expires_at=datetime(2026, 11, 25, tzinfo=UTC),
    )

    assert mask_personal(personal) == Personal(
        user="amala@hackney.gov.uk",
        message=MASK,
        email="j•••••@example.com",
        mobile_number="07•••••678",
        personalisation={"name": MASK},
        warnings=("ref is not used by the template",),
        sensitive=True,
        thread_key="lift-1",
        expires_at=datetime(2026, 11, 25, tzinfo=UTC),
    )
    assert mask_personal(Personal()) == Personal()


def test_no_field_of_personal_data_is_forgotten() -> None:
    hidden = {"message", "email", "mobile_number", "personalisation", "follow_on", "escalation"}
    told = {"user", "warnings", "trusted", "sensitive", "thread_key", "expires_at"}

    assert {field.name for field in msgspec.structs.fields(Personal)} == hidden | told


def test_of_an_action_what_was_written() -> None:
    done = ActionDetail(done_by="amala@hackney.gov.uk", note="Joe rang")

    assert mask_action(done) == ActionDetail(done_by="amala@hackney.gov.uk", note=MASK)
    assert mask_action(None) is None


@given(st.text())
def test_a_masked_number_shows_five_digits_at_most(number: str) -> None:
    shown = mask_number(number)

    assert sum(character.isdigit() for character in shown) <= 5
    assert MASK in shown


@given(st.text())
def test_of_a_mailbox_one_character_is_shown_at_most(address: str) -> None:
    shown = mask_email(address)

    assert len(shown.partition(MASK)[0]) <= 1
