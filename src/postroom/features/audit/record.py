"""Writing audit entries, in the transaction of what they record."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import msgspec
from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.features.audit import store
from postroom.kit.crypto import Vault
from postroom.kit.database import Batch
from postroom.kit.ids import first_id_at, new_id


class Kind(StrEnum):
    ACCEPTED = "accepted"
    ACTION = "action"
    REMOVED = "removed"
    HIDDEN = "hidden"
    CANCELLED = "cancelled"
    ENDED = "ended"
    REPLAYED = "replayed"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was done. `detail` holds no personal data; `actor` and `note` are sealed.

    Without an actor it was the service of the notification.
    """

    kind: Kind
    at: datetime
    notification_id: str
    service_id: str
    actor: str | None = None
    note: str | None = None
    detail: str | None = None
    correlation_id: str | None = None


async def record(conn: AsyncConnection, entries: Iterable[Entry], *, vault: Vault) -> None:
    """Append the entries; they stand or fall with the caller's transaction."""
    await store.insert.run(conn, [_row(entry, vault) for entry in entries])


def add(batch: Batch, entries: Iterable[Entry], *, vault: Vault) -> None:
    """Append the entries with the batch."""
    store.insert.add(batch, [_row(entry, vault) for entry in entries])


async def count_accepted_without(
    conn: AsyncConnection, kept: ColumnElement[str], *, since: datetime | None
) -> int:
    """How many were accepted, since a moment or ever, whose id is not among those `kept` in a column."""
    entries = store.audit_entries.c
    where = [entries.kind == Kind.ACCEPTED.value, ~exists().where(kept == entries.notification_id)]
    if since is not None:
        where.append(entries.id >= first_id_at(since))
    return await conn.scalar(select(func.count()).select_from(store.audit_entries).where(*where)) or 0


def _row(entry: Entry, vault: Vault) -> dict[str, object]:
    row_id = new_id()
    personal = None
    if entry.actor is not None or entry.note is not None:
        value = msgspec.json.encode({"actor": entry.actor, "note": entry.note})
        personal = vault.seal(value, row=row_id, column="audit_entries.personal")
    return {
        "id": row_id,
        "at": entry.at,
        "kind": entry.kind.value,
        "notification_id": entry.notification_id,
        "service_id": entry.service_id,
        "correlation_id": entry.correlation_id,
        "detail": entry.detail,
        "personal": personal,
    }
