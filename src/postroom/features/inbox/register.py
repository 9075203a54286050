"""The register of a manager: what waits for a decision of their people, and who has not confirmed it yet."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from postroom.domain.audience import audience_of
from postroom.domain.caller import Person
from postroom.features import readers
from postroom.features.notifications.waiting import Waiting, find_waiting
from postroom.features.recipients import members_of, reader_index
from postroom.kit.crypto import Vault
from postroom.kit.database import AsyncConnection

MOST_MEMBERS = 5_000
"""So many of a group are looked at; where there are more, that is said."""


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """What waits, and who of those whom it addresses has not read it, as far as they are looked at."""

    notification: Waiting
    missing: tuple[str, ...] = field(repr=False)
    members: int = 0
    is_all: bool = True


@dataclass(frozen=True, slots=True)
class Register:
    """`next_before` continues it, None at its end."""

    items: tuple[Unconfirmed, ...]
    next_before: str | None


async def register_of(
    conn: AsyncConnection,
    manager: Person,
    *,
    vault: Vault,
    before: str | None = None,
    limit: int,
    most_members: int = MOST_MEMBERS,
) -> Register:
    """A page of what waits for the manager's groups and patches, or for one of their members, newest first.

    What everybody has confirmed is left out: a page may have fewer than the limit, and others after it.
    """
    people = await _people(conn, manager, vault, most=most_members)
    audiences = {*people, *(email for team in people.values() for email, _ in team.members)}
    waiting = await find_waiting(conn, audiences, vault=vault, before=before, limit=limit + 1)
    shown = waiting[:limit]
    read = await readers.read_by(conn, [each.id for each in shown])
    items = [_judged(each, people, read.get(each.id, frozenset()), vault) for each in shown]
    return Register(
        items=tuple(each for each in items if each.missing),
        next_before=shown[-1].id if len(waiting) > limit else None,
    )


class _Team(NamedTuple):
    """The members of a group or patch with their blind indexes, by name, and whether those are all."""

    members: tuple[tuple[str, bytes], ...]
    is_all: bool = True


async def _people(conn: AsyncConnection, manager: Person, vault: Vault, *, most: int) -> dict[str, _Team]:
    """The members of each group and patch that the manager is in, by how a notification names it."""
    people = {}
    for user in manager.audiences:
        audience = audience_of(user)
        if audience is not None:
            members, more = await members_of(conn, audience, vault=vault, limit=most)
            people[str(audience)] = _team([member.email for member in members], vault, is_all=more is None)
    return people


def _team(emails: Sequence[str], vault: Vault, *, is_all: bool = True) -> _Team:
    return _Team(tuple((email, reader_index(vault, email)) for email in sorted(emails)), is_all)


def _judged(waiting: Waiting, people: dict[str, _Team], read: Collection[bytes], vault: Vault) -> Unconfirmed:
    user = waiting.user.lower()
    team = people.get(user) or _team([user], vault)
    missing = tuple(email for email, reader in team.members if reader not in read)
    return Unconfirmed(waiting, missing=missing, members=len(team.members), is_all=team.is_all)
