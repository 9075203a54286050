"""An office to talk to, and between it and a client a proxy that loses answers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from tests.interfaces.api.conftest import Office, running_office, settings_for


@dataclass
class FlakyProxy:
    """Lets everything through, but for the answers that it is told to lose: then it hangs up instead."""

    port: int
    """Of the office."""
    url: str = ""
    to_lose: int = 0
    statuses: list[int] = field(default_factory=list)
    """Of every answer that came, the lost ones too."""
    _serving: set["asyncio.Task[None]"] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(serving)
        await asyncio.wait({serving})
        self._serving.discard(serving)

    async def close(self) -> None:
        """Hang up on whoever keeps a connection."""
        for serving in self._serving:
            serving.cancel()
        if self._serving:
            await asyncio.wait(self._serving)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self.port)
        forward = asyncio.create_task(_pump(reader, back))
        try:
            await self._answers(there, writer)
        finally:
            forward.cancel()
            for end in (writer, back):
                end.close()
                with contextlib.suppress(ConnectionError):
                    await end.wait_closed()

    async def _answers(self, there: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await _head(there):
            self.statuses.append(int(head.split()[1]))
            body = await there.readexactly(_length(head))
            if self.to_lose:
                self.to_lose -= 1
                return
            writer.write(head + body)
            await writer.drain()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while some := await reader.read(65536):
        writer.write(some)
        await writer.drain()


async def _head(reader: asyncio.StreamReader) -> bytes:
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        return await reader.readuntil(b"\r\n\r\n")
    return b""


def _length(head: bytes) -> int:
    lines = head.lower().split(b"\r\n")
    return next((int(line.partition(b":")[2]) for line in lines if line.startswith(b"content-length:")), 0)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """On SQLite alone: which database it is, no client can tell."""
    place = tmp_path_factory.mktemp("office")
    async with running_office(settings_for(f"sqlite:///{place / 'postroom.db'}")) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def proxy(office: Office) -> AsyncIterator[FlakyProxy]:
    proxy = FlakyProxy(port=urlsplit(office.url).port or 0)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield proxy
        await proxy.close()
