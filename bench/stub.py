"""A stub of GOV.UK Notify that costs next to nothing, and answers every send after a while.

    stub.py READY_FILE SECONDS_TO_ANSWER

It takes whatever key and body there is, and remembers when each reference came: GET /arrivals says so, by
the clock that all processes of the machine share (time.monotonic), GET /count how many came.
"""

import asyncio
import json
import re
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import uvloop

from bench.ready import say_ready
from bench.servers import Running, running

TEMPLATES = {"email": "0d1c2b3a-4e5f-4a6b-8c7d-000000000001", "sms": "0d1c2b3a-4e5f-4a6b-8c7d-000000000002"}
_BODIES = {
    "email": "Dear ((name)), we have your report ((ref)).",
    "sms": "((name)), your code is ((code))",
}
_REFERENCE = re.compile(rb'"reference": ?"([^"]+)"')
_LENGTH = re.compile(rb"content-length: ?(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Stub:
    running: Running

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.running.port}"

    def count(self) -> int:
        return int(self._ask("/count"))

    def arrivals(self) -> list[tuple[str, float]]:
        """Reference and moment of every send, in order."""
        return [(reference, at) for reference, at in self._ask("/arrivals")]

    def forget(self) -> None:
        self._ask("/forget")

    def _ask(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return json.load(answer)


@contextmanager
def stub(place: Path, *, seconds_to_answer: float = 0.02) -> Iterator[Stub]:
    with running("bench.stub", seconds_to_answer, place=place) as process:
        yield Stub(process)


class Memory:
    def __init__(self) -> None:
        self.arrivals: list[tuple[str, float]] = []

    def answer(self, path: str) -> bytes:
        """What a GET is answered with."""
        if path == "/count":
            return json.dumps(len(self.arrivals)).encode()
        if path == "/arrivals":
            return json.dumps(self.arrivals).encode()
        if path == "/forget":
            self.arrivals.clear()
            return b"null"
        return json.dumps({"templates": [_template(kind) for kind in TEMPLATES]}).encode()


def _template(kind: str) -> dict[str, Any]:
    names = re.findall(r"\(\((\w+)\)\)", _BODIES[kind])
    return {
        "id": TEMPLATES[kind],
        "type": kind,
        "version": 1,
        "name": kind,
        "subject": "Your report",
        "body": _BODIES[kind],
        "personalisation": {name: {"required": True} for name in names},
    }


class Connection(asyncio.Protocol):
    """One connection, which asks one thing at a time."""

    def __init__(self, memory: Memory, seconds_to_answer: float) -> None:
        self._memory = memory
        self._wait = seconds_to_answer
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are none by their class

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._buffer[:end])
        length = _LENGTH.search(head)
        if len(self._buffer) < end + 4 + (int(length[1]) if length else 0):
            return
        body = bytes(self._buffer[end + 4 :])
        self._buffer.clear()
        if head.startswith(b"POST"):
            self._take(body)
        else:
            self._write(b"200 OK", self._memory.answer(head.split(b" ", 2)[1].decode()))

    def _take(self, body: bytes) -> None:
        found = _REFERENCE.search(body)
        self._memory.arrivals.append(("" if found is None else found[1].decode(), time.monotonic()))
        self._loop.call_later(
            self._wait, self._write, b"201 CREATED", b'{"id":"%s"}' % str(uuid.uuid4()).encode()
        )

    def _write(self, status: bytes, body: bytes) -> None:
        if self._transport.is_closing():
            return
        self._transport.write(
            b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (status, len(body), body)
        )


async def serve(ready: Path, seconds_to_answer: float) -> None:
    memory = Memory()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Connection(memory, seconds_to_answer), "127.0.0.1", 0, backlog=2048
    )
    say_ready(ready, port=server.sockets[0].getsockname()[1])
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1]), float(sys.argv[2])))
