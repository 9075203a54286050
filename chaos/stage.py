"""All that a run consists of: the database, the provider's sandbox, APIs and workers, and the services."""

import asyncio
import json
import os
import random
import re
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import msgspec

from chaos.mischief import CALL_TIMEOUT, LEASE, QUIET
from chaos.process import Process
from chaos.traffic import SERVICES
from notify_sandbox.demo import demo_seed
from notify_sandbox.model import Callback
from notify_sandbox.seed import Seed
from postroom.kit.crypto import new_secret
from tools.keep_postgres import DURABLE, Server, new_server

APIS, WORKERS = 2, 3
DATABASE = "chaos"

_TIMES = {
    "CALL_TIMEOUT": CALL_TIMEOUT,
    "LEASE": LEASE,
    "QUIET": QUIET,
    "SECOND_LOOK": 1.5,
    "FIRST_WAIT": 0.3,
    "LONGEST_WAIT": 3,
    "LIMITED_WAIT": 1,
    "POLL_EMAIL_AND_TEXT": 3,
    "POLL_LETTER": 2,
    "LONGEST_POLL": 8,
    "CIRCUIT_LONGEST_WAIT": 3,
}
_OURS = re.compile(r"POSTROOM_|DATABASE_URL|OFFICER_TOKEN_SECRET|RAW_NOTIFY_KEYS|NOTIFY_")
_PORTS = range(20_000, 30_000)
"""Below those that the kernel gives to anybody: a process that is down finds its own again."""
_STARTS_WITHIN = 60


@dataclass(slots=True)
class Stage:
    """Everything that runs, by name, and what one needs to know to use it."""

    place: Path
    database_url: str
    sandbox_url: str
    doors: tuple[str, ...]
    session: aiohttp.ClientSession
    processes: dict[str, Process]
    server: Server | None = None
    api_keys: dict[str, str] = field(default_factory=dict)
    templates: dict[str, dict[str, str]] = field(default_factory=dict)
    """Each service's templates: channel and id."""

    async def answers(self, url: str) -> bool:
        try:
            async with self.session.get(url, timeout=aiohttp.ClientTimeout(total=3)) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    async def until_all_answer(self) -> None:
        for door in self.doors:
            await until(lambda door=door: self.answers(f"{door}/health/ready"), what=f"{door} to answer")  # type: ignore[misc]
        await until(lambda: self.answers(f"{self.sandbox_url}/sandbox/health"), what="the sandbox")

    async def ask_sandbox(self, method: str, path: str, body: object = None) -> Any:
        async with self.session.request(
            method, f"{self.sandbox_url}/sandbox/{path}", json=body, timeout=aiohttp.ClientTimeout(total=30)
        ) as answer:
            answer.raise_for_status()
            return await answer.json()


@asynccontextmanager
async def stage(database: str, place: Path) -> AsyncIterator[Stage]:
    """Everything started and ready; all of it ended at the end, however that comes."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        made = _set_up(database, place, session)
        try:
            await _begin(made)
            yield made
        finally:
            for process in made.processes.values():
                process.end()
            if made.server is not None:
                made.server.stop(immediately=True)


async def until(
    true: Callable[[], Awaitable[bool]],
    *,
    what: str,
    seconds: float = _STARTS_WITHIN,
    every: float = 0.1,
) -> None:
    end = time.monotonic() + seconds
    while not await true():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds:.0f} s in vain for {what}")
        await asyncio.sleep(every)


def _set_up(database: str, place: Path, session: aiohttp.ClientSession) -> Stage:
    """Nothing runs yet; but it is settled who will, where, and with which settings."""
    on_postgres = database == "postgres"
    server = _server(place) if on_postgres else None
    ports = _free_ports(APIS + 2)
    url = f"sqlite:///{place / 'postroom.db'}"
    if server is not None:
        server.port = ports[-1]
        url = f"{server.url}/{DATABASE}"
    names = [f"api-{number}" for number in range(APIS)] if on_postgres else ["serve"]
    made = Stage(
        place=place,
        database_url=url,
        sandbox_url=f"http://127.0.0.1:{ports[-2]}",
        doors=tuple(f"http://127.0.0.1:{port}" for port, _ in zip(ports, names, strict=False)),
        session=session,
        processes={},
        server=server,
    )
    commands: dict[str, list[object]] = {
        "sandbox": [
            *("sandbox", "--port", ports[-2], "--data", place / "sandbox", "--exit-with-parent"),
            *("--config", place / "seed.json", "--ready", place / "sandbox.json"),
        ]
    }
    for name, port in zip(names, ports, strict=False):
        commands[name] = ["api" if on_postgres else "serve", "--port", port]
    if on_postgres:
        commands |= {f"worker-{number}": ["worker"] for number in range(WORKERS)}
    environment = _environment(url)
    for name, command in commands.items():
        made.processes[name] = Process(name, [*_POSTROOM, *command], environment, place / f"{name}.log")
    return made


_POSTROOM = (sys.executable, "-m", "postroom")


def _environment(url: str) -> dict[str, str]:
    """Ours, with nothing of Postroom's in it but what a run needs."""
    return {
        **{name: value for name, value in os.environ.items() if not _OURS.match(name)},
        **{f"POSTROOM_{name}_SECONDS": str(value) for name, value in _TIMES.items()},
        "DATABASE_URL": url,
        "POSTROOM_SECRET": new_secret(),
        "OFFICER_TOKEN_SECRET": new_secret(),
    }


