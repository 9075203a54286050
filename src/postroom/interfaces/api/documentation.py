"""The OpenAPI document, a page to try it, and a page to start from. Nothing is loaded from elsewhere."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from litestar import Response, get
from litestar.params import FromPath

from postroom.app import App
from postroom.domain.errors import NotFound
from postroom.interfaces.api.openapi import document_bytes
from postroom.interfaces.api.parts import AnyRequest, parts_of

_ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "start.js": "text/javascript",
}
_START_SCRIPT = """window.ui = SwaggerUIBundle({
  url: document.currentScript.dataset.document,
  dom_id: "#try",
  deepLinking: true,
  validatorUrl: null,
});
"""
_TRY = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Try the API – Postroom</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="{prefix}/docs/assets/swagger-ui.css"></head>
<body><main id="try"></main>
<script src="{prefix}/docs/assets/swagger-ui-bundle.js"></script>
<script src="{prefix}/docs/assets/start.js" data-document="{prefix}/openapi.json"></script>
</body></html>
"""
_START = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Postroom</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body {{ font-family: "Open Sans", Arial, sans-serif; color: #0b0c0c; margin: 0; line-height: 1.5 }}
header {{ background: #00664f; color: #fff; padding: 1rem 1.5rem; font-weight: 700 }}
main {{ max-width: 42rem; padding: 1.5rem }}
a {{ color: #025ea6 }} a:focus {{ outline: 3px solid #ffc845; outline-offset: 2px }}
</style></head>
<body><header>Postroom</header><main>
<h1>Notifications, sent once for every service</h1>
<p>Services send emails, text messages and letters here, and show notifications to officers.</p>
<ul>
<li><a href="{prefix}/docs">Try the API</a></li>
<li><a href="{prefix}/openapi.json">The API as an OpenAPI 3.1 document</a></li>
<li><a href="{prefix}/health/ready">Is everything ready?</a></li>
</ul></main></body></html>
"""


@get("/openapi.json")
async def openapi_document(request: AnyRequest) -> Response[bytes]:
    postroom = parts_of(request).app
    return Response(content=document_bytes(postroom.settings.api_prefix), media_type="application/json")


@get("/")
async def start_page(request: AnyRequest) -> Response[str]:
    postroom = parts_of(request).app
    return _page(_START, postroom)


@get("/docs")
async def try_page(request: AnyRequest) -> Response[str]:
    postroom = parts_of(request).app
    return _page(_TRY, postroom)


@get("/docs/assets/{name:str}")
async def try_asset(name: FromPath[str]) -> Response[bytes]:
    media_type = _ASSETS.get(name)
    if media_type is None:
        raise NotFound("There is no such file.")
    headers = {"Cache-Control": "public, max-age=86400", "X-Content-Type-Options": "nosniff"}
    return Response(content=_asset(name), media_type=media_type, headers=headers)


def _page(text: str, postroom: App) -> Response[str]:
    return Response(content=text.format(prefix=postroom.settings.api_prefix), media_type="text/html")


@cache
def _asset(name: str) -> bytes:
    if name == "start.js":
        return _START_SCRIPT.encode()
    package = find_spec("swagger_ui")
    if package is None or package.origin is None:
        raise NotFound("There is no such file.")
    return (Path(package.origin).parent / "static" / name).read_bytes()
