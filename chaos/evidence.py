"""What there is to compare at the end: what was accepted, what is kept, what is listed, what was taken."""

import re
from collections.abc import Collection
from datetime import datetime
from typing import Any

import aiohttp
import msgspec
from sqlalchemy import func, select

from chaos.caller import Told
from chaos.logs import Logs
from chaos.stage import Stage
from postroom.features.notifications.ledger import find_unaccounted
from postroom.features.notifications.tables import deliveries, notifications
from postroom.kit.database import Database, open_database

_PAGE = 200
_NEXT = re.compile(r"<([^>]+)>; rel=\"next\"")


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery as the database has it."""

    id: str
    notification_id: str
    channel: str
    status: str
    reason: str | None
    attempts: int
    created_at: datetime
    completed_at: datetime | None


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """A notification as the database has it."""

    id: str
    target_id: str | None
    is_removed: bool


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A message as the provider has it. `status` is in the provider's words."""

    id: str
    reference: str | None
    status: str


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    told: Collection[Told]
    notifications: Collection[Notification]
    kept: Collection[Kept]
    listed: Collection[str]
    """The ids of the notifications that the API lists."""
    taken: Collection[Taken]
    strange_answers: dict[str, int] = {}
    """Answers that a careful caller must never be given, and how often they were."""
    personal_in_logs: dict[str, int] = {}
    """Lines with something personal in them, by the log's name."""
    unaccounted: int = 0
    """What the ledger cannot account for."""


async def collect(
    stage: Stage, *, told: Collection[Told], strange_answers: dict[str, int], logs: Logs
) -> Evidence:
    database = open_database(stage.database_url)
    try:
        return Evidence(
            told=told,
            notifications=await _notifications(database),
            kept=await _kept(database),
            listed=await _listed(stage),
            taken=await _taken(stage),
            strange_answers=strange_answers,
            personal_in_logs=logs.personal,
            unaccounted=await _unaccounted(database),
        )
    finally:
        await database.close()


async def unended(database: Database) -> int:
    """How many deliveries have not come to their end."""
    async with database.reading() as conn:
        query = select(func.count()).select_from(deliveries).where(deliveries.c.completed_at.is_(None))
        return int((await conn.execute(query)).scalar_one())


async def _unaccounted(database: Database) -> int:
    async with database.reading() as conn:
        return (await find_unaccounted(conn)).total


async def _notifications(database: Database) -> list[Notification]:
    columns = notifications.c
    async with database.reading() as conn:
        rows = await conn.execute(select(columns.id, columns.target_id, columns.removed_at))
        return [
            Notification(id=row.id, target_id=row.target_id, is_removed=row.removed_at is not None)
            for row in rows
        ]


async def _kept(database: Database) -> list[Kept]:
    columns = [deliveries.c[name] for name in Kept.__struct_fields__]
    async with database.reading() as conn:
        return [Kept(**row._mapping) for row in await conn.execute(select(*columns))]


async def _listed(stage: Stage) -> set[str]:
    """Every page of every service's list."""
    found: set[str] = set()
    for key in stage.api_keys.values():
        path: str | None = f"/notifications?limit={_PAGE}"
        while path is not None:
            async with stage.session.get(
                stage.doors[0] + path,
                headers={"x-api-key": key},
                timeout=aiohttp.ClientTimeout(total=30),
            ) as answer:
                answer.raise_for_status()
                found.update(item["id"] for item in await answer.json())
                following = _NEXT.search(answer.headers.get("Link", ""))
            path = following[1] if following else None
    return found


async def _taken(stage: Stage) -> list[Taken]:
    read: dict[str, Any] = await stage.ask_sandbox("GET", "sent")
    return [Taken(id=one["id"], reference=one["reference"], status=one["status"]) for one in read["sent"]]
