"""What each channel checks before anything is sent, and how it writes what it sends."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from notify_sandbox.testing import SandboxUnderTest
from postroom.channels.carriers import CARRIERS
from postroom.channels.contract import Parcel, Recipient
from postroom.channels.govuk_notify import NotifyClient
from postroom.channels.screen import check as check_screen
from postroom.domain.channel import CARRIED, Channel
from postroom.domain.errors import FieldError
from postroom.domain.notification import Personal
from postroom.domain.outcome import Accepted, Rejected
from postroom.kit.ids import new_id

FIRST_LINE = "personalisationParams.addressLine1"
ADDRESS = {"addressLine1": "Amala Okafor", "addressLine2": "1 Hillman Street", "addressLine3": "E8 1DY"}


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=15)


def faults(channel: Channel, *, prepend_name: bool = False, **personal: Any) -> list[FieldError]:
    return CARRIERS[channel].check(Personal(**personal), prepend_name=prepend_name)


def address(values: dict[str, Any], *, prepend_name: bool = False) -> dict[str, Any]:
    return dict(
        CARRIERS[Channel.LETTER].personalisation(Personal(personalisation=values), prepend_name=prepend_name)
    )


def test_every_carried_channel_has_a_carrier() -> None:
    assert {channel: CARRIERS[channel].notify_type for channel in CARRIED} == {
        Channel.EMAIL: "email",
        Channel.TEXT: "sms",
        Channel.LETTER: "letter",
    }


@pytest.mark.parametrize(
    "email", ["amala@example.com", " amala@example.com ", "a.o'neil+rent@sub.example.co.uk"]
)
def test_an_email_address_that_notify_takes(email: str) -> None:
    assert faults(Channel.EMAIL, email=email) == []


@pytest.mark.parametrize(
    ("email", "message"),
    [
        pytest.param(None, "Enter the email address to send to.", id="none"),
        pytest.param("", "Enter the email address to send to.", id="empty"),
        pytest.param("amala", "Not a valid email address.", id="no @"),
        pytest.param("amala@example", "Not a valid email address.", id="no dot"),
        pytest.param("amala@@example.com", "Not a valid email address.", id="two @"),
        pytest.param("amala..o@example.com", "Not a valid email address.", id="two dots"),
        pytest.param("amala@example.com, joe@example.com", "Not a valid email address.", id="two addresses"),
        pytest.param("a" * 321 + "@example.com", "Not a valid email address.", id="too long"),
    ],
)
def test_an_email_address_that_notify_refuses(email: str | None, message: str) -> None:
    assert faults(Channel.EMAIL, email=email) == [FieldError("email", message)]


@pytest.mark.parametrize(
    "number",
    ["07700900123", "+44 7700 900 123", "(07700) 900-123", "+33 6 12 34 56 78", "0033 6 12 34 56 78"],
)
def test_a_number_that_notify_takes(number: str) -> None:
    assert faults(Channel.TEXT, mobile_number=number) == []


@pytest.mark.parametrize(
    "number",
    [
        None,
        "",
        "07700",
        "07700 900 1234",
        "07700 900 123 456 789",
        "020 8356 3000",
        "07700 9OO 123",
        "amala@example.com",
    ],
)
def test_a_number_that_notify_refuses(number: str | None) -> None:
    found = faults(Channel.TEXT, mobile_number=number)

    assert [error.field for error in found] == ["mobileNumber"]
    assert number is None or number == "" or number not in found[0].message


@pytest.mark.parametrize(
    ("values", "message"),
    [
        pytest.param(ADDRESS, None, id="three lines"),
        pytest.param(ADDRESS | {"addressLine4": "", "addressLine5": None}, None, id="with blank lines"),
        pytest.param(
            {"address_line_1": "Amala", "address_line_2": "1 Hillman Street", "postcode": "e81dy"},
            None,
            id="as Notify",
        ),
        pytest.param(
            {"Address Line 1": "Amala", "ADDRESS-LINE-2": "1 Hillman Street", "postCode": "E8 1DY"},
            None,
            id="in any way",
        ),
        pytest.param(
            {"addressLine1": "Amala", "addressLine2": "1 rue X", "addressLine3": "France"}, None, id="abroad"
        ),
        pytest.param(None, "Address must be at least 3 lines.", id="no values at all"),
        pytest.param(
            {"addressLine1": "Amala", "addressLine2": "E8 1DY"},
            "Address must be at least 3 lines.",
            id="two lines",
        ),
        pytest.param(
            ADDRESS | {"addressLine3": "Hackney"},
            "Last line of address must be a real UK postcode or another country.",
            id="no postcode",
        ),
        pytest.param(
            {f"addressLine{n}": f"Line {n}" for n in range(1, 8)} | {"postcode": "E8 1DY"},
            "Address must be no more than 7 lines.",
            id="eight lines",
        ),
        pytest.param(
            ADDRESS | {"addressLine2": "[1 Hillman Street"},
            "Address lines must not start with any of the following characters: @ ( ) = [ ] ” \\ / , < >.",
            id="a sign first",
        ),
    ],
)
def test_an_address(values: dict[str, Any] | None, message: str | None) -> None:
    found = faults(Channel.LETTER, personalisation=values)

    assert found == ([] if message is None else [FieldError(FIRST_LINE, message)])


def test_all_seven_lines_go_under_the_names_that_notify_reads() -> None:
    given = {f"addressLine{number}": f"Line {number}" for number in range(1, 8)}

    assert address(given) == {f"address_line_{number}": f"Line {number}" for number in range(1, 8)}


@pytest.mark.parametrize(
    ("values", "lines"),
    [
        pytest.param(ADDRESS, ["Amala Okafor", "1 Hillman Street", "E8 1DY"], id="as given"),
        pytest.param(
            {
                "addressLine1": " Amala ",
                "addressLine2": "",
                "addressLine4": "1 Hillman Street",
                "addressLine7": "E8 1DY",
            },
            ["Amala", "1 Hillman Street", "E8 1DY"],
            id="blank lines left out",
        ),
        pytest.param(
            {"addressLine3": "E8 1DY", "addressLine1": "Amala", "addressLine2": "1 Hillman Street"},
            ["Amala", "1 Hillman Street", "E8 1DY"],
            id="in their order",
        ),
        pytest.param(
            {"postcode": "E8 1DY", "addressLine1": "Amala", "addressLine2": "1 Hillman Street"},
            ["Amala", "1 Hillman Street", "E8 1DY"],
            id="the postcode last",
        ),
        pytest.param(
            {"addressLine1": 1, "addressLine2": "Hillman Street"}, ["1", "Hillman Street"], id="a number"
        ),
    ],
)
def test_an_address_is_written_without_gaps(values: dict[str, Any], lines: list[str]) -> None:
    assert address(values) == {f"address_line_{number}": line for number, line in enumerate(lines, start=1)}


def test_other_values_stay_as_they_are() -> None:
    assert address(ADDRESS | {"name": "Amala", "items": ["Rent"]})["items"] == ["Rent"]
    assert address(ADDRESS | {"name": "Amala"})["name"] == "Amala"


@pytest.mark.parametrize(
    ("names", "first"),
    [
        pytest.param({"firstName": "Joe", "lastName": "Bloggs"}, "Joe Bloggs", id="both"),
        pytest.param({"first name": "Joe"}, "Joe", id="one"),
        pytest.param({"LAST_NAME": "Bloggs"}, "Bloggs", id="the other"),
        pytest.param({}, "Amala Okafor", id="none"),
    ],
)
def test_a_name_is_put_first_where_the_service_wants_it(names: dict[str, str], first: str) -> None:
    assert address(ADDRESS | names, prepend_name=True)["address_line_1"] == first
    assert address(ADDRESS | names)["address_line_1"] == "Amala Okafor"


def test_the_name_counts_as_a_line_of_the_address() -> None:
    six = {f"addressLine{number}": f"Line {number}" for number in range(1, 7)} | {"postcode": "E8 1DY"}
    named = six | {"firstName": "Joe"}

    assert faults(Channel.LETTER, personalisation=named) == []
    assert faults(Channel.LETTER, personalisation=named, prepend_name=True) == [
        FieldError(FIRST_LINE, "Address must be no more than 7 lines.")
    ]


@pytest.mark.parametrize(
    ("channel", "personal", "simulated"),
    [
        (Channel.EMAIL, Personal(email="simulate-delivered@notifications.service.gov.uk"), True),
        (Channel.EMAIL, Personal(email="amala@example.com"), False),
        (Channel.TEXT, Personal(mobile_number="07700 900000"), True),
        (Channel.TEXT, Personal(mobile_number="07700 900123"), False),
        (Channel.EMAIL, Personal(mobile_number="07700 900000"), False),
        (Channel.LETTER, Personal(email="simulate-delivered@notifications.service.gov.uk"), False),
    ],
)
def test_recipients_for_whom_notify_only_pretends(
    channel: Channel, personal: Personal, simulated: bool
) -> None:
    assert CARRIERS[channel].is_simulated(personal) is simulated


@pytest.mark.parametrize(
    ("channel", "ways", "text", "international"),
    [
        (
            Channel.EMAIL,
            [Personal(email=" Amala@Example.com"), Personal(email="amala@example.com")],
            "amala@example.com",
            False,
        ),
        (
            Channel.TEXT,
            [Personal(mobile_number="07700 900123"), Personal(mobile_number="+44 (0)7700 900 123")],
            "+447700900123",
            False,
        ),
        (Channel.TEXT, [Personal(mobile_number="+33 6 12 34 56 78")], "+33612345678", True),
        (
            Channel.LETTER,
            [
                Personal(
                    personalisation={"addressLine1": "Joe", "addressLine2": "1 Mare St", "postcode": "E8 1DY"}
                ),
                Personal(
                    personalisation={
                        "address_line_1": "JOE",
                        "addressline3": "1 Mare St ",
                        "postcode": "e8 1dy",
                    }
                ),
            ],
            "joe\n1 mare st\ne8 1dy",
            False,
        ),
    ],
)
def test_a_recipient_is_the_same_however_it_is_written(
    channel: Channel, ways: list[Personal], text: str, international: bool
) -> None:
    assert {CARRIERS[channel].recipient(personal, prepend_name=False) for personal in ways} == {
        Recipient(text, international)
    }


@pytest.mark.parametrize(
    ("channel", "alias", "personal", "to"),
    [
        (Channel.EMAIL, "email", Personal(email="amala@example.com"), "amala@example.com"),
        (Channel.TEXT, "text", Personal(mobile_number="07700900123"), "07700900123"),
        (Channel.LETTER, "letter", Personal(), "Joe Bloggs, Amala Okafor, 1 Hillman Street, E8 1DY"),
    ],
)
async def test_a_parcel_is_sent_under_the_deliverys_id(
    client: NotifyClient, sandbox: SandboxUnderTest, channel: Channel, alias: str, personal: Personal, to: str
) -> None:
    values = {
        "name": "Amala",
        "ref": "R-1",
        "code": "4711",
        "firstName": "Joe",
        "lastName": "Bloggs",
    } | ADDRESS
    whole = Personal(email=personal.email, mobile_number=personal.mobile_number, personalisation=values)
    parcel = Parcel(new_id(), sandbox.templates[alias], whole, soon(), prepend_name=True)

    outcome = await CARRIERS[channel].send(client, parcel)

    (sent,) = sandbox.sent(reference=parcel.reference)
    assert outcome == Accepted(sent.id, template_version=1)
    assert sent.channel == CARRIERS[channel].notify_type
    assert sent.to == to


@pytest.mark.parametrize("channel", CARRIED)
async def test_what_was_given_up_is_not_sent(
    client: NotifyClient, sandbox: SandboxUnderTest, channel: Channel
) -> None:
    outcome = await CARRIERS[channel].send(client, Parcel(new_id(), new_id(), Personal(), soon()))

    assert isinstance(outcome, Rejected)
    assert outcome.reason.endswith("is kept no longer")
    assert sandbox.sent() == []


@pytest.mark.parametrize(
    ("personal", "target_id", "fields"),
    [
        (Personal(message="Please approve"), "t-1", []),
        (Personal(message=""), "t-1", ["message"]),
        (Personal(message="Please approve"), None, ["targetId"]),
        (Personal(), None, ["targetId", "message"]),
    ],
)
def test_a_screen_needs_something_to_say_and_what_it_is_about(
    personal: Personal, target_id: str | None, fields: list[str]
) -> None:
    assert [error.field for error in check_screen(personal, target_id=target_id)] == fields
