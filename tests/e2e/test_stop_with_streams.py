"""A process that is told to stop ends its streams, however many there are, and each as a whole answer."""

from contextlib import ExitStack
from typing import Any

import pytest

STREAMS = 100


@pytest.mark.postgres
def test_a_hundred_streams_hold_up_no_stop(postgres_url: str, parts: Any) -> None:
    office = parts(postgres_url)
    with ExitStack() as stack:
        opened = [
            stack.enter_context(office.stream(f"officer-{number}@hackney.gov.uk"))
            for number in range(STREAMS)
        ]
        for lines in opened:
            assert next(lines).startswith("retry: ")

        took = office.api.stop()

        assert took < 5
        for lines in opened:
            assert list(lines)[-1] == ""
    assert "Traceback" not in office.api.output
