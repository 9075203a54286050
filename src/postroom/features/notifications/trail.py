"""What was done about notifications and to services, for those who may see it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from postroom.domain.caller import Caller, Person, ServiceCaller
from postroom.domain.errors import FieldError, Forbidden, Invalid
from postroom.domain.masking import mask_text
from postroom.domain.role import Role
from postroom.features import audit
from postroom.features.notifications import store, wording
from postroom.features.notifications.visibility import Sight, readable_by
from postroom.features.services import Directory
from postroom.kit.crypto import Vault
from postroom.kit.database import AsyncConnection

READS_THE_AUDIT = frozenset({Role.ADMIN, Role.AUDITOR})
"""They read all of it, as it is: it is what they are there for."""


@dataclass(frozen=True, slots=True)
class TrailQuery:
    """Which entries are asked for; None leaves a filter out. `user` is who did it, `service` a name."""

    notification_id: str | None = None
    target_id: str | None = None
    user: str | None = field(default=None, repr=False)
    service: str | None = None
    kind: audit.Kind | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose entries a caller reads: all those of these services."""

    service_ids: tuple[str, ...]
    every: bool = False


def reads_the_audit(caller: Caller) -> bool:
    return isinstance(caller, Person) and not READS_THE_AUDIT.isdisjoint(caller.roles)


async def scope_of(query: TrailQuery, *, caller: Caller, directory: Directory) -> Scope:
    """The services whose entries the query is over. Forbidden to who may not read the audit, or not theirs.

    Invalid where a service asks by who did it: who has read something is not told to it.
    """
    if isinstance(caller, ServiceCaller):
        if query.service not in (None, caller.name):
            raise Forbidden("Your service reads its own audit alone.")
        if query.user is not None:
            raise Invalid([FieldError("user", "Only auditors and admins may ask by who did it.")])
        return Scope((caller.service_id,))
    if not reads_the_audit(caller):
        raise Forbidden(f"This needs one of the roles {', '.join(sorted(READS_THE_AUDIT))}.")
    return await every_service(query, directory=directory)


async def every_service(query: TrailQuery, *, directory: Directory) -> Scope:
    """All services, or the one that is named; Invalid where there is none of that name."""
    if query.service is None:
        return Scope(tuple(each.id for each in await directory.every()), every=True)
    named = await directory.by_name(query.service)
    if named is None:
        raise Invalid([FieldError("service", "There is no service of this name.")])
    return Scope((named.id,))


async def find_trail(
    conn: AsyncConnection, query: TrailQuery, scope: Scope, *, in_full: bool, vault: Vault
) -> audit.TrailPage:
    """A page of entries, the newest first. `in_full` tells also who has read, and where they called from."""
    about = None
    if query.target_id is not None:
        about = store.ids_about(query.target_id, service_ids=scope.service_ids)
    filters = audit.TrailFilters(
        notification_id=query.notification_id,
        about=about,
        service_id=None if scope.every else scope.service_ids[0],
        actor=query.user,
        kind=query.kind,
        since=query.since,
        until=query.until,
        before=query.before,
        limit=query.limit,
    )
    page = await audit.find_entries(conn, filters, vault=vault)
    return page if in_full else replace(page, items=tuple(_for_a_service(each) for each in page.items))


def _for_a_service(entry: audit.Recorded) -> audit.Recorded:
    """It hears that something was read, but not by whom."""
    hidden = wording.is_of_one_reader(entry)
    return replace(entry, ip=None, actor=None if hidden else entry.actor)


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


async def names_of(entries: Collection[audit.Recorded], *, directory: Directory) -> dict[str, str]:
    """The names of the services that the entries are of, by id."""
    found = [await directory.by_id(service_id) for service_id in {each.service_id for each in entries}]
    return {each.id: each.name for each in found if each is not None}
