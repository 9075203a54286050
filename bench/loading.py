"""Load on one server, from a process of its own."""

import json
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.options import Bench
from bench.servers import TOP, Running


@dataclass(frozen=True)
class Target:
    """A server, and the requests that it is asked, one after the other and again."""

    server: Running
    requests: Sequence[bytes]


@dataclass(frozen=True)
class Answered:
    """What came of some seconds of load. CPU is the server process's alone, user and system."""

    rate: float
    p50_ms: float
    p99_ms: float
    cpu_us: float


def request(port: int, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        *(f"{name}: {value}" for name, value in headers.items()),
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def load(target: Target, bench: Bench, *, seconds: float) -> Answered:
    """Ask for so long; ends the run where an answer is not as it should be."""
    file = bench.place / f"requests-{uuid.uuid4().hex[:8]}"
    file.write_bytes(b"\0".join(target.requests))
    command = [sys.executable, "-m", "bench.load", "127.0.0.1", target.server.port, file]
    before = target.server.cpu_seconds()
    done = subprocess.run(
        [*map(str, command), str(bench.connections), str(seconds)],
        capture_output=True,
        text=True,
        check=True,
        cwd=TOP,
    )
    spent = target.server.cpu_seconds() - before
    file.unlink()
    said = json.loads(done.stdout)
    if said["refused"]:
        raise SystemExit(f"{said['refused']} of {said['refused'] + said['accepted']} requests were refused")
    return Answered(
        rate=said["accepted"] / said["seconds"],
        p50_ms=said["p50_ms"],
        p99_ms=said["p99_ms"],
        cpu_us=spent / said["accepted"] * 1e6,
    )
