"""What all pages share: templates, a strict content policy, and what they are dressed in."""

import hashlib
from importlib.resources import files
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from postroom.interfaces.bell.script import script
from postroom.interfaces.web import words
from postroom.interfaces.web.paths import ASSETS

Answer = Response[bytes]
AnyRequest = Request[Any, Any, Any]

_STATIC = {
    "govuk-frontend.min.css": "text/css; charset=utf-8",
    "govuk-frontend.min.js": "text/javascript; charset=utf-8",
    "pages.css": "text/css; charset=utf-8",
    "pages.js": "text/javascript; charset=utf-8",
    "demo.js": "text/javascript; charset=utf-8",
    "popups.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "open-sans-400.woff2": "font/woff2",
    "open-sans-700.woff2": "font/woff2",
}
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; font-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: a browser would hide from us where a form comes from.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Shell:
    """The templates, for pages below a prefix. What is shown by them is text: nothing of it becomes code."""

    def __init__(self, *, prefix: str, push_key: str) -> None:
        govuk = PackageLoader("govuk_frontend_jinja", "templates")
        self.prefix = prefix
        self._held = {
            name: (files("postroom.interfaces.web") / "static" / name).read_bytes() for name in _STATIC
        }
        self._version = _digest(self._held)
        self._templates = Environment(
            loader=ChoiceLoader(
                [
                    PackageLoader("postroom.interfaces.web", "templates"),
                    PrefixLoader({"govuk_frontend_jinja": govuk}),
                ]
            ),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals |= {
            "prefix": prefix,
            "assets": f"{prefix}{ASSETS}/{self._version}",
            "words": words,
            "bell": script(),
            "push_key": push_key,
        }

    def page(self, template: str, /, *, status: int = 200, **given: Any) -> Answer:
        text = self._templates.get_template(template).render(**given)
        return Response(text.encode(), status_code=status, media_type="text/html", headers=HEADERS)

    def assets(self) -> HTTPRouteHandler:
        @get(f"{ASSETS}/{{version:str}}/{{name:str}}")
        async def asset(request: AnyRequest) -> Answer:
            name = request.path_params["name"]
            if name not in self._held:
                return Response(b"", status_code=404, media_type="text/plain")
            is_current = request.path_params["version"] == self._version
            kept = "public, max-age=31536000, immutable" if is_current else "no-cache"
            headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": kept}
            return Response(self._held[name], media_type=_STATIC[name], headers=headers)

        return asset


def _digest(held: dict[str, bytes]) -> str:
    whole = hashlib.sha256()
    for name in sorted(held):
        whole.update(name.encode() + b"\0" + held[name])
    return whole.hexdigest()[:16]
