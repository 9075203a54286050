"""Reading what changed on screens since a place."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row, func, select

from postroom.features.screens.tables import screen_changes, screen_outbox
from postroom.kit.database import AsyncConnection


async def last_position(conn: AsyncConnection) -> int:
    """The place of the last change, 0 where there never was one."""
    return await conn.scalar(select(func.max(screen_changes.c.position))) or 0


async def first_position(conn: AsyncConnection) -> int:
    """The place of the first change that is still known, 0 where there never was one."""
    return await conn.scalar(select(func.min(screen_changes.c.position))) or 0


async def read_changes(conn: AsyncConnection, *, since: int, most: int) -> Sequence[Row[Any]]:
    """What changed on any screen after that place, in order."""
    statement = select(screen_changes).where(screen_changes.c.position > since)
    return (await conn.execute(statement.order_by(screen_changes.c.position).limit(most))).all()


async def read_changes_of(
    conn: AsyncConnection, screens: Collection[bytes], *, since: int, until: int, most: int
) -> Sequence[Row[Any]]:
    """What changed on those screens after the one place, up to the other, in order."""
    changes = screen_changes.c
    statement = select(screen_changes).where(
        changes.screen.in_(list(screens)), changes.position > since, changes.position <= until
    )
    return (await conn.execute(statement.order_by(changes.position).limit(most))).all()


async def without_place(conn: AsyncConnection, screens: Collection[bytes]) -> set[str]:
    """The notifications whose changes on those screens have no place yet."""
    outbox = screen_outbox.c
    ids = await conn.scalars(select(outbox.notification_id).where(outbox.screen.in_(list(screens))))
    return {each for each in ids if each is not None}
