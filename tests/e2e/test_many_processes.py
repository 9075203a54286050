"""The parts started alone, on PostgreSQL: an API, two workers, a sandbox, and one worker that is killed."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest
import requests
from notifications_python_client import NotificationsAPIClient

pytestmark = pytest.mark.postgres

MESSAGES = 60


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).status_code == 200
    except (requests.ConnectionError, requests.Timeout):
        return False


def test_a_worker_killed_in_the_middle_leaves_nothing_unsent_and_nothing_sent_twice(
    starter: Any,
    postgres_url: str,
    quick: dict[str, str],
    secrets: dict[str, str],
    wait_until: Any,
    tmp_path: Path,
) -> None:
    environment = quick | secrets | {"DATABASE_URL": postgres_url}
    described = tmp_path / "sandbox.json"
    sandbox = starter.start("sandbox", "--port", 0, "--ready", described)
    starter.wait_for(sandbox, described.exists)
    said = json.loads(described.read_text())
    notify_key = said["services"]["demo"]["apiKeys"]["live"]
    made = starter.run(
        "services", "add", "demo", "--notify-url", said["url"], "--json", **environment, NOTIFY_KEY=notify_key
    )
    api_key = json.loads(made.stdout)["apiKey"]
    port = free_port()
    api = starter.start("api", "--port", port, **environment)
    workers = [starter.start("worker", **environment) for _ in range(2)]
    url = f"http://127.0.0.1:{port}"
    starter.wait_for(api, lambda: answers(f"{url}/health/ready"))
    notify = NotificationsAPIClient(notify_key, base_url=said["url"])
    slow = {"kind": "slow", "path": "/v2/notifications/email", "seconds": 0.4}
    requests.post(f"{said['url']}/sandbox/faults", json=slow, timeout=5).raise_for_status()

    body = {
        "notificationType": "Email",
        "serviceKey": "demo",
        "templateId": said["services"]["demo"]["templates"]["email"],
        "email": "joe@example.com",
        "personalisationParams": {"name": "Joe", "ref": "X1"},
    }
    session = requests.Session()
    session.headers["x-api-key"] = api_key
    made_ids = []
    for number in range(MESSAGES):
        answer = session.post(f"{url}/notifications", json=body, timeout=10)
        assert answer.status_code == 201, answer.text
        made_ids.append(answer.json()["deliveries"][0]["id"])
        if number == MESSAGES // 2:
            wait_until(lambda: len(notify.get_all_notifications()["notifications"]) > 0, seconds=20)
            workers[0].kill()

    def listed() -> list[str]:
        found = session.get(f"{url}/notifications?limit=200", timeout=10).json()
        return [item["deliveries"][0]["status"] for item in found]

    wait_until(lambda: listed() == ["delivered"] * MESSAGES, seconds=45, every=0.3)
    sent = [each["reference"] for each in notify.get_all_notifications_iterator()]
    assert sorted(sent) == sorted(made_ids)
    assert [running.stop() < 5 for running in (workers[1], api)] == [True, True]
    assert [running.process.returncode for running in (workers[1], api)] == [0, 0]
