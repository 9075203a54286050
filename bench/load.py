"""Load for one endpoint: many connections, each of which asks again as soon as it is answered.

    load.py HOST PORT REQUEST_FILE CONNECTIONS SECONDS

REQUEST_FILE holds whole HTTP requests with a zero byte between them; after the last comes the first again.
Prints one JSON object: how many answers were 201 or 204, how many were not, the seconds that passed, and
the latencies of the middle and of the hundredth that took longest.
"""

import asyncio
import json
import re
import sys
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import cast

import uvloop

PATIENCE_SECONDS = 30
GOOD = re.compile(rb"HTTP/1.1 20[14] ")
LENGTH = re.compile(rb"content-length: ?(\d+)", re.IGNORECASE)


class Asker(asyncio.Protocol):
    """One connection. Counts an answer when its last byte is there."""

    def __init__(self, requests: Iterator[bytes], until: float) -> None:
        self.finished = asyncio.get_running_loop().create_future()
        self.latencies: list[float] = []
        self.refused = 0
        self._requests = requests
        self._until = until
        self._buffer = bytearray()
        self._asked_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are none by their class
        self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.finished.done():
            self.finished.set_exception(error or ConnectionError("the server closed a connection"))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._buffer[:end])
        length = LENGTH.search(head)
        if len(self._buffer) < end + 4 + (int(length[1]) if length else 0):
            return
        self._buffer.clear()
        self._answered(head)

    def _answered(self, head: bytes) -> None:
        now = time.perf_counter()
        self.latencies.append(now - self._asked_at)
        self.refused += GOOD.match(head) is None
        if now < self._until:
            self._ask()
        else:
            self.finished.set_result(None)
            self._transport.close()

    def _ask(self) -> None:
        self._asked_at = time.perf_counter()
        self._transport.write(next(self._requests))


async def ask(
    host: str, port: int, requests: Iterator[bytes], connections: int, seconds: float
) -> dict[str, float]:
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    until = began + seconds
    askers = [
        (await loop.create_connection(lambda: Asker(requests, until), host, port))[1]
        for _ in range(connections)
    ]
    async with asyncio.timeout(seconds + PATIENCE_SECONDS):
        await asyncio.gather(*(asker.finished for asker in askers))
    took = time.perf_counter() - began
    latencies = sorted(latency for asker in askers for latency in asker.latencies)
    refused = sum(asker.refused for asker in askers)
    return {
        "accepted": len(latencies) - refused,
        "refused": refused,
        "seconds": took,
        "p50_ms": latencies[len(latencies) // 2] * 1000,
        "p99_ms": latencies[len(latencies) * 99 // 100] * 1000,
    }


if __name__ == "__main__":
    given_host, given_port, file, number, duration = sys.argv[1:]
    every = cycle(Path(file).read_bytes().split(b"\0"))
    print(json.dumps(uvloop.run(ask(given_host, int(given_port), every, int(number), float(duration)))))
