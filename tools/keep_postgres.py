"""Starts PostgreSQL servers of our own; as a command, keeps one for as long as a test run lives.

    keep_postgres.py WATCHED_PID READY_FILE LOG_FILE

The command's server belongs to its process alone: it is stopped and removed when the watched process is gone,
however it went, and on SIGTERM. While it runs, READY_FILE holds its URL and the id of the keeping process.
PostgreSQL does not run as root, so root hands the server to an account that may do nothing else. Ends with 3
where no server is installed.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

OWNER = "postroom"
SECONDS_TO_START = 30
NOT_INSTALLED = 3
# A test run wants speed: what a power cut would lose is the whole run anyway. A killed process loses nothing,
# because the kernel still holds what was written, so tests of durability under kill -9 keep their meaning.
QUICK: Mapping[str, str] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "autovacuum_naptime": "10s",
    "log_min_messages": "error",
}
DURABLE: Mapping[str, str] = {**QUICK, "fsync": "on", "full_page_writes": "on", "shared_buffers": "128MB"}
"""For what is measured, or must outlive the server's own death: it keeps what it says it keeps."""


class NotInstalled(Exception):
    """This machine has no PostgreSQL server."""


def main(watched_pid: int, ready: Path, log: Path) -> None:
    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(name, _stop)
    place = Path(tempfile.mkdtemp(prefix="postroom-postgres-"))
    try:
        server = new_server(place, log=log)
    except NotInstalled:
        place.rmdir()
        raise SystemExit(NOT_INSTALLED) from None
    try:
        server.create()
        server.start()
        _announce(ready, server.url)
        while _is_alive(watched_pid) and server.is_running():
            time.sleep(0.5)
    finally:
        server.stop()
        shutil.rmtree(place, ignore_errors=True)
        ready.unlink(missing_ok=True)


def new_server(place: Path, *, log: Path, options: Mapping[str, str] = QUICK) -> "Server":
    """A server whose data will be in the empty folder `place`; NotInstalled where there is none to start."""
    binaries = find_binaries()
    if binaries is None:
        raise NotInstalled("PostgreSQL's server is not installed (Debian: postgresql)")
    return Server(place=place, binaries=binaries, account=_account(), log=log, options=options)


def find_binaries() -> Path | None:
    """The newest server's programs: Debian keeps them off the PATH, a folder for each version."""
    versions = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    newest_first = sorted(versions, key=lambda path: float(path.parts[-3]), reverse=True)
    on_path = [Path(found).resolve()] if (found := shutil.which("postgres")) else []
    for candidate in (*newest_first, *on_path):
        if (candidate.parent / "initdb").exists():
            return candidate.parent
    return None


@dataclass
class Server:
    place: Path
    binaries: Path
    account: str | None
    log: Path
    options: Mapping[str, str] = field(default_factory=lambda: QUICK)
    port: int = 0
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"postgresql://{OWNER}@127.0.0.1:{self.port}"

    def create(self) -> None:
        if self.account:
            shutil.chown(self.place, self.account)
        settings = ["--auth=trust", f"--username={OWNER}", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        self._popen("initdb", *settings, "--pgdata", "data").wait()

    def start(self) -> None:
        """On the same port as before, if it ran before.

        Else tries several, because another process may take a free one before the server does.
        """
        for port in (self.port,) if self.port else (_free_port() for _ in range(5)):
            self.port = port
            options = [f"--{name}={value}" for name, value in self.options.items()]
            self.process = self._popen("postgres", "-D", "data", f"--port={port}", *options)
            if self._answers():
                return
        raise SystemExit(f"PostgreSQL does not start: see {self.log}")

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def stop(self, *, immediately: bool = False) -> None:
        """Cut off its clients. `immediately` leaves the data as a crash does, to be recovered at a start."""
        if not self.is_running() or self.process is None:
            return
        self.process.send_signal(signal.SIGQUIT if immediately else signal.SIGINT)
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _answers(self) -> bool:
        until = time.monotonic() + SECONDS_TO_START
        while self.is_running() and time.monotonic() < until:
            if self._popen("pg_isready", "-h", "127.0.0.1", "-p", str(self.port)).wait() == 0:
                return self.is_running()
            time.sleep(0.05)
        self.stop()
        return False

    def _popen(self, program: str, *arguments: str) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [self.binaries / program, *arguments],
                cwd=self.place,
                env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self.account,
                group=self.account and pwd.getpwnam(self.account).pw_gid,
                extra_groups=[] if self.account else None,
            )


def _account() -> str | None:
    """Who runs the server: this user, or for root the first of these that the machine has."""
    if os.getuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in known)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _announce(ready: Path, url: str) -> None:
    draft = ready.with_suffix(".draft")
    draft.write_text(f"{url}\n{os.getpid()}\n")
    draft.rename(ready)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
