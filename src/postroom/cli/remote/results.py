"""What became of a file's rows, as a CSV for people and programs."""

import csv
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from postroom.cli.remote.batches import Outcome, Told
from postroom.cli.remote.rows import Sheet

HEADER = ("line", "result", "notificationId", "column", "problem")


def write_results(path: Path, sheet: Sheet, outcome: Outcome) -> None:
    """A line for each row, and for each fault of a row. It is written at once, or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for row in sheet.rows:
            told = outcome.told.get(row.mark)
            writer.writerows([(row.line, "not sent", "", "", "")] if told is None else _lines(told))
    Path(name).replace(path)


def _lines(told: Told) -> Iterator[tuple[object, ...]]:
    if told.notification_id is not None:
        yield told.row.line, "accepted", told.notification_id, "", ""
    for fault in told.faults:
        yield told.row.line, "refused", "", fault.column or "", fault.message
