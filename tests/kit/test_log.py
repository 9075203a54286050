"""Logs tell what happened and where, never the text of an exception."""

import io
import json
import logging
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from postroom.kit import log as logs

EMAIL = "amala@example.com"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    written = io.StringIO()
    before = logging.getLogger().handlers[:], logging.getLogger().level
    logs.configure(stream=written)
    yield written
    structlog.reset_defaults()
    logging.getLogger().handlers[:], level = before
    logging.getLogger().setLevel(level)


def entries(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def fail() -> None:
    raise ValueError(f"could not send to {EMAIL}")


def test_a_line_is_one_json_object(stream: io.StringIO) -> None:
    logs.get_logger("tests.kit").info("delivery sent", delivery="id-1", count=2)

    (entry,) = entries(stream)
    at = entry.pop("timestamp")
    assert entry == {
        "event": "delivery sent",
        "delivery": "id-1",
        "count": 2,
        "part": "tests.kit",
        "level": "info",
    }
    assert at.endswith("Z")


@pytest.mark.parametrize("given", ["the error", "True"])
def test_an_exception_is_its_class_and_its_place(stream: io.StringIO, given: str) -> None:
    try:
        fail()
    except ValueError as error:
        logs.get_logger("tests.kit").error("failed", exc_info=error if given == "the error" else True)
        line = traceback.extract_tb(error.__traceback__)[-1].lineno

    (entry,) = entries(stream)
    assert entry["error"] == "ValueError"
    assert entry["raised_at"][-1].endswith(f"test_log.py:{line}")
    assert EMAIL not in stream.getvalue()


def test_the_exceptions_behind_it_stay_out_too(stream: io.StringIO) -> None:
    try:
        try:
            fail()
        except ValueError as error:
            raise RuntimeError("and again") from error
    except RuntimeError:
        logs.get_logger("tests.kit").exception("failed")

    assert EMAIL not in stream.getvalue()
    assert entries(stream)[0]["error"] == "RuntimeError"


def test_below_the_level_nothing_is_written(stream: io.StringIO) -> None:
    logs.get_logger("tests.kit").debug("too much")

    assert stream.getvalue() == ""


def test_a_librarys_words_are_not_kept(capsys: pytest.CaptureFixture[str]) -> None:
    before = logging.getLogger().handlers[:], logging.getLogger().level
    try:
        logs.configure(stream=io.StringIO())
        try:
            fail()
        except ValueError:
            logging.getLogger("some.library").exception("cannot take %s", EMAIL)
    finally:
        structlog.reset_defaults()
        logging.getLogger().handlers[:], level = before
        logging.getLogger().setLevel(level)

    written = capsys.readouterr().err
    assert EMAIL not in written
    assert json.loads(written.splitlines()[0])["logger"] == "some.library"
