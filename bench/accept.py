"""How many emails a second POST /notifications takes, durably written, beside the floor.

    python bench/accept.py [--seconds 5] [--rounds 3] [--connections 64] [--database sqlite|postgres]
                           [--postgres postgresql://…] [--no-memory]

Postroom's API and the floor (bench/accepting/floor.py: the same two rows by the same driver with group commit
behind a bare endpoint) answer in processes of their own, in turn and again, so that a busy machine troubles
both; the figures are medians of the rounds. The load comes from one more process. PostgreSQL is started for
the while, with fsync on, unless a server is named. Results go to bench/results/ as JSON.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import psutil

sys.path.append(str(Path(__file__).parents[1]))

from tools.keep_postgres import DURABLE, NotInstalled, new_server

HERE = Path(__file__).parent
RESULTS = HERE / "results"
AIM = 0.5
MEMORY_AIM_MB = 150
WARM_UP_SECONDS = 1.0


@dataclass(frozen=True)
class Round:
    """One server under load for some seconds. CPU is the server process's alone, user and system."""

    rate: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    refused: int


@dataclass(frozen=True)
class Server:
    process: subprocess.Popen[bytes]
    port: int
    request: Path


def main() -> int:
    given = arguments()
    RESULTS.mkdir(exist_ok=True)
    results: dict[str, Any] = {"at": datetime.now(UTC).isoformat(), "connections": given.connections}
    with tempfile.TemporaryDirectory(prefix="postroom-bench-") as name, sandbox(Path(name)) as notify:
        for kind in given.database or ("sqlite", "postgres"):
            place = Path(name) / kind
            place.mkdir()
            with databases(kind, place, given.postgres) as (ours, floor):
                results[kind] = compare(given, kind, place, ours, floor, notify)
                if not given.no_memory:
                    results[kind]["memory_mb"] = memory(kind, place, floor, given.connections)
    path = RESULTS / f"accept-{datetime.now(UTC):%Y%m%dT%H%M%S}.json"
    path.write_text(json.dumps(results, indent=2) + "\n")
    return 0 if all(good(results[kind]) for kind in results if kind in ("sqlite", "postgres")) else 1


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--database", action="append", choices=("sqlite", "postgres"))
    parser.add_argument("--postgres", help="a server's URL without a database; else one is started")
    parser.add_argument("--no-memory", action="store_true", help="leave the demo's memory out")
    return parser.parse_args()


def good(result: dict[str, Any]) -> bool:
    enough = result["ratio"] >= AIM and result["refused"] == 0
    return bool(enough and result.get("memory_mb", {"after": 0})["after"] < MEMORY_AIM_MB)


def compare(
    given: argparse.Namespace, kind: str, place: Path, ours: str, floor: str, notify: dict[str, Any]
) -> dict[str, Any]:
    """Rounds of floor and ours in turn; prints and returns their medians."""
    rounds: dict[str, list[Round]] = {"floor": [], "ours": []}
    with our_server(place, ours, notify) as our, floor_server(place, floor, our.request) as its_floor:
        for server in (its_floor, our):
            load(server, given.connections, WARM_UP_SECONDS)
        for _ in range(given.rounds):
            rounds["floor"].append(measured(its_floor, given.connections, given.seconds))
            rounds["ours"].append(measured(our, given.connections, given.seconds))
    middle = {name: medians(measured_rounds) for name, measured_rounds in rounds.items()}
    # Of neighbours in time: what else the machine does then slows both.
    ratio = median(ours.rate / bare.rate for bare, ours in zip(rounds["floor"], rounds["ours"], strict=True))
    for name, one in middle.items():
        print(
            f"{kind:>8} {name:>5}: {one.rate:6,.0f} requests a second   p50 {one.p50_ms:5.1f} ms   "
            f"p99 {one.p99_ms:5.1f} ms   {one.cpu_us:4.0f} µs CPU a request   {one.refused} refused"
        )
    print(
        f"{kind:>8} ratio: {ratio:.2f} of the floor (aim {AIM}); load average {os.getloadavg()[0]:.1f}",
        flush=True,
    )
    return {
        "ratio": ratio,
        "refused": middle["ours"].refused,
        **{name: asdict(one) for name, one in middle.items()},
        "rounds": {name: [asdict(each) for each in some] for name, some in rounds.items()},
    }


def medians(rounds: list[Round]) -> Round:
    return Round(
        rate=median(each.rate for each in rounds),
        p50_ms=median(each.p50_ms for each in rounds),
        p99_ms=median(each.p99_ms for each in rounds),
        cpu_us=median(each.cpu_us for each in rounds),
        refused=sum(each.refused for each in rounds),
    )


def measured(server: Server, connections: int, seconds: float) -> Round:
    process = psutil.Process(server.process.pid)
    before = process.cpu_times()
    said = load(server, connections, seconds)
    after = process.cpu_times()
    spent = after.user + after.system - before.user - before.system
    return Round(
        rate=said["accepted"] / said["seconds"],
        p50_ms=said["p50_ms"],
        p99_ms=said["p99_ms"],
        cpu_us=spent / (said["accepted"] + said["refused"]) * 1e6,
        refused=said["refused"],
    )


