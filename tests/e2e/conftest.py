"""Real processes, as people start them: each test's own, on free ports, and none of them outlives it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import psutil
import pytest
import requests
from notifications_python_client import NotificationsAPIClient

from postroom.interfaces.tokens import issue_officer_token

POSTROOM = Path(sys.executable).with_name("postroom")
SECRETS = {
    "POSTROOM_SECRET": "a-secret-for-tests-that-is-long-enough",
    "OFFICER_TOKEN_SECRET": "the-secret-that-signs-officers-tokens",
}
QUICK = {
    "POSTROOM_CALL_TIMEOUT_SECONDS": "1",
    "POSTROOM_LEASE_SECONDS": "4",
    "POSTROOM_QUIET_SECONDS": "1.5",
    "POSTROOM_SECOND_LOOK_SECONDS": "0.3",
    "POSTROOM_FIRST_WAIT_SECONDS": "0.2",
    "POSTROOM_LONGEST_WAIT_SECONDS": "1",
    "POSTROOM_LIMITED_WAIT_SECONDS": "0.5",
    # A receipt that was posted to a process that had been killed comes again after minutes.
    "POSTROOM_POLL_EMAIL_AND_TEXT_SECONDS": "2",
    # Joe gets many of one template.
    "POSTROOM_SAME_TEMPLATE_AN_HOUR": "0",
}
OURS = re.compile(r"POSTROOM_|DATABASE_URL|OFFICER_TOKEN_|SERVICE_TOKEN_|COGNITO_|RAW_NOTIFY_KEYS|NOTIFY_")


@dataclass(slots=True)
class Running:
    """A process of ours, and all that came of it."""

    process: "subprocess.Popen[bytes]"
    out: Path
    err: Path

    @property
    def output(self) -> str:
        return self.out.read_text() + self.err.read_text()

    def family(self) -> list[psutil.Process]:
        """The process with its children, while it lives."""
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Tell it to stop; how many seconds that took until none of its family was left."""
        family, started = self.family(), time.monotonic()
        self.process.send_signal(number)
        self.process.wait(10)
        _, alive = psutil.wait_procs(family, timeout=5)
        assert alive == [], f"still alive: {alive}"
        return time.monotonic() - started


