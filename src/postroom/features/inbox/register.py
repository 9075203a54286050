"""The register of a manager: what waits for a decision of their people, and who has not confirmed it yet."""

from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.domain.audience import AudienceKind, audience_named
from postroom.domain.caller import Person
from postroom.features import readers
from postroom.features.notifications.waiting import Waiting, find_waiting
from postroom.features.recipients import members_of, reader_index
from postroom.kit.crypto import Vault

MOST_MEMBERS = 1_000
"""So many of a group are looked at."""


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """What waits, and who of those whom it addresses has not read it."""

    notification: Waiting
    missing: tuple[str, ...] = field(repr=False)
    members: int = 0


@dataclass(frozen=True, slots=True)
class Register:
    """`next_before` continues it, None at its end."""

    items: tuple[Unconfirmed, ...]
    next_before: str | None


async def register_of(
    conn: AsyncConnection, manager: Person, *, vault: Vault, before: str | None = None, limit: int
) -> Register:
    """A page of what waits for the manager's groups and patches, or for one of their members, newest first.

    What everybody has confirmed is left out: a page may have fewer than the limit, and others after it.
    """
    people = await _people(conn, manager, vault)
    audiences = {*people, *(email for members in people.values() for email in members)}
    waiting = await find_waiting(conn, audiences, vault=vault, before=before, limit=limit + 1)
    shown = waiting[:limit]
    read = await readers.read_by(conn, [each.id for each in shown])
    items = [_judged(each, people, read.get(each.id, frozenset()), vault) for each in shown]
    return Register(
        items=tuple(each for each in items if each.missing),
        next_before=shown[-1].id if len(waiting) > limit else None,
    )


async def _people(conn: AsyncConnection, manager: Person, vault: Vault) -> dict[str, tuple[str, ...]]:
    """The members of each group and patch that the manager is in, by how a notification names it."""
    people = {}
    for user in manager.audiences:
        kind, colon, name = user.partition(":")
        audience = audience_named(AudienceKind(kind), name) if colon and kind in set(AudienceKind) else None
        if audience is not None:
            members, _ = await members_of(conn, audience, vault=vault, limit=MOST_MEMBERS)
            people[str(audience)] = tuple(member.email for member in members)
    return people


def _judged(
    waiting: Waiting, people: dict[str, tuple[str, ...]], read: Collection[bytes], vault: Vault
) -> Unconfirmed:
    user = waiting.user.lower()
    members = people.get(user, (user,))
    missing = [email for email in members if reader_index(vault, email) not in read]
    return Unconfirmed(waiting, missing=tuple(sorted(missing)), members=len(members))
