"""kill -9 at the worst moments: what was accepted is sent, and sent once."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import psutil
import pytest
import requests

SENDING = "/v2/notifications/email"


def post_many(demo: Any, count: int) -> list[requests.Response | None]:
    """The answers to so many POSTs from several clients; None where the connection was cut."""

    def post(number: int) -> requests.Response | None:
        try:
            return requests.post(
                f"{demo.said['url']}/notifications",
                json=demo.email(email=f"resident-{number}@example.com"),
                headers={"x-api-key": demo.said["apiKey"]},
                timeout=15,
            )
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
            return None

    with ThreadPoolExecutor(8) as clients:
        return list(clients.map(post, range(count)))


def accepted(answers: list[requests.Response | None]) -> list[Any]:
    return [answer.json() for answer in answers if answer is not None and answer.status_code == 201]


def everything_known(demo: Any) -> list[Any]:
    """All notifications that the API lists, page by page."""
    found, path = [], "/notifications?limit=200"
    while path:
        answer = demo.call("GET", path)
        found += answer.json()
        path = answer.links.get("next", {}).get("url", "")
    return found


def check_all_sent_once(demo: Any, items: list[Any], *, seconds: float) -> None:
    known = everything_known(demo)
    assert {item["id"] for item in items} <= {item["id"] for item in known}
    ended = demo.until_ended([item["id"] for item in known], seconds=seconds)
    assert {each["status"] for each in ended} == {"delivered"}
    assert demo.sandbox_sent() == sorted(each["id"] for each in ended)


def test_the_whole_demo_killed_between_acceptance_and_sending(
    starter: Any, database: dict[str, str], wait_until: Any
) -> None:
    demo = starter.demo(**database)
    sandbox = psutil.Process(demo.said["pids"]["sandbox"])
    demo.break_sandbox("down", path=SENDING, share=0.3)
    demo.break_sandbox("timeout-after-accepting", path=SENDING, share=0.5)
    demo.break_sandbox("slow", path=SENDING, seconds=0.3)
    items = accepted(post_many(demo, 40))
    assert len(items) == 40

    demo.running.kill()

    wait_until(lambda: not sandbox.is_running(), seconds=5)
    again = starter.demo(data=demo.data, **database)
    assert again.said["templates"] == demo.said["templates"]
    check_all_sent_once(again, items, seconds=30)
    old_key = {"x-api-key": demo.said["apiKey"]}
    assert again.call("GET", "/notifications?limit=1", **old_key).status_code == 200


def test_the_whole_demo_killed_while_it_accepts(starter: Any, database: dict[str, str]) -> None:
    demo = starter.demo(**database)
    timer = threading.Timer(0.7, demo.running.process.kill)
    timer.start()

    answers = post_many(demo, 2_000)

    timer.join()
    demo.running.process.wait(10)
    items = accepted(answers)
    assert 0 < len(items) < 2_000
    again = starter.demo(data=demo.data, **database)
    check_all_sent_once(again, items, seconds=40)


@pytest.fixture
def killer(postgres_url: str) -> Iterator["Killer"]:
    killer = Killer(postgres_url)
    yield killer
    killer.stop()


class Killer:
    """Ends every connection to a database, again and again, until it is told to stop."""

    def __init__(self, url: str) -> None:
        self.ended = 0
        self._url = url
        self._done = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._work()))

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._done.set()
        if self._thread.is_alive():
            self._thread.join(10)

    async def _work(self) -> None:
        connection = await asyncpg.connect(self._url)
        while not self._done.wait(0.2):
            self.ended += await connection.fetchval(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        await connection.close()


@pytest.mark.postgres
def test_postgres_connections_killed_while_it_accepts(
    starter: Any, postgres_url: str, killer: Killer
) -> None:
    demo = starter.demo(DATABASE_URL=postgres_url)
    killer.start()

    answers = post_many(demo, 400)

    killer.stop()
    assert killer.ended > 0
    told = {(answer.status_code, "Retry-After" in answer.headers) for answer in answers if answer is not None}
    assert None not in answers, demo.running.output
    assert told <= {(201, False), (503, True)}
    items = accepted(answers)
    assert len(items) > 0
    assert len(accepted(post_many(demo, 10))) == 10
    check_all_sent_once(demo, items, seconds=40)
