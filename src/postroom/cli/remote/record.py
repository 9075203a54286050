"""What became of a file's rows, kept beside it: an interrupted sending goes on, and sends nothing twice.

A line is written before a batch leaves and another when its answer is there. It holds digests of rows, ids of
notifications and what was wrong, never what the rows say.
"""

import fcntl
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from postroom.cli.failure import CannotGoOn


@dataclass(frozen=True, slots=True)
class Begun:
    """A batch that left and was not answered: the service may have it."""

    key: str
    marks: tuple[str, ...]
    at: datetime


@dataclass(slots=True)
class Record:
    """`accepted` has the notification's id by the row's mark."""

    path: Path | None
    accepted: dict[str, str] = field(default_factory=dict)
    begun: dict[str, Begun] = field(default_factory=dict)
    _file: TextIO | None = None

    def open(self) -> None:
        """Read what is known, and keep others out. Without a path nothing is kept."""
        if self.path is None:
            return
        try:
            self._file = self.path.open("a+", encoding="utf-8")
        except OSError:
            raise CannotGoOn(
                f"{self.path} cannot be written: name another by --state, or give --no-state"
            ) from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.close()
            raise CannotGoOn("another `postroom send` is at work on this file") from None
        self._file.seek(0)
        for line in self._file:
            # The last line may have been cut short.
            with suppress(ValueError, KeyError, TypeError):
                self._take(json.loads(line))
        if self.path.stat().st_size and not self._ends_with_line():
            self._file.write("\n")

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def begin(self, key: str, marks: Sequence[str], *, now: datetime) -> None:
        """Before the batch leaves."""
        self._write({"begun": key, "marks": list(marks), "at": now.isoformat()})

    def end(self, key: str, accepted: Mapping[str, str]) -> None:
        """When it is known of every row of the batch whether it was accepted."""
        self._write({"ended": key, "accepted": dict(accepted)})

    def _write(self, said: dict[str, Any]) -> None:
        self._take(said)
        if self._file is not None:
            self._file.write(json.dumps(said) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())

    def _take(self, said: dict[str, Any]) -> None:
        if "begun" in said:
            key = str(said["begun"])
            self.begun[key] = Begun(key, tuple(said["marks"]), datetime.fromisoformat(said["at"]))
        else:
            self.begun.pop(said["ended"], None)
            self.accepted.update(said["accepted"])

    def _ends_with_line(self) -> bool:
        assert self.path is not None
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read() == b"\n"
