"""A disk that fills up: it is said, nothing accepted is lost or sent twice, and all goes on after it."""

import asyncio
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import psutil
import pytest

from tools.keep_postgres import new_server

SENDING = "/v2/notifications/email"
MEGABYTE = 1024 * 1024
FULL_SECONDS = 3
FULL_LINES = 60
"""Most lines in so many seconds: some a second, however many deliveries wait."""


class SmallDisk:
    """A disk in memory that can be filled to its last byte."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._filler = place / "filler"

    def fill(self) -> None:
        with self._filler.open("ab", buffering=0) as filler:
            for size in (MEGABYTE, 4096):
                try:
                    while True:
                        filler.write(bytes(size))
                except OSError:
                    continue

    def free(self) -> None:
        self._filler.unlink()


@pytest.fixture
def small_disk() -> Iterator[SmallDisk]:
    with tempfile.TemporaryDirectory(prefix="postroom-tests-") as folder:
        Path(folder).chmod(0o711)
        place = Path(folder) / "disk"
        place.mkdir()
        mounting = ["mount", "-t", "tmpfs", "-o", "size=24m,mode=0755", "postroom-tests", str(place)]
        if os.geteuid() != 0 or subprocess.run(mounting, capture_output=True, check=False).returncode != 0:
            pytest.skip("a small disk cannot be mounted here: as root, with the right to mount, it can")
        try:
            yield SmallDisk(place)
        finally:
            subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture
def sqlite_on_it(small_disk: SmallDisk) -> str:
    return f"sqlite:///{small_disk.place / 'postroom.db'}"


@pytest.fixture
def postgres_on_it(small_disk: SmallDisk, postgres_server: str) -> Iterator[str]:
    """A database whose tables, but not its server's log, are on the disk."""
    with tempfile.TemporaryDirectory(prefix="postroom-tests-") as place:
        Path(place).chmod(0o711)
        server = new_server(Path(place) / "server", log=Path(place) / "log")
        server.place.mkdir()
        server.create()
        server.start()
        space = small_disk.place / "tables"
        space.mkdir()
        if server.account:
            os.chown(space, server.place.stat().st_uid, -1)
        asyncio.run(
            run_all(
                f"{server.url}/postgres",
                f"CREATE TABLESPACE small LOCATION '{space}'",
                "CREATE DATABASE small TABLESPACE small",
            )
        )
        yield f"{server.url}/small"
        server.stop(immediately=True)


async def run_all(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


@pytest.mark.parametrize(
    "place",
    [
        pytest.param("sqlite_on_it", marks=pytest.mark.sqlite, id="sqlite"),
        pytest.param("postgres_on_it", marks=pytest.mark.postgres, id="postgres"),
    ],
)
def test_a_disk_that_fills_up(
    place: str, request: pytest.FixtureRequest, small_disk: SmallDisk, starter: Any, wait_until: Any
) -> None:
    demo = starter.demo(DATABASE_URL=request.getfixturevalue(place))
    demo.break_sandbox("down", path=SENDING)
    accepted = {number: demo.accepted(demo.email(reference=f"r-{number}"))["id"] for number in range(40)}

    small_disk.fill()
    refused = post_until_refused(demo, accepted)
    # The provider is back, and much is due: but what cannot be claimed is not sent.
    demo.heal_sandbox()
    before, used, began = len(demo.running.output.splitlines()), cpu_seconds(demo), time.monotonic()
    while time.monotonic() < began + FULL_SECONDS:
        assert demo.call("GET", f"/notifications/{accepted[0]}").status_code == 200
        time.sleep(0.2)
    lines = len(demo.running.output.splitlines()) - before
    used = cpu_seconds(demo) - used
    small_disk.free()

    wait_until(lambda: post(demo, refused).status_code == 201, seconds=10)
    accepted[refused] = post(demo, refused).json()["id"]
    ended = demo.until_ended(list(accepted.values()), seconds=40)
    assert {each["status"] for each in ended} == {"delivered"}
    assert known(demo) == sorted(accepted.values())
    assert demo.sandbox_sent() == sorted(each["id"] for each in ended)
    assert "Traceback" not in demo.running.output
    assert (lines < FULL_LINES, used < FULL_SECONDS / 2) == (True, True), (lines, used)


def post(demo: Any, number: int) -> Any:
    """A POST that needs room: with a key, so that it can be sent again."""
    much = {"name": "Joe" * 20_000, "ref": "X1"}
    body = demo.email(reference=f"r-{number}", personalisationParams=much)
    return demo.call("POST", "/notifications", body, **{"Idempotency-Key": f"key-{number}"})


def post_until_refused(demo: Any, accepted: dict[int, str]) -> int:
    """Post until there is no room left even in what the database has taken already; which was refused."""
    for number in range(1_000, 2_000):
        answer = post(demo, number)
        if answer.status_code != 201:
            assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "1"), answer.text
            assert answer.headers["Content-Type"] == "application/problem+json"
            return number
        accepted[number] = answer.json()["id"]
    raise AssertionError("the disk did not become full")


def known(demo: Any) -> list[str]:
    """All notifications that the API lists, page by page."""
    found: list[str] = []
    path = "/notifications?limit=200"
    while path:
        answer = demo.call("GET", path)
        found += [each["id"] for each in answer.json()]
        path = answer.links.get("next", {}).get("url", "")
    return sorted(found)


def cpu_seconds(demo: Any) -> float:
    times = psutil.Process(demo.running.process.pid).cpu_times()
    return float(times.user + times.system)
