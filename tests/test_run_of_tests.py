"""The ground that the other tests stand on: a database each, a server that ends, skips that are seen."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

HERE = Path(__file__).parent
KEEPER = HERE.parent / "tools" / "keep_postgres.py"
SKIPPING = "import pytest\n\ndef test_browser():\n    pytest.skip('no browser')\n\ndef test_one(): assert 1\n"


@pytest.mark.parametrize("turn", ["first", "second"])
async def test_each_test_has_an_empty_database(postgres_url: str, turn: str) -> None:
    connection = await asyncpg.connect(postgres_url)

    tables = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
    await connection.execute("CREATE TABLE letters (id int)")
    await connection.close()

    assert tables == 0


def test_a_file_for_sqlite_is_not_there_yet(sqlite_url: str) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))

    assert (path.is_absolute(), path.parent.is_dir(), path.exists()) == (True, True, False)


def test_a_test_on_both_databases_gets_an_address(database_url: str) -> None:
    assert database_url.split(":")[0] in {"sqlite", "postgresql"}


def test_the_server_ends_with_the_process_that_it_is_for(tmp_path: Path, postgres_server: str) -> None:
    ready, log = tmp_path / "ready", tmp_path / "log"
    with subprocess.Popen(["sleep", "60"]) as watched:
        keeper = subprocess.Popen([sys.executable, KEEPER, str(watched.pid), ready, log])
        _wait_until(ready.exists)
        url, _ = ready.read_text().split()
        watched.kill()

    assert (keeper.wait(timeout=20), ready.exists(), url != postgres_server) == (0, False, True)
    assert _is_listening(url) is False


@pytest.mark.parametrize(("ci", "code"), [("true", 1), ("false", 0)])
def test_in_ci_nothing_may_be_skipped(tmp_path: Path, ci: str, code: int) -> None:
    shutil.copy(HERE / "conftest.py", tmp_path)
    (tmp_path / "test_web.py").write_text(SKIPPING)

    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", tmp_path, tmp_path],
        env={**os.environ, "CI": ci},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )

    last = [line for line in result.stdout.splitlines() if "CI=true" not in line][-2:]
    assert result.returncode == code
    assert last[0] == "1 skipped: no browser"
    assert last[1].startswith("1 passed, 1 skipped in ")


def _wait_until(condition: Callable[[], bool], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.05)


def _is_listening(url: str) -> bool:
    host, _, port = url.rpartition("@")[2].partition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0
