"""A wake-up within one process."""

import asyncio
import time
from datetime import timedelta

from postroom.kit.signal import Wakeup

LONG = timedelta(seconds=30)
SHORT = timedelta(milliseconds=10)


async def test_a_ring_wakes_who_waits() -> None:
    wakeup = Wakeup()
    waiting = asyncio.create_task(wakeup.wait(at_most=LONG))
    await asyncio.sleep(0)

    wakeup.ring()

    async with asyncio.timeout(1):
        await waiting


async def test_a_ring_before_the_wait_is_not_lost() -> None:
    wakeup = Wakeup()
    wakeup.ring()

    async with asyncio.timeout(1):
        await wakeup.wait(at_most=LONG)


async def test_rings_that_come_together_wake_once() -> None:
    wakeup = Wakeup()
    wakeup.ring()
    wakeup.ring()
    await wakeup.wait(at_most=LONG)

    begun = time.monotonic()
    await wakeup.wait(at_most=SHORT)

    assert time.monotonic() - begun >= SHORT.total_seconds() * 0.9


async def test_a_wait_ends_by_itself() -> None:
    async with asyncio.timeout(1):
        await Wakeup().wait(at_most=SHORT)
