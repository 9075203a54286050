"""Letters: how they are printed, and which of those that come as PDF are refused."""

from typing import Any

import pypdfium2
import pytest
import typst

from notify_sandbox.letters.inspect import Finding, inspect
from notify_sandbox.letters.render import Printer
from notify_sandbox.model import Channel, KeyType, Notification
from notify_sandbox.shapes import estimated_delivery

ADDRESS = ["Amala Bird", "123 High Street", "Hackney", "London", "E8 1EA"]


def page(**more: str) -> bytes:
    """A PDF with the address in its window, and marks where a test wants them (in mm from the top left)."""
    lines = more.pop("address", " \\ ".join(ADDRESS))
    paper = more.pop("paper", "width: 210mm, height: 297mm")
    marks = "".join(f"#place(top + left, dx: {x}mm, dy: {y}mm)[{text}]\n" for text, (x, y) in _marks(more))
    source = (
        f"#set page({paper}, margin: 0mm)\n#set text(size: 9pt)\n"
        f"#place(top + left, dx: 25mm, dy: 41mm)[{lines}]\n{marks}"
        + "#pagebreak()#place(top + left, dx: 25mm, dy: 100mm)[NOTIFY]" * (more.get("tag") == "2")
        + "#pagebreak()x" * int(more.get("pages", "0"))
    )
    made = typst.compile(source.encode(), format="pdf")
    assert isinstance(made, bytes)
    return made


def _marks(more: dict[str, str]) -> list[tuple[str, tuple[str, str]]]:
    return [("MARK", (x, y)) for x, _, y in [more["mark"].partition(",")]] if "mark" in more else []


OUTSIDE = "content-outside-printable-area"


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ({}, None),
        ({"mark": "30,110"}, None),
        ({"mark": "130,20"}, None),
        ({"mark": "30,12"}, None),
        ({"mark": "5,150"}, OUTSIDE),
        ({"mark": "196,150"}, OUTSIDE),
        ({"mark": "100,294"}, OUTSIDE),
        ({"mark": "30,75"}, OUTSIDE),
        ({"mark": "30,33"}, OUTSIDE),
        ({"paper": 'paper: "us-letter"'}, "letter-not-a4-portrait-oriented"),
        ({"paper": "width: 297mm, height: 210mm"}, "letter-not-a4-portrait-oriented"),
        ({"pages": "10"}, "letter-too-long"),
        ({"tag": "2"}, "notify-tag-found-in-content"),
        ({"address": ""}, "address-is-empty"),
        ({"address": "Amala Bird \\ E8 1EA"}, "not-enough-address-lines"),
        ({"address": "Amala Bird \\ 123 High Street \\ London"}, "not-a-real-uk-postcode"),
    ],
)
def test_what_is_refused(made: dict[str, str], message: str | None) -> None:
    found = inspect(page(**made), international=False)

    assert (found.message, found.fault) == (message, message and "validation-failed")


def test_the_address_is_read_back() -> None:
    assert inspect(page(), international=False) == Finding(page_count=1, address=tuple(ADDRESS))


def test_a_file_that_scanners_know_is_refused() -> None:
    virus = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR" + rb"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"

    assert inspect(virus, international=False).fault == "virus-scan-failed"


@pytest.mark.parametrize("file", [b"hello", b"%PDF-1.4 and no more"])
def test_a_file_that_is_no_pdf_is_refused(file: bytes) -> None:
    assert inspect(file, international=False).message == "unable-to-read-the-file"


def printed(**more: Any) -> bytes:
    usual = {
        "address": ADDRESS,
        "contact": "Hackney Council\nLondon",
        "subject": "S",
        "body": "B",
        "at": 1_763_888_000,
    }
    return Printer().pdf(**(usual | more))


def test_what_is_printed_passes_inspection_and_stays_text() -> None:
    body = "# Heading\n\n* one #panic()\n* two\n\n1. first\n\n^inset\n\nDear \\[you\\] #sys.inputs"
    pdf = printed(subject="To #Amala", body=body)
    text = pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_range()

    assert inspect(pdf, international=False) == Finding(page_count=1, address=tuple(ADDRESS))
    assert [
        words in text for words in ("To #Amala", "one #panic()", "Dear [you] #sys.inputs", "23 November 2025")
    ] == [True] * 4


def test_the_same_letter_gives_the_same_bytes() -> None:
    assert printed() == printed()


RECORDED_AT = 1_795_424_003.348924  # 2026-11-23T08:53:23.348924Z, a Monday


@pytest.mark.parametrize(
    ("postage", "at", "expected"),
    [
        ("first", RECORDED_AT, "2026-11-25T16:00:23.348924Z"),
        ("second", RECORDED_AT, "2026-12-01T16:00:23.348924Z"),
        ("europe", RECORDED_AT, "2026-12-02T16:00:23.348924Z"),
        ("first", RECORDED_AT + 10 * 3600, "2026-11-26T16:00:23.348924Z"),
        ("first", RECORDED_AT + 4 * 86_400, "2026-12-01T16:00:23.348924Z"),
    ],
)
def test_when_a_letter_is_expected(postage: str, at: float, expected: str) -> None:
    sent = Notification(
        id="",
        position=1,
        service_id="",
        key_id="",
        key_type=KeyType.LIVE,
        channel=Channel.LETTER,
        template_id="",
        template_version=1,
        to="",
        created_at=at,
        steps=[],
        postage=postage,
    )

    assert estimated_delivery(sent) == expected
