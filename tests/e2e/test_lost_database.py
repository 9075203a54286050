"""A database that goes away: it is said, nothing accepted is lost, and all goes on when it is back."""

import json
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from tools.keep_postgres import Server, new_server

AWAY_SECONDS = 2


@pytest.fixture
def server(postgres_server: str) -> Iterator[Server]:
    """A server of the test's own, to be stopped as by a crash; the run's says where there is none."""
    with tempfile.TemporaryDirectory(prefix="postroom-tests-") as place:
        server = new_server(Path(place) / "server", log=Path(place) / "log")
        Path(place).chmod(0o711)
        server.place.mkdir()
        server.create()
        server.start()
        yield server
        server.stop(immediately=True)


def cpu_seconds(*processes: Any) -> float:
    return sum(sum(psutil.Process(each.process.pid).cpu_times()[:2]) for each in processes)


@pytest.mark.postgres
def test_postgres_stopped_and_started_again(server: Server, parts: Any, wait_until: Any) -> None:
    office = parts(f"{server.url}/postgres")
    worker = office.worker()
    office.break_sandbox("slow", seconds=0.5)
    ids = office.accepted(range(40))
    wait_until(lambda: office.taken() != [], seconds=20)

    server.stop(immediately=True)

    used, began = cpu_seconds(office.api, worker), time.monotonic()
    answers = []
    while time.monotonic() < began + AWAY_SECONDS:
        answers.append(office.post(1000 + len(answers)))
        assert not office.is_ready()
        time.sleep(0.1)
    used = cpu_seconds(office.api, worker) - used
    told = {(each.status_code, each.headers.get("Retry-After"), each.json()["title"]) for each in answers}
    assert told == {(503, "1", "Service Unavailable")}
    assert used < AWAY_SECONDS

    server.start()

    wait_until(office.is_ready, seconds=10)
    wait_until(lambda: office.post(40).status_code == 201, seconds=10)
    ids += office.accepted([40])
    wait_until(lambda: "pending" not in office.deliveries().values(), seconds=30, every=0.3)
    assert sorted(office.deliveries()) == sorted(ids)
    assert office.taken() == sorted(ids)
    assert [each.process.poll() for each in (office.api, worker)] == [None] * 2
    assert len(worker.output.splitlines()) < 200
    assert "Traceback" not in "".join(each.output for each in (office.api, worker))


@pytest.mark.postgres
def test_a_stream_goes_on_when_postgres_is_back(server: Server, parts: Any, wait_until: Any) -> None:
    office = parts(f"{server.url}/postgres")
    with office.stream("amala@hackney.gov.uk") as lines:
        until_told(lines, "count")
        server.stop(immediately=True)
        wait_until(lambda: not office.is_ready(), seconds=10)
        server.start()
        wait_until(office.is_ready, seconds=10)
        made = office.shown("amala@hackney.gov.uk")
        assert until_told(lines, "new")["id"] == made["id"]
        assert until_told(lines, "count")["unread"] == 1


def until_told(lines: Iterator[str], kind: str) -> Any:
    """What the next event of that kind says."""
    while next(lines) != f"event: {kind}":
        pass
    return json.loads(next(lines).removeprefix("data: "))


@pytest.mark.sqlite
def test_sqlite_locked_by_another_process(starter: Any) -> None:
    demo = starter.demo()
    first = demo.accepted(demo.email())
    other = sqlite3.connect(demo.data / "postroom.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")

    began = time.monotonic()
    answer = demo.call("POST", "/notifications", demo.email(), **{"Idempotency-Key": "once"})
    took = time.monotonic() - began

    assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "1"), answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert took < 15
    assert demo.call("GET", f"/notifications/{first['id']}").status_code == 200
    other.execute("ROLLBACK")
    other.close()

    again = demo.call("POST", "/notifications", demo.email(), **{"Idempotency-Key": "once"})
    assert again.status_code == 201
    ended = demo.until_ended([first["id"], again.json()["id"]], seconds=30)
    assert [each["status"] for each in ended] == ["delivered", "delivered"]
    assert demo.sandbox_sent() == sorted(each["id"] for each in ended)


@pytest.mark.sqlite
def test_an_sqlite_file_that_is_taken_away(starter: Any) -> None:
    demo = starter.demo()
    path, away = demo.data / "postroom.db", demo.data / "away.db"
    ready = f"{demo.said['url']}/health/ready"
    path.rename(away)

    assert demo.call("POST", "/notifications", demo.email()).status_code == 503
    assert requests.get(ready, timeout=5).status_code == 503
    assert not path.exists()
    away.rename(path)

    made = demo.accepted(demo.email())
    assert requests.get(ready, timeout=5).status_code == 200
    (ended,) = demo.until_ended([made["id"]], seconds=30)
    assert demo.sandbox_sent() == [ended["id"]]
