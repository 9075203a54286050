"""The project as its rules see it: the files that are under version control, as they stand on the disk."""

import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
PACKAGES = ("src/", "rules/src/", "sandbox/src/", "client/src/")


@pytest.fixture(scope="session")
def top() -> Path:
    return TOP


@pytest.fixture(scope="session")
def tracked() -> list[Path]:
    """Every file of the project, relative to its top."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=TOP, capture_output=True, text=True, check=True)
    return [Path(name) for name in listed.stdout.split("\0") if name and (TOP / name).is_file()]


@pytest.fixture(scope="session")
def modules(tracked: list[Path]) -> dict[str, str]:
    """The Python files that ship, by path, with their text."""
    shipped = [path for path in tracked if path.suffix == ".py" and str(path).startswith(PACKAGES)]
    return {str(path): (TOP / path).read_text() for path in shipped}
