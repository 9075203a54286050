"""How much a caller may still ask: the answer to each of its requests."""

from typing import NamedTuple


class Allowance(NamedTuple):
    """`remaining` of `a_minute` are left; all of them are back in `reset_seconds`.

    Where it is not allowed, asking again makes sense after `retry_after_seconds`.
    """

    allowed: bool
    a_minute: int
    remaining: int
    reset_seconds: int
    retry_after_seconds: int = 0
