"""What all pages share: templates, forms that only our own pages can send, and a strict content policy."""

import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs

from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader
from litestar import HttpMethod, Request, Response, get, route
from litestar.handlers import HTTPRouteHandler

from notify_sandbox.controls import UnknownError

Answer = Response[bytes]
Plain = Request[Any, Any, Any]
_STATIC = {
    "govuk-frontend.min.css": "text/css",
    "sandbox.css": "text/css",
    "live.js": "text/javascript",
}


class Shell:
    """The token in each form is drawn when the sandbox starts: pages elsewhere cannot know it."""

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(24)
        govuk = PackageLoader("govuk_frontend_jinja", "templates")
        self._templates = Environment(
            loader=ChoiceLoader(
                [
                    PackageLoader("notify_sandbox.pages", "templates"),
                    PrefixLoader({"govuk_frontend_jinja": govuk}),
                ]
            ),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def page(self, name: str, *, http_status: int = 200, **given: object) -> Answer:
        nonce = secrets.token_urlsafe(16)
        text = self._templates.get_template(name).render(cspNonce=nonce, token=self.token, **given)
        policy = (
            f"default-src 'none'; style-src 'self'; script-src 'nonce-{nonce}'; img-src 'self' data:; "
            "connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; "
            "frame-ancestors 'none'"
        )
        return Response(
            text.encode(),
            status_code=http_status,
            media_type="text/html",
            headers={
                "Content-Security-Policy": policy,
                "X-Content-Type-Options": "nosniff",
                "Referrer-Policy": "no-referrer",
                "Cache-Control": "no-store",
            },
        )

    def gone(self, title: str, why: str, *, status: int = 404) -> Answer:
        return self.page("gone.html", http_status=status, title=title, why=why)

    def view(self, path: str, action: Callable[[Plain], Awaitable[Answer]]) -> HTTPRouteHandler:
        async def answer(request: Plain) -> Answer:
            try:
                return await action(request)
            except UnknownError:
                return self.gone(
                    "Not found", "There is nothing of that id; perhaps it is past its retention."
                )

        return get(path)(answer)

    def form(self, path: str, action: Callable[[Plain, dict[str, str]], Awaitable[str]]) -> HTTPRouteHandler:
        """A form's target: the action says where to go next."""

        async def answer(request: Plain) -> Answer:
            fields = await _fields(request)
            if not secrets.compare_digest(fields.pop("token", "").encode(), self.token.encode()):
                why = "The page was made before this sandbox started. Go back, reload it, and try again."
                return self.gone("That form is out of date", why, status=403)
            try:
                return _go_to(await action(request, fields))
            except UnknownError:
                return self.gone("Not found", "There is nothing of that id.")
            except ValueError as error:
                return self.gone("That cannot be", str(error), status=400)

        return route(path, http_method=[HttpMethod.POST], status_code=303)(answer)


def static_files() -> HTTPRouteHandler:
    folder = files("notify_sandbox.pages") / "static"
    held = {name: (folder / name).read_bytes() for name in _STATIC}

    @get("/sandbox/static/{name:str}")
    async def static(request: Plain) -> Answer:
        name = request.path_params["name"]
        if name not in held:
            return Response(b"", status_code=404, media_type="text/plain")
        headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}
        return Response(held[name], media_type=_STATIC[name], headers=headers)

    return static


def when(at: float) -> str:
    """A time as people read it, in UTC."""
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment.day} {moment:%b %Y %H:%M:%S}"


async def _fields(request: Plain) -> dict[str, str]:
    sent = parse_qs((await request.body()).decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[-1] for name, values in sent.items()}


def _go_to(where: str) -> Answer:
    return Response(b"", status_code=303, media_type="text/plain", headers={"Location": where})
