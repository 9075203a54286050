"""The same request twice is one notification: keys that callers send with a POST, kept for a while."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Column, LargeBinary, Table, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from postroom.domain.caller import ServiceCaller
from postroom.domain.errors import KeyMisused
from postroom.domain.notification import Delivery, Notification
from postroom.features.notifications.find import find_own
from postroom.kit.crypto import Vault
from postroom.kit.database import AsyncConnection, Id, Instant, metadata

LONGEST_KEY = 255

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("service_id", Id, primary_key=True),
    # Digest of the key.
    Column("key", LargeBinary, primary_key=True),
    # Digest of the body that it came with.
    Column("body", LargeBinary, nullable=False),
    Column("notification_id", Id, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
)


@dataclass(frozen=True, slots=True)
class Once:
    """A caller's wish that this request counts once. `body` is the same for requests that say the same."""

    key: str
    body: bytes = field(repr=False)
    keep: timedelta | None = None
    """For how long it is known, if not for as long as others."""

    def row(self, *, vault: Vault, notification: Notification, keep: timedelta) -> dict[str, Any]:
        return {
            "service_id": notification.service_id,
            "key": vault.digest(self.key),
            "body": vault.digest(self.body.decode()),
            "notification_id": notification.id,
            "expires_at": notification.created_at + (keep if self.keep is None else self.keep),
        }


async def replay(
    conn: AsyncConnection, every: Collection[Once], *, caller: ServiceCaller, vault: Vault, now: datetime
) -> dict[str, Notification]:
    """What the keys made when they were first used, as it was answered then, by key; not those that are new.

    KeyMisused where a key came with another body.
    """
    digests = {vault.digest(once.key): once for once in every}
    columns = idempotency_keys.c
    rows = (
        await conn.execute(
            select(columns.key, columns.body, columns.notification_id).where(
                columns.service_id == caller.service_id,
                columns.key.in_(list(digests)),
                columns.expires_at > now,
            )
        )
    ).all()
    made = {}
    for row in rows:
        once = digests[bytes(row.key)]
        if row.body != vault.digest(once.body.decode()):
            raise KeyMisused(
                "This Idempotency-Key was used with another body. Use a new key for a new request."
            )
        made[once.key] = row.notification_id
    found = await find_own(conn, made.values(), caller=caller, vault=vault) if made else {}
    return {key: as_it_was_made(found[made_id]) for key, made_id in made.items() if made_id in found}


def as_it_was_made(notification: Notification) -> Notification:
    """The notification as the first answer showed it, before anything was sent or done."""
    return msgspec.structs.replace(
        notification,
        version=1,
        is_read=False,
        action=None,
        action_at=None,
        action_detail=None,
        deliveries=tuple(
            Delivery(id=each.id, channel=each.channel, template_version=each.checked_version)
            for each in notification.deliveries
        ),
    )


async def take_keys(
    conn: AsyncConnection, rows: Sequence[Mapping[str, Any]], *, now: datetime
) -> set[tuple[str, bytes]]:
    """Take the keys that nobody has, in the caller's transaction; which were taken.

    Another transaction that is taking the same key is waited for. Keys that have expired are free again.
    """
    if not rows:
        return set()
    insert = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    place = tuple_(idempotency_keys.c.service_id, idempotency_keys.c.key)
    wanted = {(row["service_id"], row["key"]): dict(row) for row in reversed(rows)}
    await conn.execute(
        idempotency_keys.delete().where(place.in_(list(wanted)), idempotency_keys.c.expires_at <= now)
    )
    ordered = [wanted[key] for key in sorted(wanted)]
    statement = insert(idempotency_keys).values(ordered).on_conflict_do_nothing()
    taken = await conn.execute(statement.returning(idempotency_keys.c.service_id, idempotency_keys.c.key))
    return {(row.service_id, bytes(row.key)) for row in taken}


async def forget_expired(conn: AsyncConnection, *, now: datetime) -> int:
    """Give up the keys whose time is over; how many."""
    done = await conn.execute(idempotency_keys.delete().where(idempotency_keys.c.expires_at <= now))
    return done.rowcount
