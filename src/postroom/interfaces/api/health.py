"""Whether this process lives, and whether it can do its work."""

import asyncio

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency

from postroom.app import SCHEMA_VERSION, App
from postroom.interfaces.api.schemas import Health
from postroom.kit.database import DatabaseUnavailable
from postroom.kit.database.migrate import current_version

_PATIENCE_SECONDS = 2


@get("/health/live")
async def health_live() -> Response[bytes]:
    return _answer(Health(status="ok", checks={}))


@get(["/health", "/health/ready"])
async def health_ready(postroom: NamedDependency[App]) -> Response[bytes]:
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


def _answer(health: Health) -> Response[bytes]:
    return Response(
        content=msgspec.json.encode(health),
        status_code=200 if health.status == "ok" else 503,
        media_type="application/json",
    )
