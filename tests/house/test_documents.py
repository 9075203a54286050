"""The documents that the code leans on say what they must."""

import re
import subprocess
from pathlib import Path

import pytest

DECISION_PARTS = ("Context", "Decision", "Consequences")
GLOSSARY_WORDS = (
    "service",
    "notification",
    "target",
    "channel",
    "delivery",
    "attempt",
    "provider",
    "outcome",
    "receipt",
    "status",
    "template",
    "personalisation",
    "placeholder",
    "recipient",
    "audience",
    "preference",
    "inbox",
    "unread",
    "badge",
    "action",
    "audit entry",
    "event",
    "workflow",
    "reminder",
    "monitor",
    "webhook",
    "document",
    "retention",
    "erasure",
    "sandbox",
)


def missing_parts(decision: str) -> list[str]:
    """A part begins its line, as a heading or in bold or plain."""
    return [part for part in DECISION_PARTS if not re.search(rf"(?im)^[#*_ ]*{part}\b", decision)]


def missing_words(glossary: str) -> list[str]:
    """A word that is explained stands in bold, or begins a heading, a row or an item."""
    return [
        word
        for word in GLOSSARY_WORDS
        if not re.search(rf"(?im)(\*\*[^*\n]*\b{word}s?\b[^*\n]*\*\*|^[#|* -]+{word}s?\b)", glossary)
    ]


def test_every_decision_has_its_three_parts(top: Path, tracked: list[Path]) -> None:
    decisions = [
        path for path in tracked if path.parent == Path("docs/decisions") and path.name != "README.md"
    ]
    offences = {str(path): missing_parts((top / path).read_text()) for path in decisions}

    assert {path: parts for path, parts in offences.items() if parts} == {}


def test_the_glossary_explains_every_word(top: Path, tracked: list[Path]) -> None:
    glossaries = [path for path in tracked if path == Path("docs/glossary.md")]
    offences = {str(path): missing_words((top / path).read_text()) for path in glossaries}

    assert {path: words for path, words in offences.items() if words} == {}


def test_every_guide_has_its_place_in_the_list_of_them(top: Path, tracked: list[Path]) -> None:
    guides = {path.name for path in tracked if path.parent == Path("docs/guides")}
    named = set(re.findall(r"\(guides/([a-z-]+\.md)", (top / "docs/README.md").read_text()))

    assert guides - named == set(), "name it in docs/README.md"


def test_every_package_comes_with_the_licence_that_it_names(top: Path, tracked: list[Path]) -> None:
    packages = [path for path in tracked if path.name in ("pyproject.toml", "package.json")]
    licence = (top / "LICENSE").read_text()

    assert len(packages) == 5
    for path in packages:
        assert (top / path.parent / "LICENSE").read_text() == licence, path
        assert re.search(r'^ *"?license"?(?: =|:) "MIT"', (top / path).read_text(), re.MULTILINE), path


def test_the_targets_that_documents_name_exist(top: Path, tracked: list[Path]) -> None:
    texts = [(top / path).read_text() for path in tracked if path.suffix == ".md"]
    named = {target for text in texts for target in re.findall(r"`make ([a-z-]+)", text)}

    assert named - _targets(top) == set()


def test_the_help_explains_every_public_target(top: Path) -> None:
    explained = subprocess.run(["make", "-s"], cwd=top, capture_output=True, text=True, check=True).stdout

    assert {line.split()[1] for line in explained.splitlines()} == _targets(top) - {"dev"}


def _targets(top: Path) -> set[str]:
    return set(re.findall(r"(?m)^([a-z-]+):", (top / "Makefile").read_text()))


@pytest.mark.parametrize(
    ("decision", "missing"),
    [
        ("# One\n\n## Context\nx\n## Decision\ny\n## Consequences\nz\n", []),
        ("# One\n**Context.** x\n**Decision.** y\n**Consequences.** z\n", []),
        ("# One\n## Context\nx\n## Decision\nthe consequences are none\n", ["Consequences"]),
        ("", ["Context", "Decision", "Consequences"]),
    ],
)
def test_sees_a_missing_part(decision: str, missing: list[str]) -> None:
    assert missing_parts(decision) == missing


def test_sees_a_missing_word() -> None:
    everything = "\n".join(f"- **{word}** explained" for word in GLOSSARY_WORDS)

    assert missing_words(everything) == []
    assert missing_words(everything.replace("- **inbox** explained", "The inbox comes later")) == ["inbox"]
