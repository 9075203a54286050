"""What a person who calls is a member of: looked up once, remembered for some seconds.

What their token says is kept in the registry too, so that a group's members are known beyond those who are
signed in. It is written when it is new, and gone when a later token does not say it any more: what a token
once said lets nobody in.
"""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from postroom.domain.audience import Audience, AudienceKind, audience_named
from postroom.domain.caller import Person
from postroom.features.recipients import store
from postroom.features.recipients.indexes import audience_index, reader_index
from postroom.features.recipients.members import told_rows
from postroom.kit.clock import Clock
from postroom.kit.crypto import Vault
from postroom.kit.database import Database, DatabaseUnavailable, LockTimeout

_MOST_REMEMBERED = 10_000


class Memberships:
    """The memberships of persons. What is registered or ended elsewhere counts `remember` later at most."""

    def __init__(
        self, *, database: Database, vault: Vault, clock: Clock, remember: timedelta = timedelta(seconds=5)
    ) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._remember = remember
        self._known: dict[Person, tuple[datetime, Person]] = {}
        # What tokens said, as they said it: it is kept with the persons in any case.
        self._told: dict[str, tuple[str, ...]] = {}

    async def complete(self, person: Person) -> Person:
        """The person with the groups and patches that they are registered in beside those of their token."""
        known = self._known.get(person)
        now = self._clock()
        if known is not None and now < known[0]:
            return known[1]
        member = reader_index(self._vault, person.email)
        async with self._database.reading() as conn:
            rows = await store.registered_audiences(conn, member)
        groups = {row.name for row in rows if row.kind == AudienceKind.GROUP}
        patches = tuple(row.name for row in rows if row.kind == AudienceKind.PATCH)
        more = sorted(groups - {group.strip().lower() for group in person.groups})
        completed = replace(person, groups=(*person.groups, *more), patches=patches) if rows else person
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        self._known[person] = now + self._remember, completed
        return completed

    def forget(self) -> None:
        """Look everybody up again: a membership has changed here."""
        self._known.clear()

    async def hear(self, person: Person, *, issued_at: datetime) -> None:
        """Keep the groups that a token says, where they are new; one older than the last changes nothing."""
        if self._told.get(person.email) == person.groups:
            return
        named = (audience_named(AudienceKind.GROUP, group) for group in person.groups)
        groups = frozenset(group for group in named if group is not None)
        # Whoever calls is let in by their token; that it is not in the registry yet may wait.
        with suppress(DatabaseUnavailable, LockTimeout):
            await self._keep(person.email, groups, issued_at)
            if len(self._told) >= _MOST_REMEMBERED:
                self._told.clear()
            self._told[person.email] = person.groups

    async def _keep(self, email: str, groups: frozenset[Audience], issued_at: datetime) -> None:
        member = reader_index(self._vault, email)
        wanted = {audience_index(self._vault, str(group)): group for group in groups}
        async with self._database.reading() as conn:
            if await store.told_audiences(conn, member) == wanted.keys():
                return
        async with self._database.transaction() as conn:
            last = await store.last_token(conn, member, lock=True)
            if last is not None and issued_at < last.issued_at:
                return
            await store.insert_holder(conn, [{"member": member, "issued_at": issued_at}])
            told = await store.told_audiences(conn, member)
            new = [group for index, group in wanted.items() if index not in told]
            await store.insert_told(conn, told_rows(new, email, vault=self._vault, told_at=self._clock()))
            if gone := told - wanted.keys():
                await store.drop_told(conn, member, gone)
