"""The page of user needs names all 31, and tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "user-needs.md").read_text()
_TEST = re.compile(r"`([\w/]+\.py)::(\w+)`")


def test_every_need_has_a_line() -> None:
    assert re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE) == [str(number) for number in range(1, 32)]


def test_every_test_that_is_named_exists() -> None:
    named = _TEST.findall(PAGE)
    missing = [
        f"{file}::{test}"
        for file, test in named
        if not re.search(rf"^(async )?def {test}\(", (ROOT / "tests" / file).read_text(), re.MULTILINE)
    ]

    assert len(named) >= 15
    assert missing == []
