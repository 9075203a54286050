"""A process of the fire test: taken down and brought back, one of it at a time."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from chaos.process import Process
from chaos.stage import until

PATIENT = "import sys; sys.stdin.read()"
"""Runs until it is told to stop, or until whoever started it is gone."""


@pytest.fixture
async def process(tmp_path: Path) -> AsyncIterator[Process]:
    process = Process("one", [sys.executable, "-c", PATIENT], dict(os.environ), tmp_path / "log")
    yield process
    process.end()


def children() -> set[int]:
    own = psutil.Process().children()
    return {child.pid for child in own if child.status() != psutil.STATUS_ZOMBIE}


async def test_what_is_started_twice_runs_once(process: Process) -> None:
    before = children()

    process.start()
    process.start()

    assert len(children() - before) == 1


async def test_what_is_killed_stays_down_until_it_is_started(process: Process) -> None:
    process.start()
    looking_after = asyncio.create_task(process.look_after())
    await process.kill()
    await asyncio.sleep(0.3)

    assert (process.is_running, process.ended_by_itself) == (False, [])
    process.start()
    assert process.is_running
    looking_after.cancel()


async def test_what_ends_by_itself_is_started_again_and_told_of(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit(7)"]
    process = Process("one", command, dict(os.environ), tmp_path / "log")
    process.start()
    looking_after = asyncio.create_task(process.look_after())

    async def ended_twice() -> bool:
        return process.ended_by_itself[:2] == [7, 7]

    await until(ended_twice, what="it to be started again", seconds=30)
    looking_after.cancel()
    process.end()


async def test_what_is_paused_stands_still_until_it_is_resumed(process: Process) -> None:
    before = children()
    process.start()
    (pid,) = children() - before
    process.pause()

    async def is_paused() -> bool:
        return psutil.Process(pid).status() == psutil.STATUS_STOPPED

    await until(is_paused, what="it to be paused", seconds=10)
    process.resume()

    assert await process.stop() is False, "it ended by the signal, and not with 0"
    assert not process.is_running
