"""The server as a process of its own: its ready file, its record after a kill, its end."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from notifications_python_client import NotificationsAPIClient

COMMAND = [sys.executable, "-c", "from notify_sandbox.cli import main; main()", "serve"]


class Process:
    def __init__(self, folder: Path, *arguments: str) -> None:
        ready = folder / "ready.json"
        ready.unlink(missing_ok=True)
        self.popen = subprocess.Popen(
            [*COMMAND, "--ready", str(ready), *arguments], stdin=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.ready_path = ready
        self.ready = self._wait_until_ready()

    def _wait_until_ready(self) -> dict[str, Any]:
        end = time.monotonic() + 20
        while not self.ready_path.exists():
            assert self.popen.poll() is None, self.popen.communicate()
            assert time.monotonic() < end
            time.sleep(0.02)
        read: dict[str, Any] = json.loads(self.ready_path.read_text())
        return read

    @property
    def client(self) -> NotificationsAPIClient:
        return NotificationsAPIClient(self.demo["apiKeys"]["live"], base_url=self.ready["url"])

    @property
    def demo(self) -> dict[str, Any]:
        demo: dict[str, Any] = self.ready["services"]["demo"]
        return demo

    def close(self) -> None:
        if self.popen.poll() is None:
            self.popen.kill()
        self.popen.communicate()


@pytest.fixture
def processes() -> Iterator[list[Process]]:
    started: list[Process] = []
    yield started
    for process in started:
        process.close()


def test_the_ready_file_says_where_it_is(tmp_path: Path, processes: list[Process]) -> None:
    processes.append(process := Process(tmp_path))

    assert process.ready["pid"] == process.popen.pid
    assert sorted(process.demo["apiKeys"]) == ["live", "team", "test"]
    assert sorted(process.demo["templates"]) == ["email", "email_file", "email_plain", "letter", "text"]
    assert stat.S_IMODE(process.ready_path.stat().st_mode) == 0o600


def test_a_killed_sandbox_comes_back_with_everything_it_accepted(
    tmp_path: Path, processes: list[Process]
) -> None:
    data = str(tmp_path / "data")
    processes.append(first := Process(tmp_path, "--data", data, "--speed", "0.05"))
    accepted = [
        first.client.send_email_notification(
            f"amala{number}@example.com",
            first.demo["templates"]["email"],
            {"name": "Amala", "ref": number},
            f"ref-{number}",
        )
        for number in range(5)
    ]
    first.popen.kill()
    first.popen.wait()

    processes.append(second := Process(tmp_path, "--data", data, "--speed", "0.05"))

    assert second.demo["apiKeys"] == first.demo["apiKeys"]
    assert second.demo["templates"] == first.demo["templates"]
    for number, answer in enumerate(accepted):
        found = second.client.get_all_notifications(reference=f"ref-{number}")["notifications"]
        assert [one["id"] for one in found] == [answer["id"]]
        assert found[0]["status"] in ("created", "sending", "delivered")
        assert found[0]["body"] == answer["content"]["body"]


def test_the_guides_first_message_is_taken(tmp_path: Path, processes: list[Process]) -> None:
    guide = Path(__file__).parents[2] / "docs" / "guides" / "test-your-service-against-the-sandbox.md"
    code = guide.read_text().split("```python\n")[1].split("```")[0]
    processes.append(process := Process(tmp_path))
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, timeout=20)

    [sent] = process.client.get_all_notifications(reference="first")["notifications"]
    assert (sent["email_address"], sent["subject"]) == ("amala@example.com", "Hello Amala")


def test_it_stops_quickly_when_told(tmp_path: Path, processes: list[Process]) -> None:
    processes.append(process := Process(tmp_path, "--data", str(tmp_path / "data")))
    begun = time.monotonic()
    process.popen.send_signal(signal.SIGTERM)

    assert process.popen.wait(5) == 0
    assert time.monotonic() - begun < 3


def test_it_ends_with_its_parent(tmp_path: Path, processes: list[Process]) -> None:
    processes.append(process := Process(tmp_path, "--exit-with-parent"))
    assert process.popen.stdin is not None
    process.popen.stdin.close()

    assert process.popen.wait(5) == 0
    process.popen.stdin = None


def test_it_listens_to_this_machine_alone() -> None:
    done = subprocess.run([*COMMAND, "--host", "0.0.0.0"], capture_output=True, text=True, timeout=20)

    assert done.returncode == 1
    assert "--allow-remote" in done.stderr


def test_a_seed_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    config = tmp_path / "sandbox.yaml"
    config.write_text("services:\n  - name: Housing\n    colour: green\n")
    done = subprocess.run(
        [*COMMAND, "--config", os.fspath(config)], capture_output=True, text=True, timeout=20
    )

    assert done.returncode == 1
    assert "colour" in done.stderr
