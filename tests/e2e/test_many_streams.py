"""A process holds thousands of streams, and ends them all when it is told to stop, each as a whole answer."""

import resource
from collections.abc import Iterator
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


@pytest.fixture
def few_files() -> Iterator[int]:
    """Processes are given no more than 500 at first; gives how many they may have."""
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (500, most))
    yield most
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, most))


@pytest.mark.postgres
def test_a_process_takes_as_many_files_as_it_may_have(postgres_url: str, parts: Any, few_files: int) -> None:
    office = parts(postgres_url)

    assert resource.prlimit(office.api.process.pid, resource.RLIMIT_NOFILE) == (few_files, few_files)
