"""`<notification-bell>` for the pages of others, by a version and an integrity hash."""

import msgspec
from litestar import Response, get
from litestar.params import FromPath

from postroom.interfaces.api.parts import AnyRequest, parts_of
from postroom.interfaces.bell.script import script

_FOR_EVER = "public, max-age=31536000, immutable"


class BellItem(msgspec.Struct):
    """Where the script is, what it must hash to, and what a page writes to have it."""

    version: str
    url: str
    integrity: str
    snippet: str


@get("/bell.json")
async def describe_bell(request: AnyRequest) -> Response[bytes]:
    settings = parts_of(request).app.settings
    here = settings.links.public_url or f"{str(request.base_url).rstrip('/')}{settings.api_prefix}"
    served = script()
    url = f"{here.rstrip('/')}{served.path}"
    snippet = (
        f'<script src="{url}" integrity="{served.integrity}" crossorigin="anonymous" defer></script>\n'
        "<notification-bell></notification-bell>"
    )
    item = BellItem(version=served.version, url=url, integrity=served.integrity, snippet=snippet)
    return Response(
        msgspec.json.encode(item), media_type="application/json", headers={"Cache-Control": "no-store"}
    )


@get("/bell/bell.js")
async def newest_bell(request: AnyRequest) -> Response[bytes]:
    """Always the one that belongs to this Postroom; for who would rather not name a version."""
    return _answer(request, "no-cache")


@get("/bell/{version:str}/bell.js")
async def bell_of_version(request: AnyRequest, version: FromPath[str]) -> Response[bytes]:
    """The script for ever by its own version; by another one it is the newest, for now."""
    return _answer(request, _FOR_EVER if version == script().version else "no-cache")


def _answer(request: AnyRequest, kept: str) -> Response[bytes]:
    served = script()
    headers = {
        "Cache-Control": kept,
        "Cross-Origin-Resource-Policy": "cross-origin",
        "ETag": f'"{served.version}"',
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, media_type="text/javascript", headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(served.packed, media_type="text/javascript", headers=headers)
    return Response(served.content, media_type="text/javascript", headers=headers)
