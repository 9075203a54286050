"""Logs as one JSON object a line on standard error. Callers log ids and counts, never personal data."""

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import msgspec
import structlog

_encode = msgspec.json.Encoder(enc_hook=str).encode


def configure(*, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Set up logging for the process: ours and, above WARNING, that of the libraries."""
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _exception_class_and_place,
            structlog.processors.JSONRenderer(serializer=_to_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=stream or sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_LibraryFormatter(_LIBRARY_FORMAT))
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[handler], force=True)


def get_logger(name: str) -> Any:
    return structlog.get_logger(name, part=name)


_LIBRARY_FORMAT = '{"level": "%(levelname)s", "logger": "%(name)s", "event": "library", "at": "%(asctime)s"}'
"""A library's own words may quote what it was given: its place and level are kept, its text is not."""


class _LibraryFormatter(logging.Formatter):
    """Nor are the words of its exceptions, which would stand below the line."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the name that logging calls
        return ""

    def format(self, record: logging.LogRecord) -> str:
        # What an earlier handler formatted is kept on the record.
        record.exc_text = record.stack_info = None
        return super().format(record)


def _exception_class_and_place(_: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Replaces an exception by its class and where it was raised: its text may quote what it was given."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["raised_at"] = _places(error)
    return event


def _places(error: BaseException) -> list[str]:
    places = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(
            f"{code.co_filename.rsplit('/src/', 1)[-1].rsplit('site-packages/', 1)[-1]}:{trace.tb_lineno}"
        )
        trace = trace.tb_next
    return places[-8:]


def _to_json(event: dict[str, Any], **_: Any) -> str:
    return _encode(event).decode()
