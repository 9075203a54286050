"""What no file says: a forgotten `print`, the folders of one machine, the address of a registry."""

import ast
import re
from pathlib import Path

import pytest

# Put together from parts, so that this file does not break its own rule.
REGISTRIES = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("deb", "debian", "org"),
        ("ghcr", "io"),
        ("docker", "io"),
        ("proxy", "golang", "org"),
    )
]
MACHINE_FOLDERS = ["work", "root", "opt/wheels", "opt/pypi", r"home/[a-z]\w*", r"Users/\w+"]
REGISTRY = re.compile("|".join(map(re.escape, REGISTRIES)))
MACHINE_PATH = re.compile(rf"(?<![\w./:>-])/(?:{'|'.join(MACHINE_FOLDERS)})/")


def prints(text: str) -> list[int]:
    return [
        node.lineno
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]


def told_on(text: str) -> list[str]:
    """The lines that name a machine's folder or a registry's host."""
    return [line for line in text.splitlines() if MACHINE_PATH.search(line) or REGISTRY.search(line)]


def readable(path: Path) -> str:
    try:
        return path.read_text()
    except UnicodeDecodeError:
        return ""


def test_only_the_command_line_prints(modules: dict[str, str]) -> None:
    offences = {
        path: prints(text)
        for path, text in modules.items()
        if not {"cli", "cli.py", "__main__.py"} & set(Path(path).parts)
    }

    assert {path: lines for path, lines in offences.items() if lines} == {}


def test_no_file_names_a_machine_or_a_registry(top: Path, tracked: list[Path]) -> None:
    offences = {str(path): told_on(readable(top / path)) for path in tracked}

    assert {path: lines for path, lines in offences.items() if lines} == {}


@pytest.mark.parametrize("text", ["print('x')", "def a():\n    print()"])
def test_sees_a_print(text: str) -> None:
    assert prints(text) == [text.count("\n") + 1]


@pytest.mark.parametrize("text", ["console.print('x')", "# print('x')", "'print(1)'", "pprint(1)"])
def test_lets_other_prints_be(text: str) -> None:
    assert prints(text) == []


@pytest.mark.parametrize("folder", ["work", "root", "home/amala", "Users/Joe", "opt/wheels"])
def test_sees_a_folder_of_a_machine(folder: str) -> None:
    assert told_on(f"see /{folder}/main for more") == [f"see /{folder}/main for more"]


@pytest.mark.parametrize("host", REGISTRIES)
def test_sees_a_registry(host: str) -> None:
    assert told_on(f"--index-url https://{host}/simple") != []


@pytest.mark.parametrize(
    "line", ["/usr/lib/postgresql", "https://example.gov.uk/work/1", "src/work/x", "GET /work"]
)
def test_lets_other_paths_be(line: str) -> None:
    assert told_on(line) == []
