"""The scripts of popups, for pages of any origin: a module to subscribe with, and the worker that shows."""

import hashlib
from functools import cache
from importlib.resources import files

from litestar import get
from litestar.types import ASGIApp

from postroom.interfaces.api.answer import Answer
from postroom.interfaces.api.parts import AnyRequest

_SCRIPT = b"text/javascript; charset=utf-8"
_HEADERS = {
    # Asked for each time, and answered without a body where it is the same.
    "cache-control": "no-cache",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "cross-origin",
}


@get("/push.js")
async def push_module(request: AnyRequest) -> ASGIApp:
    return _answer(request, "push.js", _HEADERS)


@get("/push-worker.js")
async def push_worker(request: AnyRequest) -> ASGIApp:
    return _answer(request, "push-worker.js", {**_HEADERS, "service-worker-allowed": "/"})


def _answer(request: AnyRequest, name: str, headers: dict[str, str]) -> Answer:
    content, etag = _held(name)
    headers = {**headers, "etag": etag}
    if etag in request.headers.get("if-none-match", ""):
        return Answer(b"", status=304, headers=headers)
    return Answer(content, media_type=_SCRIPT, headers=headers)


@cache
def _held(name: str) -> tuple[bytes, str]:
    content = (files("postroom.interfaces.api") / "static" / name).read_bytes()
    return content, f'"{hashlib.sha256(content).hexdigest()[:16]}"'
