"""A CSV as notifications: which column is which field, and every row that cannot be read, by its line."""

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

MOST_ROWS = 100_000
LEFT_OUT = "-"
VALUE = "value:"

_FIELDS = {
    "email": "email",
    "emailaddress": "email",
    "mobilenumber": "mobileNumber",
    "mobile": "mobileNumber",
    "phonenumber": "mobileNumber",
    "notificationtype": "notificationType",
    "templateid": "templateId",
    "targetid": "targetId",
    "targettype": "targetType",
    "user": "user",
    "message": "message",
    "reference": "reference",
    "requireaction": "requireAction",
    **{f"addressline{number}": f"{VALUE}addressLine{number}" for number in range(1, 8)},
}
"""What a column is taken for, by its name without blanks, marks and capitals. Any other is a value."""

_TARGETS = frozenset(_FIELDS.values())
_KINDS = (
    ("email", "Email"),
    ("mobileNumber", "Text"),
    (f"{VALUE}addressLine1", "Letter"),
    ("message", "Screen"),
)


class Fault(NamedTuple):
    """What is wrong in a line of the file. No column where it is the line as a whole."""

    line: int
    column: str | None
    message: str


class BadSheet(Exception):
    """The file cannot be read as it is."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(f"{len(faults)} fault(s)")
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Row:
    """One notification. `mark` is the same for the same row of the same file, however often it is read."""

    line: int
    body: Mapping[str, Any] = field(repr=False)
    mark: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows, and the column that each field came from, by the field's name in an answer."""

    rows: tuple[Row, ...]
    columns: Mapping[str, str]

    def column_of(self, named: str) -> str | None:
        return self.columns.get(named) or self.columns.get(_squeezed(named))


def read_sheet(content: bytes, *, given: Mapping[str, Any], chosen: Mapping[str, str]) -> Sheet:
    """The file's rows over the fields that are `given` for all; BadSheet with every line at fault.

    `chosen` says what a column is, by its name: a field, `value:name`, or `-` to leave it out.
    """
    reader = csv.reader(io.StringIO(_text(content), newline=""), delimiter=_delimiter(content), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        targets = _targets(header, chosen)
        sheet_given = _with_kind(given, set(targets.values()))
        rows = list(_rows(reader, header, targets, sheet_given))
    except csv.Error:
        raise BadSheet([Fault(reader.line_num, None, "This is not CSV: look at its quotes.")]) from None
    if len(rows) > MOST_ROWS:
        raise BadSheet([Fault(MOST_ROWS, None, f"Send up to {MOST_ROWS:,} rows at once: split the file.")])
    return Sheet(tuple(_marked(rows)), _columns(targets))


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise BadSheet([Fault(line, None, "This is not UTF-8: save the file as “CSV UTF-8”.")]) from None


def _delimiter(content: bytes) -> str:
    first = content.split(b"\n", 1)[0]
    return max(",;\t", key=lambda mark: first.count(mark.encode()))


def _targets(header: Sequence[str], chosen: Mapping[str, str]) -> dict[str, str]:
    """What each column is; BadSheet where two are the same, or one has no name."""
    faults = [Fault(1, None, f"There is no column {name!r}.") for name in chosen if name not in header]
    faults += [
        Fault(1, name, f"A column is a field, {VALUE}NAME, or {LEFT_OUT} to leave it out.")
        for name, target in chosen.items()
        if target not in _TARGETS and target != LEFT_OUT and not target.startswith(VALUE)
    ]
    if not any(header):
        faults.append(Fault(1, None, "The first line must name the columns."))
    targets = {
        name: chosen.get(name) or _FIELDS.get(_squeezed(name), VALUE + name) for name in header if name
    }
    every = Counter(name for name in header if name)
    faults += [Fault(1, name, "Two columns have this name.") for name, number in every.items() if number > 1]
    used = Counter(target for target in targets.values() if target != LEFT_OUT)
    faults += [
        Fault(1, name, "Another column is taken for the same field.")
        for name, target in targets.items()
        if used[target] > 1
    ]
    if faults:
        raise BadSheet(faults)
    return {name: target for name, target in targets.items() if target != LEFT_OUT}


def _with_kind(given: Mapping[str, Any], targets: set[str]) -> Mapping[str, Any]:
    """With the channel, where only one can be meant."""
    if "notificationType" in given or "notificationType" in targets:
        return given
    kinds = [kind for target, kind in _KINDS if target in targets or target in given]
    if len(kinds) == 1:
        return {**given, "notificationType": kinds[0]}
    columns = ", ".join(target.removeprefix(VALUE) for target, _ in _KINDS)
    words = f"Say by --type what to send: the columns {columns} tell it only where one of them is there."
    raise BadSheet([Fault(1, None, words)])


def _rows(
    reader: Any, header: Sequence[str], targets: Mapping[str, str], given: Mapping[str, Any]
) -> Iterator[tuple[int, dict[str, Any]]]:
    faults = []
    begins = reader.line_num + 1
    for cells in reader:
        line, begins = begins, reader.line_num + 1
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :]):
            faults.append(Fault(line, None, "There are more cells than columns: quote what holds commas."))
            continue
        yield line, _body(dict(zip(header, cells, strict=False)), targets, given)
    if faults:
        raise BadSheet(faults)


def _body(cells: Mapping[str, str], targets: Mapping[str, str], given: Mapping[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = dict(given)
    values: dict[str, str] = dict(given.get("personalisationParams", {}))
    for name, target in targets.items():
        cell = cells.get(name, "").strip()
        if target.startswith(VALUE):
            values[target.removeprefix(VALUE)] = cell
        elif cell:
            body[target] = cell
    if values:
        body["personalisationParams"] = values
    return body


def _marked(rows: Sequence[tuple[int, dict[str, Any]]]) -> Iterator[Row]:
    """Rows that say the same are told apart by which of them comes first."""
    seen: Counter[str] = Counter()
    for line, body in rows:
        said = json.dumps(body, sort_keys=True, ensure_ascii=False).encode()
        digest = hashlib.sha256(said).hexdigest()[:32]
        seen[digest] += 1
        yield Row(line, body, f"{digest}-{seen[digest]}")


def _columns(targets: Mapping[str, str]) -> dict[str, str]:
    columns = {}
    for name, target in targets.items():
        is_value = target.startswith(VALUE)
        named = f"personalisationParams.{target.removeprefix(VALUE)}" if is_value else target
        columns[named] = columns[_squeezed(named)] = name
    return columns


def _squeezed(name: str) -> str:
    """As placeholders are matched: without blanks, underscores, hyphens and capitals."""
    return "".join(character for character in name.lower() if character not in " _-")
