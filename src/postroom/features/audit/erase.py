"""Giving personal values of entries up. What was done, when, and the chain stay."""

from collections.abc import Collection, Iterable

import msgspec
from sqlalchemy import select

from postroom.features.audit.store import audit_entries
from postroom.features.audit.values import NAMES, Values, open_values, seal_values
from postroom.kit.crypto import Vault
from postroom.kit.database import AsyncConnection


async def give_up_values(
    conn: AsyncConnection, entry_ids: Collection[str], *, names: Iterable[str], vault: Vault
) -> int:
    """Give up the values of those names (actor, note, ip) in the entries; how many there were."""
    unwanted = {name: None for name in names if name in NAMES}
    rows = await conn.execute(select(audit_entries).where(audit_entries.c.id.in_(list(entry_ids))))
    gone = 0
    for row in rows.all():
        values = open_values(vault, row.id, row.personal)
        held = [name for name in unwanted if getattr(values, name) is not None]
        if not held:
            continue
        gone += len(held)
        left = msgspec.structs.replace(values, **unwanted)
        changed: dict[str, object] = {
            "personal": None if left == Values() else seal_values(vault, row.id, left)
        }
        if left.actor is None:
            changed["actor_index"] = None
        await conn.execute(audit_entries.update().where(audit_entries.c.id == row.id).values(**changed))
    return gone