@dataclass(slots=True)
class Demo:
    """A demo that answers, what its ready file says, and what its sandbox was given."""

    running: Running
    ready_file: Path
    data: Path
    said: dict[str, Any]
    session: requests.Session = field(default_factory=requests.Session)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        return self.session.request(
            method,
            f"{self.said['url']}{path}",
            json=body,
            headers={"x-api-key": self.said["apiKey"]} | headers,
            timeout=15,
        )

    def email(self, **others: Any) -> dict[str, Any]:
        return {
            "notificationType": "Email",
            "serviceKey": self.said["service"],
            "templateId": self.said["templates"]["email"],
            "email": "joe@example.com",
            "personalisationParams": {"name": "Joe", "ref": "X1"},
        } | others

    def accepted(self, body: dict[str, Any]) -> Any:
        answer = self.call("POST", "/notifications", body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def until_ended(self, ids: list[str], *, seconds: float) -> list[Any]:
        """The notifications' deliveries, once all have ended."""
        found: dict[str, Any] = {}

        def all_ended() -> bool:
            for each in ids:
                if each not in found:
                    deliveries = self.call("GET", f"/notifications/{each}").json()["deliveries"]
                    if any(delivery["completedAt"] is None for delivery in deliveries):
                        return False
                    found[each] = deliveries
            return True

        until(all_ended, seconds=seconds)
        return [delivery for each in ids for delivery in found[each]]

    def sandbox_sent(self) -> list[str]:
        """The references of all that the sandbox was given, read as anybody reads Notify."""
        client = NotificationsAPIClient(self.said["sandbox"]["apiKey"], base_url=self.said["sandbox"]["url"])
        pages = client.get_all_notifications_iterator()
        return sorted(each["reference"] for each in pages)

    def break_sandbox(self, kind: str, **more: Any) -> None:
        url = f"{self.said['sandbox']['url']}/sandbox/faults"
        requests.post(url, json={"kind": kind} | more, timeout=5).raise_for_status()

    def heal_sandbox(self) -> None:
        requests.delete(f"{self.said['sandbox']['url']}/sandbox/faults", timeout=5).raise_for_status()


def until(true: Callable[[], bool], *, seconds: float, every: float = 0.05) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(every)


class Starter:
    """Starts commands of `postroom`, and ends all that is left of them."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._started: list[Running] = []
        self._families: list[psutil.Process] = []

    def start(self, *arguments: object, **environment: str) -> Running:
        number = len(self._started)
        out, err = self._place / f"{number}.out", self._place / f"{number}.err"
        with out.open("wb") as written, err.open("wb") as said:
            running = Running(self._popen(arguments, environment, written, said), out, err)
        self._started.append(running)
        return running

    def run(self, *arguments: object, **environment: str) -> "subprocess.CompletedProcess[str]":
        """A command that ends by itself."""
        return subprocess.run(
            self._command(arguments),
            env=self._environment(environment),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    def demo(self, *, data: Path | None = None, **environment: str) -> Demo:
        """A demo on free ports, once it answers."""
        data = data or self._place / "data"
        ready = self._place / f"ready-{len(self._started)}.json"
        running = self.start("demo", "--port", 0, "--data", data, "--ready", ready, **(QUICK | environment))
        self.wait_for(running, ready.exists)
        self._families += running.family()
        return Demo(running=running, ready_file=ready, data=data, said=json.loads(ready.read_text()))

    def wait_for(self, running: Running, true: Callable[[], bool], *, seconds: float = 30) -> None:
        """Wait until it has come so far; where it ended instead, say what it said."""

        def come_so_far() -> bool:
            assert running.process.poll() is None, running.output
            return true()

        until(come_so_far, seconds=seconds)

    def clean_up(self) -> None:
        for running in self._started:
            if running.process.poll() is None:
                self._families += running.family()
        for process in self._families:
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                process.kill()
        for running in self._started:
            running.process.wait(10)

    def _popen(
        self, arguments: tuple[object, ...], environment: dict[str, str], out: IO[bytes], err: IO[bytes]
    ) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            self._command(arguments), env=self._environment(environment), stdout=out, stderr=err
        )

    def _command(self, arguments: tuple[object, ...]) -> list[str]:
        return [str(POSTROOM), *map(str, arguments)]

    def _environment(self, others: dict[str, str]) -> dict[str, str]:
        """Ours with nothing of Postroom's in it but what is given."""
        return {name: value for name, value in os.environ.items() if not OURS.match(name)} | others


@dataclass(slots=True)
class Parts:
    """A sandbox, an API and workers as processes of their own, over one PostgreSQL."""

    starter: Starter
    environment: dict[str, str]
    sandbox: dict[str, Any]
    api: Running
    url: str
    api_key: str
    session: requests.Session = field(default_factory=requests.Session)

    def worker(self, **others: str) -> Running:
        return self.starter.start("worker", **(self.environment | others))

    def post(self, number: int) -> requests.Response:
        """Asks for one email to Joe. Asked again with the same number, it is the same one."""
        return requests.post(
            f"{self.url}/notifications",
            json={
                "notificationType": "Email",
                "serviceKey": "demo",
                "templateId": self.sandbox["services"]["demo"]["templates"]["email"],
                "email": "joe@example.com",
                "personalisationParams": {"name": "Joe", "ref": f"X{number}"},
            },
            headers={"x-api-key": self.api_key, "Idempotency-Key": f"joe-{number}"},
            timeout=30,
        )

    def shown(self, user: str) -> Any:
        """A notification on that officer's screen."""
        answer = requests.post(
            f"{self.url}/notifications",
            json={
                "notificationType": "Screen",
                "targetId": "estimate-17",
                "targetType": "Estimates",
                "user": user,
                "message": "The estimates are ready to be approved",
            },
            headers={"x-api-key": self.api_key},
            timeout=30,
        )
        assert answer.status_code == 201, answer.text
        return answer.json()

    @contextmanager
    def stream(self, email: str) -> Iterator[Iterator[str]]:
        """The lines of that officer's stream, as they come."""
        token = issue_officer_token(
            secret=SECRETS["OFFICER_TOKEN_SECRET"],
            email=email,
            groups=[],
            issued_at=int(time.time()),
            valid_for_seconds=600,
        )
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{self.url}/notifications/stream"
        with requests.get(url, headers=headers, stream=True, timeout=30) as answer:
            assert answer.status_code == 200, answer.text
            yield answer.iter_lines(chunk_size=1, decode_unicode=True)

    def accepted(self, numbers: Iterable[int]) -> list[str]:
        """The deliveries of so many emails that were all accepted."""
        with ThreadPoolExecutor(8) as clients:
            answers = list(clients.map(self.post, numbers))
        assert {answer.status_code for answer in answers} == {201}
        return [answer.json()["deliveries"][0]["id"] for answer in answers]

    def deliveries(self) -> dict[str, str]:
        """The status of every delivery, by its id, as the API lists them, page by page."""
        found, page = {}, f"{self.url}/notifications?limit=200"
        while page:
            answer = self.session.get(page, headers={"x-api-key": self.api_key}, timeout=15)
            found |= {each["id"]: each["status"] for item in answer.json() for each in item["deliveries"]}
            following = answer.links.get("next", {}).get("url", "")
            page = following and f"{self.url}{following}"
        return found

    def is_ready(self) -> bool:
        try:
            return requests.get(f"{self.url}/health/ready", timeout=5).status_code == 200
        except requests.ConnectionError:
            return False

    def taken(self) -> list[str]:
        """The references of all that the sandbox was given."""
        (key, url) = self.sandbox["services"]["demo"]["apiKeys"]["live"], self.sandbox["url"]
        pages = NotificationsAPIClient(key, base_url=url).get_all_notifications_iterator()
        return sorted(each["reference"] for each in pages)

    def break_sandbox(self, kind: str, **more: Any) -> None:
        fault = {"kind": kind, "path": "/v2/notifications/email"} | more
        requests.post(f"{self.sandbox['url']}/sandbox/faults", json=fault, timeout=5).raise_for_status()

    def heal_sandbox(self) -> None:
        requests.delete(f"{self.sandbox['url']}/sandbox/faults", timeout=5).raise_for_status()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture
def parts(starter: Starter, tmp_path: Path) -> Callable[[str], Parts]:
    """Starts all but the workers over a database, by its URL; they answer when it returns."""

    def started(database_url: str) -> Parts:
        environment = QUICK | SECRETS | {"DATABASE_URL": database_url}
        described = tmp_path / "sandbox.json"
        sandbox = starter.start("sandbox", "--port", 0, "--ready", described)
        starter.wait_for(sandbox, described.exists)
        said = json.loads(described.read_text())
        made = starter.run(
            *("services", "add", "demo", "--notify-url", said["url"], "--json"),
            **environment,
            NOTIFY_KEY=said["services"]["demo"]["apiKeys"]["live"],
        )
        port = free_port()
        api = starter.start("api", "--port", port, **environment)
        parts = Parts(
            starter, environment, said, api, f"http://127.0.0.1:{port}", json.loads(made.stdout)["apiKey"]
        )
        starter.wait_for(api, parts.is_ready)
        return parts

    return started


@pytest.fixture
def starter(tmp_path: Path) -> Iterator[Starter]:
    starter = Starter(tmp_path)
    yield starter
    starter.clean_up()


@pytest.fixture
def quick() -> dict[str, str]:
    return dict(QUICK)


@pytest.fixture
def secrets() -> dict[str, str]:
    return dict(SECRETS)


@pytest.fixture
def wait_until() -> Callable[..., None]:
    return until


@pytest.fixture(
    params=[
        pytest.param("", marks=pytest.mark.sqlite, id="sqlite"),
        pytest.param("postgres_url", marks=pytest.mark.postgres, id="postgres"),
    ]
)
def database(request: pytest.FixtureRequest) -> dict[str, str]:
    """The environment that chooses a database: nothing for the demo's own on SQLite."""
    if not request.param:
        return {}
    return {"DATABASE_URL": request.getfixturevalue(request.param)}
