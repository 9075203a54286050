"""Writing audit entries, in the transaction of what they record."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, exists, func, select

from postroom.features.audit import store
from postroom.features.audit.values import actor_index, digests_of, salted, seal_values
from postroom.kit.crypto import Vault
from postroom.kit.database import AsyncConnection, Batch
from postroom.kit.ids import first_id_at, new_id


class Kind(StrEnum):
    ACCEPTED = "accepted"
    ACTION = "action"
    REMOVED = "removed"
    HIDDEN = "hidden"
    CANCELLED = "cancelled"
    ENDED = "ended"
    REPLAYED = "replayed"
    ESCALATED = "escalated"
    MARKED = "marked"
    EXPIRED = "expired"
    REPLACED = "replaced"
    SERVICE_ADDED = "service added"
    SERVICE_CHANGED = "service changed"
    KEY_ISSUED = "key issued"
    KEY_CHANGED = "key changed"
    KEY_REVOKED = "key revoked"
    GRANTED = "granted"
    GRANT_ENDED = "grant ended"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was done. `detail` holds no personal data; `actor`, `note` and `ip` are sealed.

    Without an actor it was the service of the notification.
    """

    kind: Kind
    at: datetime
    notification_id: str
    service_id: str
    actor: str | None = None
    note: str | None = field(default=None, repr=False)
    detail: str | None = None
    correlation_id: str | None = None
    ip: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class By:
    """Who changes something of a service, when and from where. `vault` seals their name."""

    actor: str
    at: datetime
    vault: Vault = field(repr=False)
    ip: str | None = field(default=None, repr=False)
    correlation_id: str | None = None


async def record(conn: AsyncConnection, entries: Iterable[Entry], *, vault: Vault) -> None:
    """Append the entries; they stand or fall with the caller's transaction."""
    plain, personal = _rows(entries, vault)
    await store.insert_without_values.run(conn, plain)
    await store.insert.run(conn, personal)


def add_accepted(batch: Batch, entries: Sequence[Entry]) -> None:
    """Append with the batch that requests were accepted: of those nobody but their service is the actor."""
    store.insert_accepted.add(
        batch,
        [
            {
                "id": new_id(),
                "at": entry.at,
                "notification_id": entry.notification_id,
                "service_id": entry.service_id,
                "correlation_id": entry.correlation_id,
            }
            for entry in entries
        ],
    )


async def record_of_service(
    conn: AsyncConnection, kind: Kind, *, service_id: str, by: By | None, detail: str | None = None
) -> None:
    """Append what was done to a service: its keys, grants, settings. Nothing where nobody is named."""
    if by is None:
        return
    entry = Entry(
        kind=kind,
        at=by.at,
        notification_id="",
        service_id=service_id,
        actor=by.actor,
        detail=detail,
        correlation_id=by.correlation_id,
        ip=by.ip,
    )
    await store.insert.run(conn, [_personal_row(entry, by.vault) | {"notification_id": None}])


async def count_accepted_without(
    conn: AsyncConnection, kept: ColumnElement[str], *, since: datetime | None
) -> int:
    """How many were accepted, since a moment or ever, whose id is not among those `kept` in a column."""
    entries = store.audit_entries.c
    where = [entries.kind == Kind.ACCEPTED.value, ~exists().where(kept == entries.notification_id)]
    if since is not None:
        where.append(entries.id >= first_id_at(since))
    return await conn.scalar(select(func.count()).select_from(store.audit_entries).where(*where)) or 0


def _rows(entries: Iterable[Entry], vault: Vault) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """The rows of entries without personal values, and of those with some."""
    plain, personal = [], []
    for entry in entries:
        if entry.actor is None and entry.note is None and entry.ip is None:
            plain.append(_row(entry))
        else:
            personal.append(_personal_row(entry, vault))
    return plain, personal


def _row(entry: Entry) -> dict[str, object]:
    return {
        "id": new_id(),
        "at": entry.at,
        "kind": entry.kind.value,
        "notification_id": entry.notification_id,
        "service_id": entry.service_id,
        "correlation_id": entry.correlation_id,
        "detail": entry.detail,
    }


def _personal_row(entry: Entry, vault: Vault) -> dict[str, object]:
    row = _row(entry)
    values = salted(actor=entry.actor, note=entry.note, ip=entry.ip)
    return row | {
        "personal": seal_values(vault, str(row["id"]), values),
        "personal_digests": digests_of(values),
        "actor_index": None if entry.actor is None else actor_index(vault, entry.actor),
    }
