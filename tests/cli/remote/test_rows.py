"""A CSV becomes notifications: which column is what, and every line that is wrong is named."""

from typing import Any

import pytest

from postroom.cli.remote.rows import BadSheet, read_sheet

EMAIL = {"notificationType": "Email", "templateId": "t"}


def read(text: str | bytes, *, given: dict[str, Any] | None = None, **chosen: str) -> Any:
    content = text if isinstance(text, bytes) else text.encode()
    return read_sheet(content, given=EMAIL if given is None else given, chosen=chosen)


def bodies(text: str | bytes, **how: Any) -> list[Any]:
    return [row.body for row in read(text, **how).rows]


READ = {
    "fields and values": (
        "Email Address,Name,Reference\njoe@example.com,Joe,r-1\n",
        [{**EMAIL, "email": "joe@example.com", "reference": "r-1", "personalisationParams": {"Name": "Joe"}}],
    ),
    "an address": (
        "address line 1,address_line_2,AddressLine3\nJoe,1 High Street,SW14 6BH\n",
        [
            {
                **EMAIL,
                "personalisationParams": {
                    "addressLine1": "Joe",
                    "addressLine2": "1 High Street",
                    "addressLine3": "SW14 6BH",
                },
            }
        ],
    ),
    "a mark at the beginning": ("\ufeffemail\njoe@example.com\n", [{**EMAIL, "email": "joe@example.com"}]),
    "semicolons": (
        "email;targetId\njoe@example.com;a,b\n",
        [{**EMAIL, "email": "joe@example.com", "targetId": "a,b"}],
    ),
    "tabs": (
        "email\ttargetId\njoe@example.com\tT\n",
        [{**EMAIL, "email": "joe@example.com", "targetId": "T"}],
    ),
    "an empty field is left out, an empty value is sent": (
        "email,reference,name\njoe@example.com,,\n",
        [{**EMAIL, "email": "joe@example.com", "personalisationParams": {"name": ""}}],
    ),
    "empty lines": ("email\n\njoe@example.com\n , \n\n", [{**EMAIL, "email": "joe@example.com"}]),
    "a short line": (
        "email,name\njoe@example.com\n",
        [{**EMAIL, "email": "joe@example.com", "personalisationParams": {"name": ""}}],
    ),
}


@pytest.mark.parametrize(("text", "expected"), READ.values(), ids=READ)
def test_a_row_is_a_notification(text: str, expected: list[Any]) -> None:
    assert bodies(text) == expected


def test_columns_are_chosen_over_their_names() -> None:
    text = "who,reference,notes\njoe@example.com,X1,none\n"
    chosen = {"who": "email", "reference": "value:reference", "notes": "-"}
    sheet = read_sheet(text.encode(), given=EMAIL, chosen=chosen)

    assert sheet.rows[0].body == {
        **EMAIL,
        "email": "joe@example.com",
        "personalisationParams": {"reference": "X1"},
    }
    assert sheet.column_of("email") == "who"
    assert sheet.column_of("personalisationParams.reference") == "reference"
    assert sheet.column_of("personalisationParams.notes") is None


KINDS = {
    "email": ("email\njoe@example.com\n", "Email"),
    "text": ("phone number\n07700900456\n", "Text"),
    "letter": ("address line 1\nJoe\n", "Letter"),
    "screen": ("message\nHello\n", "Screen"),
    "what a column says": ("notificationType,email,mobile\nText,a@b.uk,07700900456\n", "Text"),
}


@pytest.mark.parametrize(("text", "kind"), KINDS.values(), ids=KINDS)
def test_the_channel_is_known_where_one_alone_can_be_meant(text: str, kind: str) -> None:
    assert bodies(text, given={})[0]["notificationType"] == kind


BAD: dict[str, tuple[str | bytes, list[tuple[int, str | None]]]] = {
    "nothing": (b"", [(1, None)]),
    "two channels": ("email,mobile\na@b.uk,07700900456\n", [(1, None)]),
    "no channel": ("name\nJoe\n", [(1, None)]),
    "twice the same column": ("email,email\na,b\n", [(1, "email"), (1, "email")]),
    "two columns for a field": ("email,Email Address\na,b\n", [(1, "email"), (1, "Email Address")]),
    "more cells than columns, twice": ("email\na,b\nc\nd,e\n", [(2, None), (4, None)]),
    "a line after one of two lines": ('email,name\na,"x\ny"\nb,c,d\n', [(4, None)]),
    "no UTF-8": (b"email,name\na,b\n" + b"a,\xff\n", [(3, None)]),
    "an open quote": ('email\n"a\n', [(2, None)]),
}


@pytest.mark.parametrize(("text", "places"), BAD.values(), ids=BAD)
def test_every_line_at_fault_is_named(text: str | bytes, places: list[tuple[int, str | None]]) -> None:
    with pytest.raises(BadSheet) as raised:
        read(text, given={})
    assert sorted((fault.line, fault.column or "") for fault in raised.value.faults) == sorted(
        (line, column or "") for line, column in set(places)
    )


def test_a_choice_that_cannot_be_is_named() -> None:
    with pytest.raises(BadSheet) as raised:
        read_sheet(b"email\na\n", given={}, chosen={"nobody": "email", "email": "colour"})
    assert [fault.column for fault in raised.value.faults] == [None, "email"]


def test_lines_are_those_of_the_file() -> None:
    sheet = read('email,name\na@b.uk,"two\nlines"\n\nc@d.uk,x\n')
    assert [row.line for row in sheet.rows] == [2, 5]


def test_the_same_row_has_the_same_mark_and_a_second_one_another() -> None:
    first = [row.mark for row in read("email\na@b.uk\na@b.uk\nc@d.uk\n").rows]
    moved = [row.mark for row in read("email\nc@d.uk\na@b.uk\na@b.uk\n").rows]
    assert len(set(first)) == 3
    assert set(first) == set(moved)
    assert first[:2] == moved[1:]