def _server(place: Path) -> Server:
    """Its own folder, for PostgreSQL runs as an account that may not read ours."""
    home = place / "postgres"
    home.mkdir()
    # What runs as another account must come through the folders above.
    place.chmod(0o711)
    return new_server(home, log=place / "postgres.log", options=DURABLE)


def _free_ports(count: int) -> list[int]:
    found: list[int] = []
    while len(found) < count:
        port = random.choice(_PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in found:
            found.append(port)
    return found


async def _begin(made: Stage) -> None:
    if made.server is not None:
        await asyncio.to_thread(made.server.create)
        await asyncio.to_thread(made.server.start)
        connection = await asyncpg.connect(f"{made.server.url}/postgres")
        await connection.execute(f"CREATE DATABASE {DATABASE}")
        await connection.close()
    _write_seed(made.place, {})
    made.processes["sandbox"].start()
    await until(lambda: made.answers(f"{made.sandbox_url}/sandbox/health"), what="the sandbox")
    described = await made.ask_sandbox("GET", "services")
    callbacks = {}
    for number, (name, key_type) in enumerate(SERVICES.items()):
        service = described["services"][name]
        registered = await asyncio.to_thread(_register, made, name, service["apiKeys"][key_type])
        made.api_keys[name] = registered["apiKey"]
        made.templates[name] = {
            channel: service["templates"][channel.lower()] for channel in ("Email", "Text", "Letter")
        }
        door = made.doors[number % len(made.doors)]
        callbacks[name] = Callback(
            url=f"{door}/receipts/govuk-notify", bearer_token=registered["receiptToken"]
        )
    # Its seed holds at every start: from now on with the callbacks, which need the tokens made just now.
    _write_seed(made.place, callbacks)
    await made.processes["sandbox"].stop()
    for process in made.processes.values():
        process.start()
    await made.until_all_answer()


def _write_seed(place: Path, callbacks: Mapping[str, Callback]) -> None:
    services = [
        demo_seed(seed=name, name=name, callback=callbacks.get(name)).services[0] for name in SERVICES
    ]
    (place / "seed.json").write_bytes(msgspec.json.encode(Seed(services=services)))


_LIMITS = {
    # The bucket that all workers share is there, but nobody waits for it longer than for mischief.
    "notify-a-minute": 30_000,
    "calls-a-minute": 1_000_000,
    # Few residents get much, and abroad is as near as anywhere.
    "notify-international-texts-a-day": 1_000_000,
    "same-template-an-hour": 0,
    "same-text-an-hour": 0,
    "texts-an-hour": 0,
}


def _register(made: Stage, name: str, notify_key: str) -> dict[str, str]:
    """By the commands, as an operator does."""
    said = _services(made, ["add", name, "--notify-url", made.sandbox_url], notify_key=notify_key)
    limits = [word for limit, number in _LIMITS.items() for word in (f"--{limit}", str(number))]
    _services(made, ["limits", name, *limits], notify_key=notify_key)
    return said


def _services(made: Stage, command: list[str], *, notify_key: str) -> dict[str, str]:
    environment = made.processes["sandbox"].environment
    done = subprocess.run(
        [*_POSTROOM, "services", *command, "--json"],
        env={**environment, "NOTIFY_KEY": notify_key},
        capture_output=True,
        text=True,
        timeout=_STARTS_WITHIN,
        check=True,
    )
    said: dict[str, str] = json.loads(done.stdout)
    return said
