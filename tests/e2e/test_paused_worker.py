"""Workers that are paused past their lease, or told to stop, in the middle of it: nothing is sent twice."""

import signal
import time
from typing import Any

import pytest

pytestmark = pytest.mark.postgres

PAST_THE_LEASE = 4.5
"""Of the quick settings: theirs is 4 s."""


def test_workers_that_are_paused_past_their_lease_send_nothing_twice(
    parts: Any, postgres_url: str, wait_until: Any
) -> None:
    office = parts(postgres_url)
    awake, *paused = [office.worker() for _ in range(3)]
    # So slow that most calls are in flight when their worker is paused, and some of them are given up for it.
    office.break_sandbox("slow", seconds=0.7)
    office.break_sandbox("timeout-after-accepting", share=0.05)

    ids = office.accepted(range(100))
    wait_until(lambda: office.taken() != [], seconds=20)
    for worker in paused:
        worker.process.send_signal(signal.SIGSTOP)
        ids += office.accepted(range(len(ids), len(ids) + 100))
    time.sleep(PAST_THE_LEASE)
    for worker in paused:
        worker.process.send_signal(signal.SIGCONT)

    wait_until(lambda: "pending" not in office.deliveries().values(), seconds=60, every=0.3)
    assert sorted(office.deliveries()) == sorted(ids)
    assert office.taken() == sorted(ids)
    assert [worker.process.poll() for worker in (awake, *paused)] == [None] * 3


def test_a_worker_that_is_told_to_stop_in_the_middle_hands_back_what_it_has(
    parts: Any, postgres_url: str, wait_until: Any
) -> None:
    office = parts(postgres_url)
    leaving = office.worker()
    # Some calls end within the stop, some are cut off by it.
    office.break_sandbox("slow", seconds=0.8, share=0.8)
    office.break_sandbox("timeout-after-accepting", share=0.5)
    ids = office.accepted(range(80))
    staying = office.worker()
    wait_until(lambda: len(office.taken()) > 10, seconds=20)

    took = leaving.stop()

    assert (took < 5, leaving.process.returncode) == (True, 0)
    wait_until(lambda: "pending" not in office.deliveries().values(), seconds=60, every=0.3)
    assert sorted(office.deliveries()) == sorted(ids)
    assert office.taken() == sorted(ids)
    assert staying.process.poll() is None
