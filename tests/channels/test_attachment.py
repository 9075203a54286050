"""Files that go with an email, checked as Notify would."""

from base64 import b64encode
from typing import Any

import pytest

from postroom.channels import attachment

CONTENT = b64encode(b"name,rent\nAmala,1\n").decode()
LARGEST = b64encode(b"\0" * attachment.LARGEST_BYTES).decode()
TOO_LARGE = b64encode(b"\0" * (attachment.LARGEST_BYTES + 1)).decode()
EXTENSIONS = "csv, doc, docx, jpeg, jpg, json, odt, pdf, png, rtf, txt, xlsx"


@pytest.mark.parametrize(
    "value",
    [
        pytest.param({"file": CONTENT}, id="a file alone"),
        pytest.param({"file": CONTENT, "filename": "rent.csv"}, id="with a name"),
        pytest.param({"file": CONTENT, "filename": "Rent account.2026.PDF"}, id="dots and capitals"),
        pytest.param({"file": CONTENT, "filename": "a" * 96 + ".csv"}, id="a long name"),
        pytest.param({"file": CONTENT, "filename": None, "retention_period": None}, id="nulls"),
        pytest.param({"file": CONTENT, "confirm_email_before_download": False}, id="without confirmation"),
        pytest.param({"file": CONTENT, "retention_period": "1 week"}, id="a week"),
        pytest.param({"file": CONTENT, "retention_period": "78 weeks"}, id="78 weeks"),
        pytest.param({"file": CONTENT, "is_csv": True}, id="as csv"),
        pytest.param({"file": LARGEST}, id="as large as can be"),
    ],
)
def test_a_file_that_notify_takes(value: dict[str, Any]) -> None:
    assert attachment.is_file(value)
    assert attachment.check(value) == []


@pytest.mark.parametrize(
    ("value", "messages"),
    [
        pytest.param({"file": "no base64!"}, ["Give the file as base64."], id="no base64"),
        pytest.param({"file": CONTENT[:-1]}, ["Give the file as base64."], id="cut"),
        pytest.param({"file": 12}, ["Give the file as base64."], id="a number"),
        pytest.param({"file": None}, ["Give the file as base64."], id="null"),
        pytest.param({"file": "ä"}, ["Give the file as base64."], id="beyond ASCII"),
        pytest.param({"file": ""}, ["The file is empty."], id="empty"),
        pytest.param({"file": TOO_LARGE}, ["Use a file of up to 2 MB."], id="too large"),
        pytest.param(
            {"file": CONTENT, "filename": "rent.exe"},
            [f"End the filename with one of {EXTENSIONS}."],
            id="a program",
        ),
        pytest.param(
            {"file": CONTENT, "filename": "rent"},
            [f"End the filename with one of {EXTENSIONS}."],
            id="no ending",
        ),
        pytest.param(
            {"file": CONTENT, "filename": ".csv"},
            [f"End the filename with one of {EXTENSIONS}."],
            id="an ending alone",
        ),
        pytest.param(
            {"file": CONTENT, "filename": ""}, ["Use a filename of up to 100 characters."], id="no name"
        ),
        pytest.param(
            {"file": CONTENT, "filename": "a" * 97 + ".csv"},
            ["Use a filename of up to 100 characters."],
            id="too long",
        ),
        pytest.param(
            {"file": CONTENT, "filename": 7},
            ["Use a filename of up to 100 characters."],
            id="a number's name",
        ),
        pytest.param({"file": CONTENT, "colour": "red"}, ["Remove colour from the file."], id="unknown"),
        pytest.param(
            {"file": CONTENT, "confirm_email_before_download": "yes"},
            ["Use true or false for confirm_email_before_download."],
            id="yes",
        ),
        pytest.param({"file": CONTENT, "is_csv": 1}, ["Use true or false for is_csv."], id="one"),
        pytest.param(
            {"file": "", "filename": "rent", "is_csv": "no", "size": 1},
            [
                "Remove size from the file.",
                "The file is empty.",
                f"End the filename with one of {EXTENSIONS}.",
                "Use true or false for is_csv.",
            ],
            id="all at once",
        ),
    ],
)
def test_a_file_that_notify_refuses(value: dict[str, Any], messages: list[str]) -> None:
    assert attachment.check(value) == messages


@pytest.mark.parametrize(
    "period", ["0 weeks", "79 weeks", "26", "26 days", "-1 weeks", "026 weeks", 26, True]
)
def test_how_long_it_cannot_be_kept(period: object) -> None:
    assert attachment.check({"file": CONTENT, "retention_period": period}) == [
        "Use 1 to 78 weeks for retention_period, as in “26 weeks”."
    ]


@pytest.mark.parametrize("value", ["file", ["file"], None, 1, {}, {"filename": "rent.csv"}])
def test_other_values_are_no_file(value: object) -> None:
    assert attachment.is_file(value) is False


def test_its_content_is_never_shown() -> None:
    value = {"file": CONTENT, "filename": "rent.csv", "is_csv": True}

    assert attachment.without_content(value) == {"filename": "rent.csv", "is_csv": True}
