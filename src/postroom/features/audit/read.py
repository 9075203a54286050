"""Reading audit entries again: those of one notification, opened."""

from typing import Any

import msgspec
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.features.audit.record import Entry, Kind
from postroom.features.audit.store import audit_entries
from postroom.kit.crypto import Vault

_COLUMN = "audit_entries.personal"


async def entries_about(conn: AsyncConnection, notification_id: str, *, vault: Vault) -> list[Entry]:
    """All that was done about a notification, in the order in which it was recorded."""
    found = await conn.execute(
        select(audit_entries)
        .where(audit_entries.c.notification_id == notification_id)
        .order_by(audit_entries.c.id)
    )
    return [_to_entry(row, vault) for row in found]


def _to_entry(row: Row[Any], vault: Vault) -> Entry:
    personal: dict[str, str | None] = {}
    if row.personal is not None:
        personal = msgspec.json.decode(vault.open(row.personal, row=row.id, column=_COLUMN))
    return Entry(
        kind=Kind(row.kind),
        at=row.at,
        notification_id=row.notification_id,
        service_id=row.service_id,
        actor=personal.get("actor"),
        note=personal.get("note"),
        detail=row.detail,
        correlation_id=row.correlation_id,
    )
