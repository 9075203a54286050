"""The lasting record: what must still be there after a crash is written here before it is answered for."""

import asyncio
import sqlite3
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, Protocol

KINDS = ("service", "template", "notification", "document", "letter", "received_text", "setting")


class Row(NamedTuple):
    """One thing to keep, under its kind and id; no data means that it goes."""

    kind: str
    id: str
    data: bytes | None


class Record(Protocol):
    def load(self, kind: str) -> Iterator[tuple[str, bytes]]:
        """All that is kept of a kind, in the order in which it was first written."""
        ...

    def fetch(self, kind: str, key: str) -> bytes | None: ...

    def save(self, rows: Iterable[Row]) -> "asyncio.Future[None] | None":
        """Writes soon, in order. What must be kept before going on awaits the future, where there is one."""
        ...

    async def close(self) -> None: ...


class MemoryRecord:
    """Keeps only what nobody holds elsewhere (letters and files), and that until the process ends."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], bytes] = {}

    def load(self, kind: str) -> Iterator[tuple[str, bytes]]:
        return iter(())

    def fetch(self, kind: str, key: str) -> bytes | None:
        return self._rows.get((kind, key))

    def save(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if row.kind not in ("letter", "document"):
                continue
            if row.data is None:
                self._rows.pop((row.kind, row.id), None)
            else:
                self._rows[row.kind, row.id] = row.data

    async def close(self) -> None:
        self._rows.clear()


class SqliteRecord:
    """One file, one writer. Everything that comes while a commit is under way shares the next one.

    `synchronous=NORMAL` with a write-ahead log: a killed process loses nothing, a power cut
    may cost the last moments.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / "sandbox.sqlite3"
        self._writer = _connect(path)
        self._reader = _connect(path)
        path.chmod(0o600)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sandbox-record")
        self._waiting: list[Row] = []
        self._next: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None

    def load(self, kind: str) -> Iterator[tuple[str, bytes]]:
        return iter(self._reader.execute(f"SELECT id, data FROM {_table(kind)} ORDER BY rowid"))  # noqa: S608

    def fetch(self, kind: str, key: str) -> bytes | None:
        found = self._reader.execute(f"SELECT data FROM {_table(kind)} WHERE id = ?", (key,)).fetchone()  # noqa: S608
        return None if found is None else bytes(found[0])

    def save(self, rows: Iterable[Row]) -> asyncio.Future[None]:
        self._waiting.extend(rows)
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        if self._task is None:
            self._task = asyncio.create_task(self._write_batches())
        return self._next

    async def _write_batches(self) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(0)
        while (done := self._next) is not None:
            rows, self._waiting, self._next = self._waiting, [], None
            try:
                await loop.run_in_executor(self._thread, self._commit, rows)
            except sqlite3.Error as error:
                _fail(done, error)
            else:
                if not done.cancelled():
                    done.set_result(None)
        self._task = None

    def _commit(self, rows: list[Row]) -> None:
        with self._writer:
            self._writer.execute("BEGIN IMMEDIATE")
            for kind, key, data in rows:
                if data is None:
                    self._writer.execute(f"DELETE FROM {_table(kind)} WHERE id = ?", (key,))  # noqa: S608
                else:
                    self._writer.execute(
                        f"INSERT INTO {_table(kind)} VALUES (?, ?) "  # noqa: S608
                        "ON CONFLICT (id) DO UPDATE SET data = excluded.data",
                        (key, data),
                    )

    async def close(self) -> None:
        if self._task is not None:
            await self._task
        self._thread.shutdown()
        self._writer.close()
        self._reader.close()


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    for kind in KINDS:
        connection.execute(f"CREATE TABLE IF NOT EXISTS {kind} (id TEXT PRIMARY KEY, data BLOB NOT NULL)")
    return connection


def _table(kind: str) -> str:
    if kind not in KINDS:
        raise KeyError(kind)
    return kind


def _fail(done: "asyncio.Future[None]", error: Exception) -> None:
    """Tells whoever waits; where nobody does, the loop would complain about an error that nobody read."""
    if not done.cancelled():
        done.set_exception(error)
        done.exception()
