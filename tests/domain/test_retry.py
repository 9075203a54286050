"""When to try and to ask again: bounds that hold for any number of tries, and waits that never shrink."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.retry import RetryPolicy, wait_before_poll, wait_before_try

POLICY = RetryPolicy()
TRIES = st.integers(min_value=0, max_value=10_000)
CHANCES = st.floats(min_value=0, max_value=1, exclude_max=True)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


@pytest.mark.parametrize(
    ("tries", "limited", "chance", "wait"),
    [
        pytest.param(1, False, 0.0, seconds(1), id="first: half of the first wait at least"),
        pytest.param(1, False, 0.5, seconds(1.5), id="first: in the middle"),
        pytest.param(2, False, 0.0, seconds(2), id="second: doubled"),
        pytest.param(5, False, 0.0, seconds(16), id="fifth: doubled four times"),
        pytest.param(9, False, 0.0, seconds(256), id="ninth: still below the longest"),
        pytest.param(10, False, 0.0, seconds(450), id="tenth: capped"),
        pytest.param(1_000, False, 0.0, seconds(450), id="thousandth: capped"),
        pytest.param(1, True, 0.0, seconds(10), id="limited: waits longer"),
        pytest.param(2, True, 0.5, seconds(30), id="limited: doubles too"),
        pytest.param(0, False, 0.0, seconds(1), id="none so far: as after the first"),
    ],
)
def test_wait_before_try(tries: int, limited: bool, chance: float, wait: timedelta) -> None:
    assert wait_before_try(POLICY, tries=tries, limited=limited, chance=chance) == wait


@given(tries=TRIES, limited=st.booleans(), chance=CHANCES)
def test_a_try_waits_between_half_of_its_step_and_the_longest_wait(
    tries: int, limited: bool, chance: float
) -> None:
    wait = wait_before_try(POLICY, tries=tries, limited=limited, chance=chance)
    first = POLICY.limited_wait if limited else POLICY.first_wait

    assert first / 2 <= wait <= POLICY.longest_wait


@given(tries=TRIES, limited=st.booleans(), chance=CHANCES)
def test_the_wait_before_a_try_never_shrinks(tries: int, limited: bool, chance: float) -> None:
    now = wait_before_try(POLICY, tries=tries, limited=limited, chance=chance)
    later = wait_before_try(POLICY, tries=tries + 1, limited=limited, chance=chance)

    assert later >= now


@given(tries=TRIES, chances=st.tuples(CHANCES, CHANCES))
def test_chance_spreads_over_the_upper_half(tries: int, chances: tuple[float, float]) -> None:
    one, other = (wait_before_try(POLICY, tries=tries, limited=False, chance=chance) for chance in chances)
    least = wait_before_try(POLICY, tries=tries, limited=False, chance=0)

    assert abs(one - other) <= least


@pytest.mark.parametrize(
    ("letter", "polls", "wait"),
    [
        pytest.param(False, 0, timedelta(minutes=5), id="an email or text, first"),
        pytest.param(False, 1, timedelta(minutes=10), id="an email or text, second"),
        pytest.param(False, 7, timedelta(hours=6), id="an email or text, capped"),
        pytest.param(True, 0, timedelta(minutes=30), id="a letter, first"),
        pytest.param(True, 3, timedelta(hours=4), id="a letter, fourth"),
        pytest.param(True, 5_000, timedelta(hours=6), id="a letter, capped"),
    ],
)
def test_wait_before_poll(letter: bool, polls: int, wait: timedelta) -> None:
    assert wait_before_poll(POLICY, letter=letter, polls=polls) == wait


@given(letter=st.booleans(), polls=TRIES)
def test_the_wait_before_a_poll_never_shrinks(letter: bool, polls: int) -> None:
    now = wait_before_poll(POLICY, letter=letter, polls=polls)
    later = wait_before_poll(POLICY, letter=letter, polls=polls + 1)

    assert now <= later <= POLICY.longest_poll


def test_a_call_has_surely_ended_before_anybody_else_looks() -> None:
    assert POLICY.call_timeout < POLICY.quiet
    assert POLICY.call_timeout < POLICY.lease
