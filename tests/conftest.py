"""What all tests share: databases, and what is said when the machine lacks something that a test needs.

One PostgreSQL server serves the whole run. The first test that asks starts it, whichever worker runs it, and
the process that started pytest ends it.
"""

import asyncio
import fcntl
import os
import shutil
import signal
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import pytest
from hypothesis import HealthCheck, settings

from postroom.app import migrate_database
from postroom.kit.database import open_database

# A shared machine is slow at times; that says nothing about the code.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

KEEPER = Path(__file__).parents[1] / "tools" / "keep_postgres.py"
PLACE = pytest.StashKey[Path]()
NOT_INSTALLED = 3
POSTGRES_MISSING = "PostgreSQL's server is not installed (Debian: postgresql)"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "sqlite: runs on SQLite")
    config.addinivalue_line("markers", "postgres: runs on PostgreSQL")
    if not _is_worker(config):
        config.stash[PLACE] = Path(tempfile.mkdtemp(prefix="postroom-tests-"))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["place"] = str(node.config.stash[PLACE])
    node.workerinput["controller_pid"] = os.getpid()


def pytest_unconfigure(config: pytest.Config) -> None:
    if PLACE in config.stash:
        _end_postgres(config.stash[PLACE])
        shutil.rmtree(config.stash[PLACE], ignore_errors=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if _ci() and not _is_worker(session.config) and _skipped(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> Iterator[None]:
    """What was skipped stands last, right above the counts, where nobody overlooks it."""
    yield
    if skipped := _skipped(config):
        terminalreporter.section("NOT EVERYTHING WAS TESTED", sep="!", red=True, bold=True)
        for reason in sorted({_reason(report) for report in skipped}):
            count = sum(_reason(report) == reason for report in skipped)
            terminalreporter.line(f"{count} skipped: {reason}", red=True, bold=True)
        if _ci():
            terminalreporter.line(
                "CI=true: nothing may be skipped, so this run has failed", red=True, bold=True
            )


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _ci() -> bool:
    return os.environ.get("CI", "").lower() in {"true", "1", "yes"}


def _skipped(config: pytest.Config) -> list[Any]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return reporter.stats.get("skipped", []) if reporter else []


def _reason(report: Any) -> str:
    detail = report.longrepr
    return detail[2].removeprefix("Skipped: ") if isinstance(detail, tuple) else str(detail)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A database that does not exist yet, in a file of its own."""
    return f"sqlite:///{tmp_path / 'postroom.db'}"


@pytest.fixture
def postgres_url(_databases: "Databases") -> Iterator[str]:
    """An empty database of its own."""
    name = _databases.take()
    yield f"{_databases.server}/{name}"
    _databases.drop(name)


@pytest.fixture(
    params=[
        pytest.param("sqlite_url", marks=pytest.mark.sqlite, id="sqlite"),
        pytest.param("postgres_url", marks=pytest.mark.postgres, id="postgres"),
    ]
)
def database_url(request: pytest.FixtureRequest) -> str:
    """Runs the test once on each kind of database."""
    url: str = request.getfixturevalue(request.param)
    return url


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest) -> str:
    """The URL of the run's server, without a database."""
    if orders := getattr(request.config, "workerinput", None):
        return _begin_postgres(Path(orders["place"]), orders["controller_pid"])
    return _begin_postgres(request.config.stash[PLACE], os.getpid())


@pytest.fixture(scope="session")
def _databases(postgres_server: str) -> Iterator["Databases"]:
    databases = Databases(postgres_server)
    yield databases
    databases.close()


@pytest.fixture(scope="session")
def _migrated_databases(postgres_server: str) -> Iterator["Databases"]:
    """As `_databases`, of copies of one that has the tables: to make those takes longer than most tests."""
    databases = Databases(postgres_server, prepare=_migrate)
    yield databases
    databases.close()


@pytest.fixture(scope="session")
def _migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file that has the tables and nothing in them."""
    file = tmp_path_factory.mktemp("migrated") / "postroom.db"
    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(asyncio.run, _migrate(f"sqlite:///{file}")).result()
    return file


async def _migrate(url: str) -> None:
    database = open_database(url)
    try:
        await migrate_database(database)
    finally:
        await database.close()


class Databases:
    """Makes and drops databases on its own thread, so that the next is ready before a test asks for it.

    They are empty, or copies of one that `prepare` was called for, by its URL.
    """

    def __init__(
        self, server: str, *, prepare: Callable[[str], Coroutine[Any, Any, None]] | None = None
    ) -> None:
        self.server = server
        self._loop = asyncio.new_event_loop()
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._connection = self._soon(asyncpg.connect(f"{server}/postgres")).result()
        self._template = "template1"
        if prepare is not None:
            self._template = self._make().result()
            self._soon(prepare(f"{server}/{self._template}")).result()
        self._next = self._make()

    def take(self) -> str:
        name = self._next.result()
        self._next = self._make()
        return name

    def drop(self, name: str) -> None:
        self._soon(self._connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'))

    def close(self) -> None:
        self._soon(self._connection.close()).result()
        self._thread.shutdown()
        self._loop.close()

    def _make(self) -> "Future[str]":
        return self._soon(self._create(f"test_{uuid.uuid4().hex}"))

    async def _create(self, name: str) -> str:
        await self._connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{self._template}"')
        return name

    def _soon(self, work: Coroutine[Any, Any, Any]) -> "Future[Any]":
        return self._thread.submit(self._loop.run_until_complete, work)


def _begin_postgres(place: Path, watched_pid: int) -> str:
    """Starts the server, or finds it started by another worker."""
    ready, log = place / "postgres.ready", place / "postgres.log"
    with (place / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            _start_keeper([KEEPER, watched_pid, ready, log], ready=ready, log=log)
    return ready.read_text().split()[0]


def _start_keeper(arguments: list[Any], *, ready: Path, log: Path) -> None:
    # Spawned bare, for a process object would complain of being outlived, and this one outlives its worker.
    command = [sys.executable, *map(str, arguments)]
    keeper = os.posix_spawn(sys.executable, command, os.environ, setsid=True)
    while not ready.exists():
        ended, status = os.waitpid(keeper, os.WNOHANG)
        if ended and os.waitstatus_to_exitcode(status) == NOT_INSTALLED:
            pytest.skip(POSTGRES_MISSING)
        if ended:
            pytest.fail(f"PostgreSQL did not start:\n{log.read_text()[-2000:]}", pytrace=False)
        time.sleep(0.02)


def _end_postgres(place: Path) -> None:
    ready = place / "postgres.ready"
    if not ready.exists():
        return
    os.kill(int(ready.read_text().split()[1]), signal.SIGTERM)
    until = time.monotonic() + 15
    while ready.exists() and time.monotonic() < until:
        time.sleep(0.05)
