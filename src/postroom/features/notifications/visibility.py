"""Who sees which notifications, and how much of them.

A service has its own, an officer what is addressed to them or their groups. A grant lets a service read
another's, and a role lets a person read everybody's: neither may change them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, true

from postroom.domain.caller import Caller, Person, ServiceCaller
from postroom.domain.reading import Reading
from postroom.features import readers
from postroom.features.notifications.seal import audience_index, reader_index
from postroom.features.notifications.tables import notifications
from postroom.kit.crypto import Vault


@dataclass(frozen=True, slots=True)
class Reach:
    """The services that a list reaches over, where it is not the caller's own. `every` is all there are."""

    service_ids: tuple[str, ...]
    every: bool = False


def visible_to(caller: Caller, vault: Vault) -> ColumnElement[bool]:
    """The condition that a notification is this caller's: theirs to list, and to act on."""
    if isinstance(caller, ServiceCaller):
        return notifications.c.service_id == caller.service_id
    return notifications.c.audience.in_(audiences_of(caller, vault)) & is_kept_by(caller, vault)


def audiences_of(person: Person, vault: Vault) -> set[bytes]:
    """Whatever addresses them, by its blind index."""
    return {audience_index(vault, each) for each in person.audiences}


def is_kept_by(person: Person, vault: Vault) -> ColumnElement[bool]:
    """The condition that they have not removed it from their own view."""
    return is_shown_to(person, readers.View(Reading.HIDDEN, Reading.UNSEEN), vault)


def is_shown_to(person: Person, view: readers.View, vault: Vault) -> ColumnElement[bool]:
    """The condition that it is in this view of theirs, as far as what they have done with it goes."""
    reader = reader_index(vault, person.email)
    return readers.is_shown(view, reader=reader, notification_id=notifications.c.id)


def readable_by(caller: Caller, vault: Vault) -> ColumnElement[bool]:
    """The condition that this caller may read a notification, be it theirs or not."""
    if isinstance(caller, Person):
        return true() if caller.sees_everything else visible_to(caller, vault)
    return _of_services([caller.service_id, *(grant.owner_id for grant in caller.grants)])


def within(reach: Reach, *, narrowed: bool) -> ColumnElement[bool]:
    """The condition of a list over services. `narrowed` says that an index by service leads to few rows."""
    if reach.every and not narrowed:
        # The rows are read from the newest on: an index by service would have all of them sorted first.
        return true()
    return _of_services(reach.service_ids)


def _of_services(service_ids: Sequence[str]) -> ColumnElement[bool]:
    if len(service_ids) == 1:
        return notifications.c.service_id == service_ids[0]
    return notifications.c.service_id.in_(service_ids)


class Sight:
    """How much of what it may read a caller sees: personal data only where it is meant for them."""

    def __init__(self, caller: Caller, vault: Vault) -> None:
        self._caller = caller
        self._audiences: frozenset[bytes] | None = None
        # Without a role everything that a person can read is addressed to them.
        if isinstance(caller, Person) and caller.sees_everything:
            self._audiences = frozenset(audiences_of(caller, vault))

    def is_full(self, row: Row[Any]) -> bool:
        """Whether the caller sees the notification's personal data as it is."""
        if isinstance(self._caller, Person):
            return self._audiences is None or row.audience in self._audiences
        return row.service_id == self._caller.service_id or any(
            grant.owner_id == row.service_id and grant.with_personal_data for grant in self._caller.grants
        )
