"""A letter that was handed over as PDF, looked at as GOV.UK Notify's validator does."""

from collections.abc import Iterator
from typing import NamedTuple

import pypdfium2  # type: ignore[import-untyped]

from notify_rules.errors import InvalidPostalAddress
from notify_rules.limits import LETTER_PAGES
from notify_rules.postal_address import check_postal_address

MM = 72 / 25.4
FORGIVEN = 1.0
"""Millimetres by which a mark may overstep."""
_PAGE = (210.0, 297.0)
_PAGE_TOLERANCE = 2.0
# The string that every virus scanner answers to, in two halves so that this file is not taken for it.
_HARMLESS_VIRUS = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR" + rb"-STANDARD-ANTIVIRUS-TEST-FILE!"


class Box(NamedTuple):
    """In millimetres from the top left."""

    left: float
    top: float
    right: float
    bottom: float


READ_AS_ADDRESS = Box(21.6, 36.5, 123.0, 69.3)
_MARGINS = (
    Box(0, 0, 15, 297),
    Box(195, 0, 210, 297),
    Box(0, 0, 210, 5),
    Box(0, 292, 210, 297),
)
# Page 1 above the body: what is neither logo, address window nor the service's own column.
_KEPT_BLANK = (
    Box(15, 30, 125, 39.5),
    Box(15, 39.5, 24.6, 66.3),
    Box(120, 39.5, 125, 66.3),
    Box(15, 66.3, 125, 95),
)


class Finding(NamedTuple):
    """What came of looking at a letter. Without a `fault` it can be sent."""

    fault: str | None = None
    message: str | None = None
    page_count: int = 0
    address: tuple[str, ...] = ()


def inspect(pdf: bytes, *, international: bool) -> Finding:
    if _HARMLESS_VIRUS in pdf:
        return Finding("virus-scan-failed", "virus found")
    try:
        document = pypdfium2.PdfDocument(pdf)
    except pypdfium2.PdfiumError:
        return _invalid("unable-to-read-the-file")
    try:
        return _look_at(document, international=international)
    finally:
        document.close()


def page_count(pdf: bytes) -> int:
    document = pypdfium2.PdfDocument(pdf)
    try:
        return len(document)
    finally:
        document.close()


def _look_at(document: pypdfium2.PdfDocument, *, international: bool) -> Finding:
    pages = len(document)
    if pages == 0:
        return _invalid("unable-to-read-the-file")
    if pages > LETTER_PAGES:
        return _invalid("letter-too-long", pages)
    for number in range(pages):
        if fault := _page_fault(document[number], first=number == 0):
            return _invalid(fault, pages)
    lines = _address(document[0])
    if not lines:
        return _invalid("address-is-empty", pages)
    try:
        address = check_postal_address(lines, international=international)
    except InvalidPostalAddress as error:
        return _invalid(_ADDRESS_FAULTS.get(error.message, "not-a-real-address"), pages)
    return Finding(page_count=pages, address=address.lines)


_ADDRESS_FAULTS = {
    "Address must be at least 3 lines": "not-enough-address-lines",
    "Address must be no more than 7 lines": "too-many-address-lines",
    "Must be a real UK postcode": "not-a-real-uk-postcode",
    "Last line of address must be a real UK postcode or another country": "cant-send-international-letters",
    "The last line of a BFPO address must not be a country.": "has-country-for-bfpo-address",
    "Must be a real address": "no-fixed-abode-address",
}


def _invalid(message: str, pages: int = 0) -> Finding:
    return Finding("validation-failed", message, pages)


def _page_fault(page: pypdfium2.PdfPage, *, first: bool) -> str | None:
    width, height = page.get_size()
    if any(
        abs(size / MM - wanted) > _PAGE_TOLERANCE for size, wanted in zip((width, height), _PAGE, strict=True)
    ):
        return "letter-not-a4-portrait-oriented"
    if _has_ink(page, [*_MARGINS, *(_KEPT_BLANK if first else ())]):
        return "content-outside-printable-area"
    if not first and "NOTIFY" in page.get_textpage().get_text_range().split():
        return "notify-tag-found-in-content"
    return None


def _has_ink(page: pypdfium2.PdfPage, boxes: list[Box]) -> bool:
    """Whether anything but white is drawn there, at a point a pixel."""
    bitmap = page.render(scale=1, grayscale=True, may_draw_forms=False)
    data, stride = bytes(bitmap.buffer), bitmap.stride
    return any(
        data[row * stride + left : row * stride + right].strip(b"\xff")
        for left, top, right, bottom in map(_in_pixels, boxes)
        for row in range(max(top, 0), min(bottom, bitmap.height))
    )


def _in_pixels(box: Box) -> tuple[int, int, int, int]:
    """Drawn in by what is forgiven, except where it ends with the page."""
    left = 0 if box.left == 0 else box.left + FORGIVEN
    top = 0 if box.top == 0 else box.top + FORGIVEN
    right = box.right if box.right == _PAGE[0] else box.right - FORGIVEN
    bottom = box.bottom if box.bottom == _PAGE[1] else box.bottom - FORGIVEN
    return round(left * MM), round(top * MM), round(right * MM), round(bottom * MM)


def _address(page: pypdfium2.PdfPage) -> list[str]:
    """The lines in the address window; a word that reaches into it counts whole."""
    height = page.get_height()
    box = READ_AS_ADDRESS
    text = page.get_textpage().get_text_bounded(
        left=box.left * MM, right=box.right * MM, top=height - box.top * MM, bottom=height - box.bottom * MM
    )
    return list(_lines(text))


def _lines(text: str) -> Iterator[str]:
    for line in text.replace("\r", "\n").split("\n"):
        if line.strip():
            yield line.strip()
