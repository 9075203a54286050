"""A letter made from a template, as PDF."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import typst

from notify_sandbox import markdown

_HERE = Path(str(files("notify_sandbox.letters")))


class Printer:
    """Belongs to the thread that made it."""

    def __init__(self) -> None:
        fonts = typst.Fonts(include_system_fonts=False, font_paths=[str(_HERE / "fonts")])
        self._compiler = typst.Compiler(input=str(_HERE / "letter.typ"), root=str(_HERE), font_paths=fonts)

    def pdf(
        self, *, address: Sequence[str], contact: str | None, subject: str, body: str, at: float
    ) -> bytes:
        """The same letter gives the same bytes."""
        when = datetime.fromtimestamp(at, UTC)
        letter = {
            "address": list(address),
            "contact": (contact or "").splitlines(),
            "date": f"{when.day} {when:%B %Y}",
            "subject": markdown.plain(subject),
            "blocks": _blocks(body),
        }
        made = self._compiler.compile(
            format="pdf", sys_inputs={"letter": json.dumps(letter)}, timestamp=int(at)
        )
        assert isinstance(made, bytes)
        return made


def _blocks(body: str) -> list[dict[str, Any]]:
    return [
        {"kind": block.kind, "lines": [markdown.plain(line) for line in block.lines]}
        for block in markdown.blocks(body)
    ]
