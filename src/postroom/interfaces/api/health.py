"""Whether this process lives, and whether it can do its work."""

import asyncio

from litestar import get
from litestar.types import ASGIApp

from postroom.app import SCHEMA_VERSION, App
from postroom.interfaces.api.answer import json_answer
from postroom.interfaces.api.parts import AnyRequest, parts_of
from postroom.interfaces.api.schemas import Health
from postroom.kit.database import DatabaseUnavailable
from postroom.kit.database.migrate import current_version

_PATIENCE_SECONDS = 2


@get("/health/live")
async def health_live() -> ASGIApp:
    return _answer(Health(status="ok", checks={}))


@get(["/health", "/health/ready"])
async def health_ready(request: AnyRequest) -> ASGIApp:
    postroom = parts_of(request).app
    return _answer(await _check(postroom))


async def _check(postroom: App) -> Health:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            version = await current_version(postroom.database)
    except (DatabaseUnavailable, TimeoutError):
        return Health(status="unavailable", checks={"database": "does not answer"})
    if version != SCHEMA_VERSION:
        return Health(status="unavailable", checks={"database": "its tables are of another version"})
    return Health(status="ok", checks={"database": "ok"})


def _answer(health: Health) -> ASGIApp:
    return json_answer(health, status=200 if health.status == "ok" else 503)
