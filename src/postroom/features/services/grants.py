"""Leave for one service to read another's notifications, given by whoever runs Postroom."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Boolean, Column, Table, select
from sqlalchemy.dialects import postgresql, sqlite

from postroom.domain.caller import Grant
from postroom.domain.errors import FieldError, Invalid
from postroom.features import audit
from postroom.features.services.store import services
from postroom.kit.database import AsyncConnection, Id, Instant, metadata

grants = Table(
    "grants",
    metadata,
    Column("reader_id", Id, primary_key=True),
    Column("owner_id", Id, primary_key=True),
    Column("with_personal_data", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
)


async def grant(
    conn: AsyncConnection,
    *,
    reader_id: str,
    owner_id: str,
    with_personal_data: bool,
    now: datetime,
    by: audit.By | None = None,
) -> None:
    """Let the reader read what the owner's are; where it may already, only how much it sees is changed."""
    if reader_id == owner_id:
        raise Invalid([FieldError("owner", "A service reads its own notifications anyway.")])
    insert = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    statement = insert(grants).values(
        reader_id=reader_id, owner_id=owner_id, with_personal_data=with_personal_data, created_at=now
    )
    await conn.execute(
        statement.on_conflict_do_update(
            index_elements=["reader_id", "owner_id"], set_={"with_personal_data": with_personal_data}
        )
    )
    seen = "with personal data" if with_personal_data else "masked"
    await audit.record_of_service(
        conn, audit.Kind.GRANTED, service_id=owner_id, by=by, detail=f"service {reader_id} {seen}"
    )


async def end_grant(
    conn: AsyncConnection, *, reader_id: str, owner_id: str, by: audit.By | None = None
) -> bool:
    """Take the leave back; whether there was one."""
    done = await conn.execute(
        grants.delete().where(grants.c.reader_id == reader_id, grants.c.owner_id == owner_id)
    )
    if done.rowcount > 0:
        await audit.record_of_service(
            conn, audit.Kind.GRANT_ENDED, service_id=owner_id, by=by, detail=f"service {reader_id}"
        )
    return done.rowcount > 0


async def grants_to(conn: AsyncConnection, reader_id: str) -> tuple[Grant, ...]:
    """What the service may read beside its own, by the owners' names."""
    found: Sequence[Grant] = [
        Grant(row.owner_id, row.name, row.with_personal_data)
        for row in await conn.execute(
            select(grants.c.owner_id, services.c.name, grants.c.with_personal_data)
            .join(services, services.c.id == grants.c.owner_id)
            .where(grants.c.reader_id == reader_id)
            .order_by(services.c.name)
        )
    ]
    return tuple(found)
