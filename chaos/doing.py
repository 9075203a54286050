"""Doing what the plan says to whom it says."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import asyncpg

from chaos.mischief import Deed, Kind
from chaos.process import Process
from chaos.stage import Stage, until

_UNREACHABLE = (aiohttp.ClientError, TimeoutError, OSError)
_CUT = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid() AND random() < $1"
)


@dataclass(slots=True)
class Doer:
    """Does each deed at its time. Faults are the sandbox's own, and told it again after it was killed."""

    stage: Stage
    done: Counter[str] = field(default_factory=Counter)
    connections_cut: int = 0
    bad_stops: list[str] = field(default_factory=list)
    """Who did not end in time, or not well, when it was told to stop."""
    _faults: list[Deed] = field(default_factory=list)
    _targets: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    _telling: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def do_all(self, deeds: Sequence[Deed], *, began: float) -> None:
        """Until the last is over. The plan counts from `began`, by the monotonic clock."""
        async with asyncio.TaskGroup() as group:
            for deed in deeds:
                group.create_task(self._do_in_time(deed, began))

    async def heal(self) -> None:
        """Let everything run, and nothing fail any more."""
        self._faults.clear()
        for process in self.stage.processes.values():
            process.resume()
            process.start()
        await self.stage.until_all_answer()
        await self._tell_faults()

    async def _do_in_time(self, deed: Deed, began: float) -> None:
        await asyncio.sleep(max(0.0, began + deed.at - time.monotonic()))
        # A stop takes its time, and what comes next for the same target waits for its end.
        async with self._targets[deed.target]:
            self.done[self._named(deed)] += 1
            await self._do(deed)

    async def _do(self, deed: Deed) -> None:
        match deed.kind:
            case Kind.KILL | Kind.STOP | Kind.PAUSE:
                await self._take_down(deed, self.stage.processes[deed.target])
            case Kind.CRASH:
                await self._crash(deed)
            case Kind.CUT:
                await self._cut(deed)
            case Kind.ABSENCE:
                await self._tell("POST", "absence", {"seconds": deed.seconds})
                await asyncio.sleep(deed.seconds)
                await self._tell_faults()
            case _:
                self._faults.append(deed)
                await self._tell_faults()
                await asyncio.sleep(deed.seconds)
                self._faults.remove(deed)
                await self._tell_faults()

    def _named(self, deed: Deed) -> str:
        return f"{deed.kind} {deed.how or deed.target.rstrip('-0123456789')}"

    async def _take_down(self, deed: Deed, process: Process) -> None:
        if deed.kind is Kind.PAUSE:
            process.pause()
            await asyncio.sleep(deed.seconds)
            process.resume()
            return
        if deed.kind is Kind.KILL:
            await process.kill()
        elif not await process.stop():
            self.bad_stops.append(process.name)
        await asyncio.sleep(deed.seconds)
        process.start()
        if process.name == "sandbox":
            await until(
                lambda: self.stage.answers(f"{self.stage.sandbox_url}/sandbox/health"), what="the sandbox"
            )
            await self._tell_faults()

    async def _crash(self, deed: Deed) -> None:
        server = self.stage.server
        if server is not None:
            await asyncio.to_thread(server.stop, immediately=True)
            await asyncio.sleep(deed.seconds)
            await asyncio.to_thread(server.start)

    async def _cut(self, deed: Deed) -> None:
        try:
            connection = await asyncpg.connect(self.stage.database_url, timeout=3)
        except (*_UNREACHABLE, asyncpg.PostgresError):
            return  # PostgreSQL itself is down.
        try:
            self.connections_cut += await connection.fetchval(_CUT, deed.share)
        except (*_UNREACHABLE, asyncpg.PostgresError, asyncpg.InterfaceError):
            return
        finally:
            connection.terminate()

    async def _tell_faults(self) -> None:
        """All those in force, anew; the sandbox can be told of no single one that it is over."""
        async with self._telling:
            await self._tell("DELETE", "faults")
            for deed in self._faults:
                rule = {"kind": deed.how, "share": deed.share, "seconds": deed.late_by}
                await self._tell("POST", "faults" if deed.kind is Kind.FAULT else "receipt-faults", rule)

    async def _tell(self, method: str, path: str, body: Any = None) -> None:
        try:
            await self.stage.ask_sandbox(method, path, body)
        except _UNREACHABLE:
            return  # It is down, or does not listen; it is told once it is back.
