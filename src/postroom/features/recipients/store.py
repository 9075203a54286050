"""The tables of who is in which group and patch."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Column, Index, LargeBinary, Row, Select, String, Table, func, select

from postroom.domain.audience import AudienceKind
from postroom.kit.database import AsyncConnection, BulkInsert, Instant, metadata

members = Table(
    "members",
    metadata,
    # Blind indexes of the group or patch, and of the member's e-mail address.
    Column("audience", LargeBinary, primary_key=True),
    Column("member", LargeBinary, primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("name", String(128), nullable=False),
    # The member's e-mail address, sealed.
    Column("sealed", LargeBinary, nullable=False),
    # Since when it was said here, and since when their token says so; one of them at least.
    Column("registered_at", Instant),
    Column("told_at", Instant),
)
Index("ix_members_member", members.c.member)
Index("ix_members_name", members.c.kind, members.c.name)

token_holders = Table(
    "token_holders",
    metadata,
    Column("member", LargeBinary, primary_key=True),
    # When the token was issued whose groups are kept: an older one changes nothing.
    Column("issued_at", Instant, nullable=False),
)

_KEY = "(audience, member) DO UPDATE SET"
_FIRST = "= coalesce(members.{0}, excluded.{0})"
insert_registered = BulkInsert(
    members, on_conflict=f"{_KEY} registered_at {_FIRST.format('registered_at')}"
).run
insert_told = BulkInsert(members, on_conflict=f"{_KEY} told_at {_FIRST.format('told_at')}").run
insert_holder = BulkInsert(
    token_holders, on_conflict="(member) DO UPDATE SET issued_at = excluded.issued_at"
).run


async def drop_registered(
    conn: AsyncConnection,
    audience: bytes,
    *,
    keep: Collection[bytes] = (),
    only: bytes | None = None,
) -> int:
    """Registered members are that no more, but for those to keep, or only one; how many they were.

    Those whose tokens say it too stay members by that alone.
    """
    mine = members.c.audience == audience, members.c.registered_at.is_not(None)
    chosen = (members.c.member == only,) if only is not None else ()
    registered = {row.member for row in await conn.execute(select(members.c.member).where(*mine, *chosen))}
    gone = sorted(registered - set(keep))
    for start in range(0, len(gone), 500):
        some = members.c.audience == audience, members.c.member.in_(gone[start : start + 500])
        await conn.execute(members.delete().where(*some, members.c.told_at.is_(None)))
        await conn.execute(members.update().where(*some).values(registered_at=None))
    return len(gone)


async def drop_told(conn: AsyncConnection, member: bytes, audiences: Collection[bytes]) -> None:
    """Their token says of those audiences no more that they are in them."""
    some = members.c.member == member, members.c.audience.in_(list(audiences))
    await conn.execute(members.delete().where(*some, members.c.registered_at.is_(None)))
    await conn.execute(members.update().where(*some).values(told_at=None))


async def page_of_members(
    conn: AsyncConnection, audience: bytes, *, after: bytes | None, limit: int
) -> list[Row[Any]]:
    statement = select(members).where(members.c.audience == audience)
    if after is not None:
        statement = statement.where(members.c.member > after)
    return list(await conn.execute(statement.order_by(members.c.member).limit(limit)))


async def counted_audiences(
    conn: AsyncConnection, kind: AudienceKind, *, after: str | None, limit: int
) -> list[Row[Any]]:
    """Names with how many members each has."""
    statement = select(members.c.name, func.count().label("number")).where(members.c.kind == kind.value)
    if after is not None:
        statement = statement.where(members.c.name > after)
    statement = statement.group_by(members.c.name).order_by(members.c.name).limit(limit)
    return list(await conn.execute(statement))


async def registered_audiences(conn: AsyncConnection, member: bytes) -> list[Row[Any]]:
    """Kind and name of what somebody was registered in."""
    mine = members.c.member == member, members.c.registered_at.is_not(None)
    return list(
        await conn.execute(select(members.c.kind, members.c.name).where(*mine).order_by(members.c.name))
    )


async def told_audiences(conn: AsyncConnection, member: bytes) -> set[bytes]:
    """What their token said that they are in."""
    told = select(members.c.audience).where(members.c.member == member, members.c.told_at.is_not(None))
    return {row.audience for row in await conn.execute(told)}


async def memberships_among(
    conn: AsyncConnection, audiences: Collection[bytes], members_wanted: Select[tuple[bytes]]
) -> list[Row[Any]]:
    """Which of those members is in which of those audiences."""
    these = members.c.audience.in_(list(audiences)), members.c.member.in_(members_wanted)
    return list(await conn.execute(select(members.c.audience, members.c.member).where(*these)))


async def audiences_with(conn: AsyncConnection, member: bytes) -> set[bytes]:
    """All that somebody is in, whoever says so."""
    mine = select(members.c.audience).where(members.c.member == member)
    return {bytes(row.audience) for row in await conn.execute(mine)}


async def last_token(conn: AsyncConnection, member: bytes, *, lock: bool = False) -> Row[Any] | None:
    statement = select(token_holders).where(token_holders.c.member == member)
    return (await conn.execute(statement.with_for_update() if lock else statement)).first()
