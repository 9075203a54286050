"""What a server says to odd bytes, and what it writes into its log meanwhile."""

import asyncio
import contextlib
import io
from collections.abc import Iterator
from typing import Any

from postroom.kit import log as logs


async def said(office: Any, line: str, *headers: str | bytes, body: bytes = b"") -> str:
    """What the server says to bytes that no client would send."""
    host, port = office.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    lines = [f"{line} HTTP/1.1", f"Host: {host}", "Connection: close", *headers]
    raw = b"\r\n".join(each if isinstance(each, bytes) else each.encode() for each in lines)
    writer.write(raw + b"\r\n\r\n" + body)
    await writer.drain()
    answer = await reader.read()
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    return answer.decode("latin-1")


@contextlib.contextmanager
def logged() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    logs.configure(level="INFO", stream=stream)
    try:
        yield stream
    finally:
        logs.configure(level="INFO", stream=io.StringIO())
