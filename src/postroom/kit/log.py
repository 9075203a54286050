"""Logs as one JSON object a line on standard error. Callers log ids and counts, never personal data."""

import asyncio
import atexit
import logging
import sys
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TextIO

import msgspec

# structlog draws exceptions with rich where it finds it: three megabytes for what is never drawn here.
_rich = sys.modules.pop("rich", None)
sys.modules["rich"] = None  # type: ignore[assignment]
try:
    import structlog
finally:
    del sys.modules["rich"]
    if _rich is not None:
        sys.modules["rich"] = _rich

_encode = msgspec.json.Encoder(enc_hook=str).encode
_correlation_id: ContextVar[str | None] = ContextVar("correlation_id", default=None)


def configure(*, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Set up logging for the process: ours and, above WARNING, that of the libraries."""
    global _fast
    number = logging.getLevelNamesMapping()[level.upper()]
    _fast = _Lines(stream or sys.stderr) if number <= logging.INFO else None
    structlog.configure(
        processors=[
            _with_correlation_id,
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


_fast: "_Lines | None" = None
"""Where the lines of requests and attempts go: None where the level is above INFO."""


class correlated:  # noqa: N801 - used as a function is, and a generator's context costs every request more
    """What is logged inside carries the correlation id, where there is one."""

    __slots__ = ("_correlation_id", "_token")

    def __init__(self, correlation_id: str | None) -> None:
        self._correlation_id = correlation_id

    def __enter__(self) -> None:
        self._token = _correlation_id.set(self._correlation_id)

    def __exit__(self, *_: object) -> None:
        _correlation_id.reset(self._token)


def write_request(*, method: str, path: str, status: int, ms: float, correlation_id: str) -> None:
    """The line of one request, without the way that other lines take: every request pays for it."""
    if _fast is not None:
        line = _RequestLine(
            method=method,
            path=path,
            status=status,
            ms=ms,
            correlation_id=correlation_id,
            timestamp=datetime.now(UTC),
        )
        _fast.write(_encode(line))


def write_attempt(*, delivery: str, number: int, outcome: str, channel: str) -> None:
    """The line of one try of a delivery, in the same way."""
    if _fast is not None:
        line = _AttemptLine(
            delivery=delivery,
            number=number,
            outcome=outcome,
            channel=channel,
            correlation_id=_correlation_id.get(),
            timestamp=datetime.now(UTC),
        )
        _fast.write(_encode(line))


class _Lines:
    """Lines that come together are written together: a write for each would stop the loop each time."""

    _TOGETHER_SECONDS = 0.05

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lines: list[bytes] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        atexit.register(self._flush)

    def write(self, line: bytes) -> None:
        loop = asyncio.get_running_loop()
        if not self._lines or self._loop is not loop:
            self._loop = loop
            loop.call_later(self._TOGETHER_SECONDS, self._flush)
        self._lines.append(line)

    def _flush(self) -> None:
        lines, self._lines = self._lines, []
        if lines and not self._stream.closed:
            self._stream.write(b"\n".join(lines).decode() + "\n")
            self._stream.flush()


class _RequestLine(msgspec.Struct):
    method: str
    path: str
    status: int
    ms: float
    correlation_id: str
    timestamp: datetime
    event: str = "request"
    level: str = "info"


class _AttemptLine(msgspec.Struct):
    delivery: str
    number: int
    outcome: str
    channel: str
    correlation_id: str | None
    timestamp: datetime
    event: str = "attempt"
    level: str = "info"


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


def _with_correlation_id(_: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    correlation_id = _correlation_id.get()
    if correlation_id is not None:
        event["correlation_id"] = correlation_id
    return event


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
