"""Where the links to files sent by email lead."""

from typing import Any
from urllib.parse import quote

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from notify_sandbox import files
from notify_sandbox.doors import answers
from notify_sandbox.model import Document
from notify_sandbox.world import World

Plain = Request[Any, Any, Any]
WEEK = 7 * 86_400


def handlers(world: World) -> list[HTTPRouteHandler]:
    @get("/d/{service:str}/{document:str}")
    async def document(request: Plain) -> Response[bytes]:
        found = _find(world, request.path_params["document"], request.query_params.get("key"))
        if found is None:
            return answers.json({"error": "No document found"}, status=404)
        return Response(
            found.content,
            media_type=found.mime_type,
            headers={
                "Content-Disposition": f'attachment; filename="{quote(found.filename, safe=" .-_")}"',
                "X-Content-Type-Options": "nosniff",
            },
        )

    return [document]


def _find(world: World, short_id: str, key: str | None) -> Document | None:
    own_id = files.long_id(short_id)
    data = world.record.fetch("document", own_id) if own_id else None
    if data is None:
        return None
    found = msgspec.msgpack.decode(data, type=Document)
    expired = world.now() > found.created_at + found.retention_weeks * WEEK
    return None if expired or key != found.key else found
