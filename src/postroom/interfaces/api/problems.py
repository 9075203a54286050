"""Every error as an answer: which status, in which words, once."""

from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import Scope

from postroom.domain import errors
from postroom.interfaces.api.allowances import to_headers
from postroom.interfaces.api.answer import Answer
from postroom.interfaces.api.schemas import FieldProblem, Problem
from postroom.interfaces.edge import correlation_id_of
from postroom.kit.crypto import CannotOpen
from postroom.kit.database import DatabaseUnavailable, LockTimeout, WriterBusy
from postroom.kit.log import get_logger

log = get_logger(__name__)

MEDIA_TYPE = "application/problem+json"


class TooLarge(Exception):
    """The body is larger than is read."""


_STATUS: dict[type[Exception], int] = {
    errors.Invalid: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Stale: 412,
    TooLarge: 413,
    errors.KeyMisused: 422,
    errors.TooMany: 429,
    errors.InFlight: 409,
    LockTimeout: 503,
    errors.ProviderRefusedKey: 424,
    errors.Busy: 503,
    DatabaseUnavailable: 503,
    WriterBusy: 503,
}

_USER_MESSAGES = {
    400: "Some of what was sent needs to be corrected.",
    401: "Sign in, and try again.",
    403: "You are not allowed to do this.",
    404: "This could not be found.",
    405: "This cannot be done here.",
    409: "This cannot be done now.",
    412: "This has changed in the meantime. Load it again, and try again.",
    413: "What was sent is too large.",
    422: "This request differs from the one that it repeats.",
    424: "GOV.UK Notify does not accept the service's key.",
    429: "There were too many requests. Try again later.",
    503: "The service is busy. Nothing was changed. Try again in a moment.",
}


def handle_error(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The answer to any error. One that nobody foresaw is logged, without its text, and told of as a 500."""
    problem = problem_of(error, correlation_id=correlation_id_of(request.scope))
    return Response(
        content=msgspec.json.encode(problem),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers=_headers(problem, error),
    )


def error_answer(scope: Scope, error: Exception) -> Answer:
    """The same without the framework."""
    problem = problem_of(error, correlation_id=correlation_id_of(scope))
    return Answer(
        msgspec.json.encode(problem),
        status=problem.status,
        media_type=MEDIA_TYPE.encode(),
        headers=_headers(problem, error),
    )


def problem_of(error: Exception, *, correlation_id: str | None) -> Problem:
    """What a caller is told of an error."""
    fields = None
    status, detail = _status_and_detail(error)
    messages = [detail]
    if isinstance(error, errors.Invalid):
        fields = [FieldProblem(fault.field, fault.message) for fault in error.errors]
        messages = [f"{fault.field}: {fault.message}" for fault in error.errors]
    return Problem(
        type="about:blank",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        user_error_message=_USER_MESSAGES.get(status, "Something went wrong. It was not your fault."),
        dev_error_messages=messages,
        errors=fields,
        reason=error.reason if isinstance(error, errors.NotFound) else None,
        correlation_id=correlation_id,
    )


def _status_and_detail(error: Exception) -> tuple[int, str]:
    if isinstance(error, HTTPException):
        return error.status_code, HTTPStatus(error.status_code).phrase
    status = next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), 500)
    if status == 500:
        log.error("unforeseen error", exc_info=error)
        is_sealed = isinstance(error, CannotOpen)
        return status, "The secret is another one." if is_sealed else "Something went wrong here."
    if isinstance(error, errors.PostroomError | TooLarge):
        return status, str(error)
    return status, "The database is busy."


def _headers(problem: Problem, error: Exception) -> dict[str, str]:
    """With lower-case names."""
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    if problem.status == 503 or isinstance(error, errors.InFlight):
        headers["retry-after"] = str(getattr(error, "retry_after_seconds", 1))
    if isinstance(error, errors.TooMany):
        headers |= to_headers(error.allowance)
        headers["retry-after"] = str(error.allowance.retry_after_seconds)
    if problem.status == 401:
        headers["www-authenticate"] = "Bearer"
    return headers