def load(server: Server, connections: int, seconds: float) -> dict[str, Any]:
    command = [HERE / "accepting" / "load.py", "127.0.0.1", server.port, server.request, connections, seconds]
    done = subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True, check=True)
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def memory(kind: str, place: Path, url: str, connections: int) -> dict[str, float]:
    """Resident memory of API and worker in one process (`postroom demo`): at rest, and after some load."""
    ready = place / "demo.json"
    command = [
        sys.executable,
        "-m",
        "postroom",
        "demo",
        "--port",
        0,
        "--data",
        place / "demo",
        "--ready",
        ready,
    ]
    environment = os.environ | ({} if kind == "sqlite" else {"DATABASE_URL": url})
    with running(command, ready, log=place / "demo.log", environment=environment) as (process, said):
        at_rest = psutil.Process(process.pid).memory_info().rss / 2**20
        port = int(said["url"].rsplit(":", 1)[1])
        request = write_request(
            place / "demo.request", port, said["service"], said["apiKey"], said["templates"]
        )
        load(Server(process, port, request), connections, 3)
        after = psutil.Process(process.pid).memory_info().rss / 2**20
    print(
        f"{kind:>8} API with worker: {at_rest:.0f} MB at rest, {after:.0f} MB after 3 s of load", flush=True
    )
    return {"at_rest": at_rest, "after": after}


def write_request(path: Path, port: int, service: str, key: str, templates: dict[str, str]) -> Path:
    body = json.dumps(
        {
            "notificationType": "Email",
            "serviceKey": service,
            "templateId": templates["email"],
            "email": "amala@example.com",
            "personalisationParams": {"name": "Amala", "ref": "REP-2026-00017"},
        }
    ).encode()
    head = (
        f"POST /notifications HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nx-api-key: {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    path.write_bytes(head.encode() + body)
    return path


@contextmanager
def our_server(place: Path, url: str, notify: dict[str, Any]) -> Iterator[Server]:
    ready = place / "ours.json"
    (service,) = notify["services"].values()
    command = [HERE / "accepting" / "ours.py", url, ready, notify["url"], service["apiKeys"]["live"]]
    with running([sys.executable, *command], ready, log=place / "ours.log") as (process, said):
        request = write_request(
            place / "request", said["port"], said["service"], said["apiKey"], service["templates"]
        )
        yield Server(process, said["port"], request)


@contextmanager
def floor_server(place: Path, url: str, request: Path) -> Iterator[Server]:
    ready = place / "floor.json"
    command = [sys.executable, HERE / "accepting" / "floor.py", url, ready]
    with running(command, ready, log=place / "floor.log") as (process, said):
        yield Server(process, said["port"], request)


@contextmanager
def sandbox(place: Path) -> Iterator[dict[str, Any]]:
    """The sandbox, where the templates come from."""
    ready = place / "sandbox.json"
    command = [sys.executable, "-m", "notify_sandbox", "serve", "--port", 0, "--ready", ready]
    with running(command, ready, log=place / "sandbox.log") as (_, said):
        yield said


@contextmanager
def running(
    command: list[Any], ready: Path, *, log: Path, environment: dict[str, str] | None = None
) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, Any]]]:
    """A process that writes JSON to `ready` once it answers; ended at the end."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(part) for part in command], stdout=output, stderr=output, env=environment
        )
    try:
        yield process, read_when_ready(process, ready, log)
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()


def read_when_ready(process: "subprocess.Popen[bytes]", ready: Path, log: Path) -> dict[str, Any]:
    until = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < until:
        with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
            said: dict[str, Any] = json.loads(ready.read_text())
            return said
        time.sleep(0.05)
    sys.exit(f"a server did not start:\n{log.read_text()[-2000:]}")


@contextmanager
def databases(kind: str, place: Path, server_url: str | None) -> Iterator[tuple[str, str]]:
    """Two empty databases, for ours and for the floor."""
    if kind == "sqlite":
        yield f"sqlite:///{place / 'ours.db'}", f"sqlite:///{place / 'floor.db'}"
        return
    with contextlib.nullcontext(server_url) if server_url else postgres(place) as url:
        names = [f"bench_{uuid.uuid4().hex}" for _ in range(2)]
        for name in names:
            execute(f"{url}/postgres", f'CREATE DATABASE "{name}"')
        try:
            yield f"{url}/{names[0]}", f"{url}/{names[1]}"
        finally:
            for name in names:
                execute(f"{url}/postgres", f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def postgres(place: Path) -> Iterator[str]:
    """A server of our own, made as the tests make theirs, but one that keeps what it says it keeps."""
    with tempfile.TemporaryDirectory(prefix="postroom-bench-postgres-") as home:
        try:
            server = new_server(Path(home), log=place / "postgres.log", options=DURABLE)
        except NotInstalled as error:
            sys.exit(f"{error}; or name one with --postgres")
        server.create()
        server.start()
        try:
            yield server.url
        finally:
            server.stop()


def execute(url: str, statement: str) -> None:
    import asyncio

    import asyncpg

    async def work() -> None:
        connection = await asyncpg.connect(url)
        await connection.execute(statement)
        await connection.close()

    asyncio.run(work())


if __name__ == "__main__":
    sys.exit(main())
