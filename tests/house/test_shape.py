"""Small files of short functions, each named after what it holds."""

import ast
from pathlib import Path
from statistics import median

import pytest

VAGUE_NAMES = {"utils", "helpers", "common", "service", "manager"}
LINES_OF_A_MODULE = 400
LINES_OF_A_FUNCTION = 50
MEDIAN_LINES_OF_A_FUNCTION = 10


def vague(path: Path) -> bool:
    return path.stem in VAGUE_NAMES


def too_long(text: str) -> bool:
    return len(text.splitlines()) > LINES_OF_A_MODULE


def function_lengths(text: str) -> dict[str, int]:
    """Lines from `def` to the end of the body, by name and place. A nested function counts for itself too."""
    return {
        f"{node.name}:{node.lineno}": (node.end_lineno or node.lineno) - node.lineno + 1
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_no_file_has_a_name_that_says_nothing(tracked: list[Path]) -> None:
    assert [str(path) for path in tracked if vague(path)] == []


def test_modules_are_short(modules: dict[str, str]) -> None:
    assert [path for path, text in modules.items() if too_long(text)] == []


def test_functions_are_short(modules: dict[str, str]) -> None:
    long = [
        f"{path}:{name}"
        for path, text in modules.items()
        for name, lines in function_lengths(text).items()
        if lines > LINES_OF_A_FUNCTION
    ]

    assert long == []


@pytest.mark.parametrize(
    "package",
    [
        "src/postroom/",
        "rules/src/notify_rules/",
        "sandbox/src/notify_sandbox/",
        "client/src/postroom_client/",
    ],
)
def test_most_functions_are_very_short(package: str, modules: dict[str, str]) -> None:
    lengths = [
        lines
        for path, text in modules.items()
        if path.startswith(package)
        for lines in function_lengths(text).values()
    ]

    assert median(lengths) < MEDIAN_LINES_OF_A_FUNCTION


@pytest.mark.parametrize(
    "name", ["utils.py", "src/postroom/helpers.py", "common.sh", "x/service.py", "manager.ts"]
)
def test_sees_a_vague_name(name: str) -> None:
    assert vague(Path(name)) is True


@pytest.mark.parametrize("name", ["features/services/store.py", "utilisation.py", "docs/glossary.md"])
def test_lets_a_telling_name_be(name: str) -> None:
    assert vague(Path(name)) is False


def test_counts_lines() -> None:
    assert too_long("x = 1\n" * 400) is False
    assert too_long("x = 1\n" * 401) is True


def test_measures_functions_wherever_they_are() -> None:
    text = (
        "@decorated\n"
        "def one(): return 1\n"
        "class A:\n"
        "    async def two(self):\n"
        "        def three(): ...\n"
        "        return three\n"
    )

    assert function_lengths(text) == {"one:2": 1, "two:4": 3, "three:5": 1}
