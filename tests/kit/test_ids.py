"""Ids that sort by their time."""

import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import uuid_utils
from hypothesis import given
from hypothesis import strategies as st

from postroom.kit.ids import first_id_at, is_id, new_id

MOMENTS = st.datetimes(
    min_value=datetime(1970, 1, 1),
    max_value=datetime(9999, 12, 31),
    timezones=st.just(UTC),
)


def made_at(moment: datetime) -> str:
    """A UUIDv7 as it is made at that moment, with random bits of its own."""
    milliseconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    random_bits = uuid_utils.uuid4().int & ((1 << 74) - 1)
    value = (
        milliseconds << 80 | 7 << 76 | (random_bits >> 62) << 64 | 0b10 << 62 | random_bits & ((1 << 62) - 1)
    )
    return str(UUID(int=value))


def test_ids_of_one_process_are_in_the_order_of_their_making() -> None:
    ids = [new_id() for _ in range(5_000)]

    assert ids == sorted(set(ids))


def test_an_id_is_a_version_7_uuid() -> None:
    made = UUID(new_id())

    assert (made.version, made.variant) == (7, UUID(int=1 << 79 | 0b10 << 62).variant)


def test_an_id_carries_the_time_of_its_making() -> None:
    before = datetime.fromtimestamp(time.time(), UTC) - timedelta(milliseconds=1)
    made = new_id()
    after = datetime.fromtimestamp(time.time(), UTC) + timedelta(milliseconds=2)

    assert first_id_at(before) <= made < first_id_at(after)


@given(moment=MOMENTS)
def test_whatever_was_made_at_a_moment_is_not_before_its_first_id(moment: datetime) -> None:
    assert first_id_at(moment) <= made_at(moment)


@given(moment=MOMENTS)
def test_whatever_was_made_a_millisecond_earlier_is_before_its_first_id(moment: datetime) -> None:
    assert made_at(moment) < first_id_at(moment + timedelta(milliseconds=1))


@given(moments=st.tuples(MOMENTS, MOMENTS))
def test_first_ids_sort_as_their_moments_do(moments: tuple[datetime, datetime]) -> None:
    earlier, later = sorted(moments)

    assert first_id_at(earlier) <= first_id_at(later)


def test_times_before_1970_are_as_its_beginning() -> None:
    assert first_id_at(datetime(1969, 7, 20, tzinfo=UTC)) == "00000000-0000-7000-8000-000000000000"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("0190a000-0000-7000-8000-000000000001", True, id="version 7"),
        pytest.param("0190A000-0000-7000-8000-00000000000F", True, id="in capitals"),
        pytest.param("f33517ff-2a88-4f6e-b855-c550268ce08a", True, id="version 4"),
        pytest.param("0190a00000007000800000000000000100000", False, id="without hyphens"),
        pytest.param("{190a000-0000-7000-8000-00000000000}", False, id="in braces"),
        pytest.param("0190a000-0000-7000-8000-00000000000g", False, id="not hexadecimal"),
        pytest.param("0190a000-0000-7000-8000-0000000000", False, id="too short"),
        pytest.param("0190a0000000-7000-8000-0000-00000001", False, id="hyphens elsewhere"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_is_id(text: str, expected: bool) -> None:
    assert is_id(text) is expected
