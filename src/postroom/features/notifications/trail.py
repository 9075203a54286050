"""What was done about a notification, for those who may see it."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.domain.caller import Caller, Person
from postroom.domain.masking import mask_text
from postroom.domain.role import Role
from postroom.features import audit
from postroom.features.notifications import store
from postroom.features.notifications.visibility import Sight, readable_by
from postroom.kit.crypto import Vault

READS_THE_AUDIT = frozenset({Role.ADMIN, Role.AUDITOR})
"""They read all of it, as it is: it is what they are there for."""


def reads_the_audit(caller: Caller) -> bool:
    return isinstance(caller, Person) and not READS_THE_AUDIT.isdisjoint(caller.roles)


async def entries_of(
    conn: AsyncConnection, notification_id: str, *, caller: Caller, vault: Vault
) -> Sequence[audit.Recorded]:
    """What was done about a notification that the caller may read, the oldest first; none of another.

    Only who reads the audit learns where people called from.
    """
    row = await store.notification(conn, notification_id, visible=readable_by(caller, vault))
    if row is None:
        return ()
    found = await audit.entries_about(conn, notification_id, vault=vault)
    if reads_the_audit(caller):
        return found
    is_full = Sight(caller, vault).is_full(row)
    return [replace(each, ip=None, note=each.note if is_full else mask_text(each.note)) for each in found]
