"""Which status may follow which: the whole table, every pair of it."""

from itertools import product

import pytest

from postroom.domain.status import (
    FAILED,
    FINAL,
    PLAIN_REASON,
    UNDERWAY,
    WAITING,
    Status,
    is_final,
    may_become,
)

ENDS = {
    Status.SENT,
    Status.RECEIVED,
    Status.DELIVERED,
    Status.PERMANENT_FAILURE,
    Status.TEMPORARY_FAILURE,
    Status.TECHNICAL_FAILURE,
    Status.VALIDATION_FAILED,
    Status.VIRUS_SCAN_FAILED,
    Status.RETURNED,
    Status.CANCELLED,
    Status.SUPPRESSED,
    Status.EXPIRED,
    Status.DEAD,
}
EVERYTHING = set(Status)

FOLLOWING: dict[Status, set[Status]] = {
    Status.PENDING: EVERYTHING,
    Status.SCHEDULED: EVERYTHING,
    Status.HELD: EVERYTHING,
    Status.SENDING: {Status.SENDING} | ENDS,
    Status.SENT: set(),
    Status.RECEIVED: {Status.RETURNED},
    Status.DELIVERED: set(),
    Status.PERMANENT_FAILURE: set(),
    Status.TEMPORARY_FAILURE: set(),
    Status.TECHNICAL_FAILURE: set(),
    Status.VALIDATION_FAILED: set(),
    Status.VIRUS_SCAN_FAILED: set(),
    Status.RETURNED: set(),
    Status.CANCELLED: set(),
    Status.SUPPRESSED: set(),
    Status.EXPIRED: set(),
    Status.DEAD: set(),
}


def test_the_table_names_every_status() -> None:
    assert set(FOLLOWING) == set(Status)


@pytest.mark.parametrize(
    ("current", "following"), [pytest.param(*pair, id="→".join(pair)) for pair in product(Status, Status)]
)
def test_may_become(current: Status, following: Status) -> None:
    assert may_become(current, following) is (following in FOLLOWING[current])


@pytest.mark.parametrize("status", Status)
def test_is_final(status: Status) -> None:
    assert is_final(status) is (status in ENDS)


def test_every_status_waits_or_is_underway_or_has_ended() -> None:
    assert [
        {Status.PENDING, Status.SCHEDULED, Status.HELD},
        {Status.SENDING},
        ENDS,
    ] == [WAITING, UNDERWAY, FINAL]


def test_what_has_failed_has_ended() -> None:
    assert FAILED <= FINAL


def test_a_plain_reason_is_given_for_every_failure_that_a_provider_tells_of() -> None:
    told_by_provider = FAILED - {Status.DEAD} | {Status.CANCELLED}

    assert set(PLAIN_REASON) == told_by_provider
