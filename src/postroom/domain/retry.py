"""When to try again, when to ask again, and when to stop. Times are given; chance is given."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long one call may take, what is waited between tries, and for how long tries go on."""

    call_timeout: timedelta = timedelta(seconds=10)
    lease: timedelta = timedelta(seconds=20)
    """Longer than the whole call: within it nobody else touches the delivery."""
    quiet: timedelta = timedelta(seconds=15)
    """Longer than the whole call: after it a call that was cut cannot be taken any more."""
    second_look: timedelta = timedelta(seconds=5)
    """Between the two questions whether the provider knows our reference."""
    first_wait: timedelta = timedelta(seconds=2)
    longest_wait: timedelta = timedelta(minutes=15)
    limited_wait: timedelta = timedelta(seconds=20)
    give_up_after: timedelta = timedelta(hours=72)
    resend_within: timedelta = timedelta(hours=24)
    """An uncertain attempt older than this is never sent again without somebody's decision."""
    poll_email_and_text: timedelta = timedelta(minutes=5)
    poll_letter: timedelta = timedelta(minutes=30)
    longest_poll: timedelta = timedelta(hours=6)
    provider_keeps: timedelta = timedelta(days=7)
    """How long the provider remembers a message: a 404 before that is not the end."""


def wait_before_try(policy: RetryPolicy, *, tries: int, limited: bool, chance: float) -> timedelta:
    """The wait after `tries` tries that failed: doubling, capped, and spread by `chance` in [0, 1).

    Full jitter over the upper half keeps deliveries that failed together from returning together.
    """
    base = policy.limited_wait if limited else policy.first_wait
    longest = min(base * (1 << min(max(tries, 1) - 1, 16)), policy.longest_wait)
    return longest * (0.5 + chance / 2)


def wait_before_poll(policy: RetryPolicy, *, letter: bool, polls: int) -> timedelta:
    """The wait before the provider is asked about a silent delivery, after `polls` questions."""
    base = policy.poll_letter if letter else policy.poll_email_and_text
    return min(base * (1 << min(polls, 8)), policy.longest_poll)
