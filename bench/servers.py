"""Processes and databases that live for the length of a measure."""

import asyncio
import contextlib
import json
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import psutil

from tools.keep_postgres import DURABLE, NotInstalled, new_server

TOP = Path(__file__).parents[1]
SECONDS_TO_START = 60


@dataclass(frozen=True)
class Running:
    """A process that has said that it is ready, and what it said."""

    process: "subprocess.Popen[bytes]"
    said: dict[str, Any]

    @property
    def port(self) -> int:
        return int(self.said["port"])

    def cpu_seconds(self) -> float:
        """What the process has spent so far, user and system."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    def memory_mb(self) -> float:
        """The resident memory that the process has now."""
        return self._memory_mb("VmRSS")

    def most_memory_mb(self) -> float:
        """The most resident memory that the process has had."""
        return self._memory_mb("VmHWM")

    def _memory_mb(self, name: str) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith(f"{name}:"))
        return int(line.split()[1]) / 1024


@contextmanager
def running(
    module: str, *arguments: object, place: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """`python -m module READY_FILE arguments`, which writes JSON to that file once it answers."""
    name = f"{module}-{uuid.uuid4().hex[:8]}"
    ready, log = place / f"{name}.json", place / f"{name}.log"
    command = [sys.executable, "-m", module, str(ready), *map(str, arguments)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=output,
            cwd=TOP,
            env=None if environment is None else dict(environment),
        )
    try:
        yield Running(process, _when_ready(process, ready, log))
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()


def _when_ready(process: "subprocess.Popen[bytes]", ready: Path, log: Path) -> dict[str, Any]:
    until = time.monotonic() + SECONDS_TO_START
    while process.poll() is None and time.monotonic() < until:
        with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
            said: dict[str, Any] = json.loads(ready.read_text())
            return said
        time.sleep(0.02)
    sys.exit(f"a process did not start:\n{log.read_text()[-2000:]}")


@contextmanager
def databases(kind: str, number: int, *, place: Path, server: Callable[[], str]) -> Iterator[Sequence[str]]:
    """URLs of empty databases, gone at the end. `server` gives PostgreSQL's URL, and is asked only for it."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(dir=place) as folder:
            yield [f"sqlite:///{Path(folder) / f'{each}.db'}" for each in range(number)]
        return
    url = server()
    names = [f"bench_{uuid.uuid4().hex}" for _ in range(number)]
    for name in names:
        _execute(f"{url}/postgres", f'CREATE DATABASE "{name}"')
    try:
        yield [f"{url}/{name}" for name in names]
    finally:
        for name in names:
            _execute(f"{url}/postgres", f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def postgres(place: Path) -> Iterator[str]:
    """A server of our own, made as the tests make theirs, but one that keeps what it says it keeps."""
    with tempfile.TemporaryDirectory(prefix="postroom-bench-postgres-") as home:
        try:
            server = new_server(Path(home), log=place / "postgres.log", options=DURABLE)
        except NotInstalled as error:
            sys.exit(f"{error}; or name one with --postgres")
        server.create()
        server.start()
        try:
            yield server.url
        finally:
            server.stop()


def _execute(url: str, statement: str) -> None:
    async def work() -> None:
        connection = await asyncpg.connect(url)
        await connection.execute(statement)
        await connection.close()

    asyncio.run(work())
