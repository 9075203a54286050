"""The lock files hold what the four packages ask for, by name, version and hash alone."""

import re
import tomllib
from pathlib import Path

import pytest

OURS = {"notify-rules", "notify-sandbox"}
PIN = re.compile(r"[a-z0-9-]+==[^\s;]+(?: ; [^\\]+)?")
LINE = re.compile(rf"(?:{PIN.pattern}|    --hash=sha256:[0-9a-f]{{64}})(?: \\)?")


def pins(lock: str) -> set[str]:
    return set(re.findall(r"(?m)^[a-z0-9-]+==[^\s;\\]+", lock))


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^A-Za-z0-9-]", requirement)[0].lower() for requirement in requirements}


@pytest.fixture
def locks(top: Path) -> dict[str, str]:
    return {name: (top / name).read_text() for name in ("requirements.lock", "requirements-dev.lock")}


def test_hold_nothing_but_names_versions_and_hashes(locks: dict[str, str]) -> None:
    odd = [line for lock in locks.values() for line in lock.splitlines() if not LINE.fullmatch(line)]

    assert odd == []


def test_agree_with_each_other(locks: dict[str, str]) -> None:
    assert pins(locks["requirements.lock"]) - pins(locks["requirements-dev.lock"]) == set()


def test_hold_every_dependency(top: Path, locks: dict[str, str]) -> None:
    folders = (".", "rules", "sandbox", "client")
    projects = [tomllib.loads((top / folder / "pyproject.toml").read_text()) for folder in folders]
    runtime = names([wanted for project in projects for wanted in project["project"]["dependencies"]]) - OURS
    tools = names(projects[0]["dependency-groups"]["dev"])

    assert runtime - _locked(locks["requirements.lock"]) == set()
    assert tools - _locked(locks["requirements-dev.lock"]) == set()


def _locked(lock: str) -> set[str]:
    return {pin.partition("==")[0] for pin in pins(lock)}


def test_npms_holds_no_address_either(top: Path) -> None:
    assert re.findall(r"https?:|resolved", (top / "client-ts" / "package-lock.json").read_text()) == []


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://example.com",
        "x @ https://example.com/x.whl",
        "# via y",
        "x",
        "x>=1",
        "    --hash=md5:00",
    ],
)
def test_see_a_line_that_does_not_belong(line: str) -> None:
    assert LINE.fullmatch(line) is None
