"""Reading a stream as a page does."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp


@dataclass(frozen=True, slots=True)
class Told:
    """One event as it came, with the id that stood at it."""

    kind: str
    data: Any
    id: str


@dataclass(slots=True)
class Stream:
    """An open stream. `last_id` is the place to come back with."""

    response: aiohttp.ClientResponse
    last_id: str = ""
    seen: list[Told] = field(default_factory=list)
    _is_on_its_way: bool = True

    async def next(self, *, seconds: float = 5) -> Told:
        """The next event, heartbeats aside."""
        async with asyncio.timeout(seconds):
            return await self._read()

    async def next_of(self, kind: str, *, seconds: float = 5) -> Told:
        async with asyncio.timeout(seconds):
            while (told := await self._read()).kind != kind:
                pass
            return told

    async def count(self, wanted: int, *, seconds: float = 5) -> None:
        """Wait until that many are told to be unread."""
        async with asyncio.timeout(seconds):
            while (await self._read()).data.get("unread") != wanted:
                pass

    async def quiet(self, *, seconds: float = 0.5) -> None:
        """See that nothing more is told for that long, but for counts."""
        try:
            async with asyncio.timeout(seconds):
                while (told := await self._read()).kind == "count":
                    pass
        except TimeoutError:
            return
        raise AssertionError(f"there was more: {told}")

    async def quiet_at(self, wanted: int, *, seconds: float = 10) -> None:
        """Wait until that many are told to be unread, and see that nothing else is told after it."""
        end = asyncio.get_running_loop().time() + seconds
        last = None
        while last != wanted or self._is_on_its_way:
            assert asyncio.get_running_loop().time() < end, f"{last} are told to be unread, not {wanted}"
            try:
                told = await self.next(seconds=0.7)
                last, self._is_on_its_way = told.data.get("unread", last), True
            except TimeoutError:
                self._is_on_its_way = False

    async def ended(self, *, seconds: float = 5) -> None:
        async with asyncio.timeout(seconds):
            while await self.response.content.readline():
                pass

    async def _read(self) -> Told:
        kind, data = "message", ""
        while True:
            line = (await self.response.content.readline()).decode()
            if not line:
                raise EOFError("the stream has ended")
            name, _, value = line.rstrip("\n").partition(": ")
            if name == "id":
                self.last_id = value
            elif name == "event":
                kind = value
            elif name == "data":
                data = value
            elif not name and data:
                told = Told(kind, json.loads(data), self.last_id)
                self.seen.append(told)
                return told


@asynccontextmanager
async def stream(
    url: str, token: str, *, session: aiohttp.ClientSession, last_id: str | None = None
) -> AsyncIterator[Stream]:
    headers = {"Authorization": f"Bearer {token}"}
    if last_id is not None:
        headers["Last-Event-ID"] = last_id
    timeout = aiohttp.ClientTimeout(total=None)
    async with session.get(f"{url}/notifications/stream", headers=headers, timeout=timeout) as response:
        assert response.status == 200, await response.text()
        yield Stream(response)
