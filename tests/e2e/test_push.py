"""Popups by real processes: several workers, one of them killed between what it sent and what it wrote."""

import json
import time
from collections.abc import Iterator

import pytest
import requests

from postroom.interfaces.tokens import issue_officer_token
from tests.e2e.conftest import QUICK, SECRETS, Running, Starter, free_port, until
from tests.push_service import PushService, push_service_beside

AMALA = "amala.officer@hackney.gov.uk"
NOTIFICATIONS = 12


@pytest.fixture
def service() -> Iterator[PushService]:
    with push_service_beside() as running:
        yield running


def settings_for(database_url: str) -> dict[str, str]:
    return QUICK | SECRETS | {"DATABASE_URL": database_url, "POSTROOM_PRIVATE_WEBHOOKS": "on"}


def officer() -> dict[str, str]:
    token = issue_officer_token(
        secret=SECRETS["OFFICER_TOKEN_SECRET"],
        email=AMALA,
        groups=[],
        issued_at=int(time.time()),
        valid_for_seconds=600,
    )
    return {"Authorization": f"Bearer {token}"}


def is_ready(url: str) -> bool:
    try:
        return requests.get(f"{url}/health/ready", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


def started(
    starter: Starter, command: str, environment: dict[str, str]
) -> tuple[Running, str, dict[str, str]]:
    """The process, its address, and the headers of a service that posts there."""
    added = starter.run("services", "add", "demo", "--json", **environment)
    assert added.returncode == 0, added.stderr
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    running = starter.start(command, "--port", port, **environment)
    starter.wait_for(running, lambda: is_ready(url))
    return running, url, {"x-api-key": json.loads(added.stdout)["apiKey"]}


def post(url: str, key: dict[str, str], number: int) -> str:
    body = {
        "notificationType": "Screen",
        "targetId": "t-1",
        "targetType": "Estimates",
        "user": AMALA,
        "message": f"Number {number}",
    }
    answer = requests.post(f"{url}/notifications", json=body, headers=key, timeout=10)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


@pytest.mark.postgres
def test_workers_that_are_killed_lose_no_popup(
    starter: Starter, postgres_url: str, service: PushService
) -> None:
    environment = settings_for(postgres_url)
    _, url, key = started(starter, "api", environment)
    browser = service.browser(delay=0.3)
    answer = requests.post(
        f"{url}/push/subscriptions", json=browser.subscription, headers=officer(), timeout=10
    )
    assert answer.status_code == 201, answer.text
    workers = [starter.start("worker", **environment) for _ in range(2)]

    made = []
    for number in range(NOTIFICATIONS):
        made.append(post(url, key, number))
        time.sleep(0.2)
        if number == NOTIFICATIONS // 2:
            until(lambda: len(browser.asked) > 0, seconds=60)
            for worker in workers:
                worker.kill()
    starter.start("worker", **environment)

    def told() -> int:
        """How many they told of: of many at once one popup says the number."""
        alone = {each["id"] for each in browser.shown if each["id"] is not None}
        several = [int(each["title"].split()[0]) for each in browser.shown if each["id"] is None]
        assert alone <= set(made)
        return len(alone) + sum(several)

    # What was in hand when they were killed is sent again once its lease has lapsed; and where the machine is
    # so busy that a call ends without an answer, twice, a minute later.
    until(lambda: told() >= NOTIFICATIONS, seconds=150, every=0.3)
    assert browser.shown[-1]["unread"] == NOTIFICATIONS


@pytest.mark.sqlite
def test_what_waited_while_nothing_ran_is_pushed_after_the_start(
    starter: Starter, sqlite_url: str, service: PushService
) -> None:
    environment = settings_for(sqlite_url)
    running, url, key = started(starter, "serve", environment)
    browser = service.browser(status=503)
    answer = requests.post(
        f"{url}/push/subscriptions", json=browser.subscription, headers=officer(), timeout=10
    )
    assert answer.status_code == 201, answer.text
    public_key = requests.get(f"{url}/push", headers=officer(), timeout=5).json()["publicKey"]
    made = post(url, key, 1)
    until(lambda: len(browser.asked) > 0, seconds=20)
    running.stop()
    browser.status = 201
    port = free_port()
    again = starter.start("serve", "--port", port, **environment)
    starter.wait_for(again, lambda: is_ready(f"http://127.0.0.1:{port}"))

    until(lambda: len(browser.shown) > 0, seconds=40)
    assert [each["id"] for each in browser.shown] == [made]
    assert service.keys == {public_key}
