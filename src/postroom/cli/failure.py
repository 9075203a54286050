"""Why a command cannot go on: what is said in a line, and the exit code."""

REFUSED = 1
"""It was looked at, and something in it is wrong."""
CANNOT = 2
"""It cannot be done as it was asked."""
STOPPED = 130
"""Somebody pressed Ctrl-C."""


class CannotGoOn(Exception):
    """The text says what is in the way, and what to do. It holds neither keys nor personal data."""

    def __init__(self, text: str, *, code: int = CANNOT) -> None:
        super().__init__(text)
        self.code = code
