"""The pages of many officers, held open by this process: of each it notes when it hears of a count."""

import asyncio
import resource
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import cast

_MARK = b"event: count"
_AT_ONCE = 64
_PATIENCE_SECONDS = 60
_MANY_FILES = 12_000


class Page(asyncio.Protocol):
    """One open stream."""

    def __init__(self, pages: "Pages", request: bytes) -> None:
        self._pages = pages
        self._request = request
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are none by their class
        self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        seen = self._tail + data
        self._tail = seen[1 - len(_MARK) :]
        if _MARK in seen:
            self._pages.heard(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._pages.lost(self)


class Poster(asyncio.Protocol):
    """One connection on which request follows answer."""

    def __init__(self) -> None:
        self._answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if not self._answer.done():
            self._answer.set_result(data)

    def connection_lost(self, error: Exception | None) -> None:
        if not self._answer.done():
            self._answer.set_exception(error or ConnectionError("the server closed a connection"))

    async def post(self, request: bytes) -> None:
        """Ends the run where it is not accepted."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        answer = await self._answer
        if not answer.startswith((b"HTTP/1.1 201 ", b"HTTP/1.1 204 ")):
            raise SystemExit(f"a POST was answered {answer[:200]!r}")

    def close(self) -> None:
        self._transport.close()


class Pages:
    """All of them. It waits for those that have to hear, and ends the run where one breaks off."""

    def __init__(self) -> None:
        self.all: list[Page] = []
        self._left: set[Page] = set()
        self._heard_at: list[float] = []
        self._all_heard = asyncio.Event()
        self._is_over = False

    async def open(self, port: int, requests: Sequence[bytes]) -> list[Page]:
        """Open one for each request, some at a time, until each has been told its first count."""
        opened = [Page(self, request) for request in requests]
        for start in range(0, len(opened), _AT_ONCE):
            some = opened[start : start + _AT_ONCE]
            self.await_count(some)
            await asyncio.gather(*(self._connect(page, port) for page in some))
            await self.counts()
        self.all += opened
        return opened

    async def _connect(self, page: Page, port: int) -> None:
        await asyncio.get_running_loop().create_connection(lambda: page, "127.0.0.1", port)

    def await_count(self, pages: Sequence[Page]) -> None:
        """From now on these have to hear, each once."""
        self._left, self._heard_at = set(pages), []
        self._all_heard.clear()

    async def counts(self) -> list[float]:
        """When each of them heard."""
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await self._all_heard.wait()
        return self._heard_at

    def heard(self, page: Page) -> None:
        if page in self._left:
            self._left.discard(page)
            self._heard_at.append(time.perf_counter())
            if not self._left:
                self._all_heard.set()

    def lost(self, page: Page) -> None:
        if not self._is_over:
            raise SystemExit("a stream broke off")

    def close(self) -> None:
        self._is_over = True
        for page in self.all:
            page.transport.abort()


async def poster(port: int) -> Poster:
    _, made = await asyncio.get_running_loop().create_connection(Poster, "127.0.0.1", port)
    return made


@contextmanager
def many_files() -> Iterator[None]:
    """As many open connections as are needed here, and in the processes that are started meanwhile."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, _MANY_FILES), hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
