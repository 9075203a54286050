"""How many POSTs a second the sandbox takes on one core: a raw client in a process of its own asks it."""

import asyncio
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import jwt
import psutil

from bench.figures import Figure
from bench.options import Bench

SERVE = [sys.executable, "-c", "from notify_sandbox.cli import main; main()", "serve", "--exit-with-parent"]

AIM = 2_000
_CONNECTIONS = 32


class Hammer(asyncio.Protocol):
    """One connection that asks again as soon as it is answered."""

    def __init__(self, request: bytes, until: float, finished: "asyncio.Future[tuple[int, int]]") -> None:
        self._request = request
        self._until = until
        self._finished = finished
        self._accepted = self._refused = 0
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        if head.startswith(b"HTTP/1.1 201"):
            self._accepted += 1
        else:
            self._refused += 1
        assert self._transport is not None
        if time.monotonic() < self._until:
            self._transport.write(self._request)
        else:
            self._transport.close()
            self._finished.set_result((self._accepted, self._refused))


def request_for(ready: dict[str, Any]) -> bytes:
    demo = ready["services"]["demo"]
    key = demo["apiKeys"]["live"]
    token = jwt.encode({"iss": key[-73:-37], "iat": int(time.time())}, key[-36:], algorithm="HS256")
    body = json.dumps(
        {
            "email_address": "amala@example.com",
            "template_id": demo["templates"]["email"],
            "personalisation": {"name": "Amala", "ref": "REP-2026-00017"},
            "reference": "7b0c3a52-6d5e-4a5c-9a57-2f2d8f6f2f10",
        }
    ).encode()
    head = (
        f"POST /v2/notifications/email HTTP/1.1\r\nHost: {ready['url'].removeprefix('http://')}\r\n"
        f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def hammer(ready: dict[str, Any], connections: int, seconds: float) -> tuple[int, int]:
    loop = asyncio.get_running_loop()
    host, port = ready["url"].removeprefix("http://").rsplit(":", 1)
    request, until = request_for(ready), time.monotonic() + seconds
    finished = [loop.create_future() for _ in range(connections)]
    for one in finished:
        await loop.create_connection(lambda one=one: Hammer(request, until, one), host, int(port))
    counts = await asyncio.gather(*finished)
    return sum(one[0] for one in counts), sum(one[1] for one in counts)


def client(ready: dict[str, Any], connections: int, seconds: float, answers: Any) -> None:
    import uvloop

    answers.put(uvloop.run(hammer(ready, connections, seconds)))


def start(folder: Path, *, memory: bool) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
    ready = folder / "ready.json"
    data = [] if memory else ["--data", str(folder / "data")]
    process = subprocess.Popen([*SERVE, "--ready", str(ready), *data], stdin=subprocess.PIPE)
    while not ready.exists():
        time.sleep(0.02)
    return process, json.loads(ready.read_text())


def measure(bench: Bench) -> Iterator[Figure]:
    for memory in (True, False):
        rate, cpu_us, refused = _accepted(seconds=bench.seconds, connections=_CONNECTIONS, memory=memory)
        yield Figure(
            f"sandbox on one core, {'in memory' if memory else 'on disk'}",
            rate,
            "a second",
            aim=f"≥ {AIM:,}",
            good=rate >= AIM and not refused,
            details={"cpu_us": cpu_us},
        )


def _accepted(*, seconds: float, connections: int, memory: bool) -> tuple[float, float, int]:
    """The accepted a second, CPU µs for each, and how many were refused."""
    with tempfile.TemporaryDirectory() as folder:
        process, ready = start(Path(folder), memory=memory)
        try:
            if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
                os.sched_setaffinity(process.pid, {0})
            answers: Any = multiprocessing.Queue()
            before = psutil.Process(process.pid).cpu_times()
            asking = multiprocessing.Process(
                target=client, args=(ready, connections, seconds, answers), daemon=True
            )
            asking.start()
            accepted, refused = answers.get(timeout=seconds + 30)
            asking.join()
            after = psutil.Process(process.pid).cpu_times()
        finally:
            process.terminate()
            process.wait(10)
    spent = after.user + after.system - before.user - before.system
    return accepted / seconds, spent / max(accepted, 1) * 1e6, refused
