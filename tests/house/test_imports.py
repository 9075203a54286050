"""Who may import what, where a module's place decides; the arrows between floors are in `.importlinter`."""

import ast
import subprocess
import sys
from collections.abc import Iterator

import pytest

# What would make the domain wait, look at the clock or reach out of the process.
IMPURE = {
    "aiohttp",
    "alembic",
    "asyncio",
    "asyncpg",
    "http",
    "litestar",
    "logging",
    "os",
    "pathlib",
    "pgqueuer",
    "random",
    "socket",
    "sqlalchemy",
    "sqlite3",
    "structlog",
    "subprocess",
    "tempfile",
    "threading",
    "time",
    "urllib",
    "uvicorn",
}
DOMAIN = "src/postroom/domain/"


def imported(text: str) -> Iterator[str]:
    """Dotted names; `from a.b import c` may mean the module a.b.c, and is given as that too."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def foreign_stores(path: str, text: str) -> set[str]:
    """The stores of other features that this module imports. Retention may: it clears them all."""
    owner = _feature(path)
    if owner == "retention":
        return set()
    return {
        name
        for name in imported(text)
        if name.startswith("postroom.features.")
        and name.split(".")[3:4] == ["store"]
        and name.split(".")[2] != owner
    }


def _feature(path: str) -> str | None:
    parts = path.split("/")
    return parts[3].removesuffix(".py") if parts[:3] == ["src", "postroom", "features"] else None


def impure(text: str) -> set[str]:
    return {name for name in imported(text) if name.split(".")[0] in IMPURE}


def test_only_a_feature_imports_its_own_store(modules: dict[str, str]) -> None:
    offences = {path: foreign_stores(path, text) for path, text in modules.items()}

    assert {path: names for path, names in offences.items() if names} == {}


def test_the_domain_is_pure(modules: dict[str, str]) -> None:
    offences = {path: impure(text) for path, text in modules.items() if path.startswith(DOMAIN)}

    assert {path: names for path, names in offences.items() if names} == {}


@pytest.mark.parametrize(
    "line",
    [
        "import postroom.features.inbox.store",
        "from postroom.features.inbox import store",
        "from postroom.features.inbox.store import unread",
        "def late():\n    from postroom.features.inbox import store",
    ],
)
@pytest.mark.parametrize(
    "path", ["src/postroom/interfaces/api/inbox.py", "src/postroom/features/notifications/send.py"]
)
def test_sees_a_foreign_store(path: str, line: str) -> None:
    assert "postroom.features.inbox.store" in foreign_stores(path, line)


@pytest.mark.parametrize(
    "path", ["src/postroom/features/inbox/show.py", "src/postroom/features/retention/expire.py"]
)
def test_lets_the_owner_and_retention_be(path: str) -> None:
    assert foreign_stores(path, "from postroom.features.inbox import store") == set()


@pytest.mark.parametrize(
    "line", ["import time", "from os import path", "import asyncio", "from sqlalchemy import Table"]
)
def test_sees_an_impure_import(line: str) -> None:
    assert impure(line) != set()


@pytest.mark.parametrize("line", ["import msgspec", "from datetime import timedelta", "from . import time"])
def test_lets_a_pure_import_be(line: str) -> None:
    assert impure(line) == set()


@pytest.mark.parametrize(
    ("door", "not_needed"),
    [
        (
            "from postroom.run import run_worker_alone",
            ("litestar", "jinja2", "uvicorn", "sqlalchemy.orm", "rich"),
        ),
        ("from postroom.run import run_serve", ("pgqueuer", "pydantic", "sqlalchemy.orm", "rich")),
    ],
    ids=["a worker", "an embedded Postroom"],
)
def test_a_process_carries_nothing_that_only_another_needs(door: str, not_needed: tuple[str, ...]) -> None:
    """Each of them would be three to ten megabytes of every such process."""
    asked = f"import sys; {door}; print([name for name in {not_needed!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
