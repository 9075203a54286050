"""Answers as bytes."""

import msgspec
from litestar import Response

from notify_sandbox.problems import NotifyError

_encode = msgspec.json.Encoder(order="sorted").encode
JSON = "application/json"


def json(body: object, *, status: int = 200) -> Response[bytes]:
    return Response(_encode(body), status_code=status, media_type=JSON)


def refusal(problem: NotifyError) -> Response[bytes]:
    return json(problem.body(), status=problem.status)
