"""The fire test itself: a very short run finds nothing wrong, and leaves nothing behind, even on Ctrl-C."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

TOP = Path(__file__).parents[2]
SEED = 13
"""Within nine seconds its plan kills and pauses Postroom, and kills the sandbox."""


@pytest.fixture
def place() -> Iterator[Path]:
    """Where a run keeps what it needs while it lasts; PostgreSQL's own account must come through."""
    place = Path(tempfile.mkdtemp(prefix="postroom-tests-"))
    place.chmod(0o711)
    yield place
    shutil.rmtree(place)


def start(place: Path, results: Path, *arguments: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "chaos", "--results", results, *arguments]
    return subprocess.Popen(
        [str(part) for part in command],
        cwd=TOP,
        env={**os.environ, "TMPDIR": str(place)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def left_behind(place: Path) -> list[str]:
    """Processes that still know the place of a run."""
    found = []
    for process in psutil.process_iter():
        try:
            told = [*process.cmdline(), *process.environ().values()]
        except psutil.Error:
            continue
        if any(str(place) in word for word in told):
            found.append(" ".join(process.cmdline()))
    return found


@pytest.mark.sqlite
def test_a_short_run_loses_nothing_and_sends_nothing_twice(place: Path, tmp_path: Path) -> None:
    arguments = ("--seed", SEED, "--minutes", 0.15, "--per-second", 12, "--database", "sqlite")
    running = start(place, tmp_path, *arguments)
    output, _ = running.communicate(timeout=150)

    assert running.returncode == 0, output
    (plan, result) = sorted(tmp_path.iterdir(), key=lambda path: "plan" not in path.name)
    said: dict[str, Any] = json.loads(result.read_text())["figures"]
    assert json.loads(plan.read_text())["seed"] == SEED
    assert said["posted"] == 108
    assert said["taken by the provider"] > 60
    assert set(said["wrong"].values()) == {0}
    assert {"kill -9 serve", "pause serve", "kill -9 sandbox"} <= set(said["deeds"])
    assert output.splitlines()[-1].endswith("lost 0, sent twice 0: passed")
    assert (left_behind(place), list(place.iterdir())) == ([], [])


@pytest.mark.parametrize(
    "database",
    [
        pytest.param("sqlite", marks=pytest.mark.sqlite),
        pytest.param("postgres", marks=pytest.mark.postgres),
    ],
)
def test_ctrl_c_leaves_nothing_behind(
    place: Path,
    tmp_path: Path,
    database: str,
    request: pytest.FixtureRequest,
    wait_until: Callable[..., None],
) -> None:
    if database == "postgres":
        request.getfixturevalue("postgres_server")  # says where there is none to be started
    running = start(place, tmp_path, "--minutes", 5, "--database", database)
    assert running.stdout is not None
    for line in running.stdout:
        if "the plan begins" in line:
            break
    assert left_behind(place) != []

    running.send_signal(signal.SIGINT)
    output, _ = running.communicate(timeout=60)

    assert running.returncode == 130, output
    wait_until(lambda: left_behind(place) == [], seconds=10)
    assert list(place.iterdir()) == []
