"""What a worker had in hand when it was killed goes to another, with the times that hold in life."""

import asyncio
import json
import signal
import socket
import time
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import pytest
import requests
from notifications_python_client import NotificationsAPIClient

pytestmark = pytest.mark.postgres

MESSAGES = 20


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).status_code == 200
    except requests.ConnectionError:
        return False


def queues_read(postgres_url: str) -> int:
    """How many lanes of workers are connected."""

    async def count() -> int:
        connection = await asyncpg.connect(postgres_url)
        found = await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name LIKE 'postroom queue %'"
        )
        await connection.close()
        return int(found)

    return asyncio.run(count())


def test_what_a_killed_worker_was_calling_for_is_taken_over_within_thirty_seconds(
    starter: Any, postgres_url: str, secrets: dict[str, str], wait_until: Any, tmp_path: Path
) -> None:
    environment = secrets | {"DATABASE_URL": postgres_url}
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
    url = f"http://127.0.0.1:{port}"
    starter.wait_for(api, lambda: answers(f"{url}/health/ready"))
    notify = NotificationsAPIClient(notify_key, base_url=said["url"])
    heir = starter.start("worker", **environment)
    doomed = starter.start("worker", **environment)
    starter.wait_for(doomed, lambda: queues_read(postgres_url) == 4)
    heir.process.send_signal(signal.SIGSTOP)
    fault = {"kind": "timeout-after-accepting", "path": "/v2/notifications/email"}
    requests.post(f"{said['url']}/sandbox/faults", json=fault, timeout=5).raise_for_status()
    body = {
        "notificationType": "Email",
        "serviceKey": "demo",
        "templateId": said["services"]["demo"]["templates"]["email"],
        "email": "joe@example.com",
        "personalisationParams": {"name": "Joe", "ref": "X1"},
    }
    session = requests.Session()
    session.headers["x-api-key"] = api_key
    ids = []
    for _ in range(MESSAGES):
        answer = session.post(f"{url}/notifications", json=body, timeout=10)
        ids.append(answer.json()["deliveries"][0]["id"])
    wait_until(lambda: len(notify.get_all_notifications()["notifications"]) == MESSAGES, seconds=9)

    killed_at = time.monotonic()
    doomed.kill()
    heir.process.send_signal(signal.SIGCONT)

    def statuses() -> list[str]:
        found = session.get(f"{url}/notifications?limit=200", timeout=10).json()
        return [item["deliveries"][0]["status"] for item in found]

    assert statuses() == ["pending"] * MESSAGES
    # All were called for some seconds before the kill: their leases lapse within 20 s of it.
    left = 30 - (time.monotonic() - killed_at)
    wait_until(lambda: "pending" not in statuses(), seconds=left, every=0.2)
    sent = [each["reference"] for each in notify.get_all_notifications_iterator()]
    assert sorted(sent) == sorted(ids)
