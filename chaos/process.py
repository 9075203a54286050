"""One process of a run: started, killed, paused, stopped, and started again where it ends by itself."""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_STOPS_WITHIN = 10
_LOOK_EVERY = 0.1
_START_AGAIN_AFTER = 1.0


@dataclass(slots=True)
class Process:
    """A command that is to run. Whoever takes it down says so, and brings it back; else it is looked after,
    as a machine's own supervisor would."""

    name: str
    command: Sequence[object]
    environment: Mapping[str, str]
    log: Path
    is_wanted: bool = False
    ended_by_itself: list[int] = field(default_factory=list)
    _popen: "subprocess.Popen[bytes] | None" = None

    @property
    def is_running(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def start(self) -> None:
        """In a session of its own: Ctrl-C is for us to pass on. What runs is left as it is."""
        self.is_wanted = True
        if self.is_running:
            return
        self._close_input()
        with self.log.open("ab") as log:
            self._popen = subprocess.Popen(
                [str(part) for part in self.command],
                env=dict(self.environment),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    async def look_after(self) -> None:
        """Start it again where it ended though nobody took it down; until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            if self.is_wanted and not self.is_running and self._popen is not None:
                self.ended_by_itself.append(self._popen.returncode)
                await asyncio.sleep(_START_AGAIN_AFTER)
                if self.is_wanted:
                    self.start()

    async def kill(self) -> None:
        """As `kill -9` does; it stays down until it is started."""
        self.is_wanted = False
        self._signal(signal.SIGKILL)
        await self._gone()

    async def stop(self) -> bool:
        """As SIGTERM does; whether it ended by itself in time, and said that all was well."""
        self.is_wanted = False
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            await self._gone(within=_STOPS_WITHIN)
        if self.is_running:
            await self.kill()
            return False
        return self._popen is not None and self._popen.returncode == 0

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def end(self) -> None:
        """Now, and for good."""
        self.is_wanted = False
        self._signal(signal.SIGKILL)
        if self._popen is not None:
            self._popen.wait()
            self._close_input()

    def _close_input(self) -> None:
        if self._popen is not None and self._popen.stdin is not None:
            self._popen.stdin.close()

    def _signal(self, number: signal.Signals) -> None:
        if self._popen is not None and self._popen.poll() is None:
            os.kill(self._popen.pid, number)

    async def _gone(self, *, within: float | None = None) -> None:
        if self._popen is not None:
            await asyncio.to_thread(self._popen.wait, within)
