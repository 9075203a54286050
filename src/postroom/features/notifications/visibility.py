"""Who sees which notifications: a service its own, an officer what is addressed to them or their groups."""

from sqlalchemy import ColumnElement

from postroom.domain.caller import Caller, Person, ServiceCaller
from postroom.features.notifications import store
from postroom.features.notifications.seal import audience_index, reader_index
from postroom.features.notifications.tables import notifications
from postroom.kit.crypto import Vault


def visible_to(caller: Caller, vault: Vault) -> ColumnElement[bool]:
    """The condition that a notification is there for this caller."""
    if isinstance(caller, ServiceCaller):
        return notifications.c.service_id == caller.service_id
    return notifications.c.audience.in_(audiences_of(caller, vault)) & is_kept_by(caller, vault)


def audiences_of(person: Person, vault: Vault) -> set[bytes]:
    """Whatever addresses them, by its blind index."""
    return {audience_index(vault, each) for each in person.audiences}


def is_kept_by(person: Person, vault: Vault) -> ColumnElement[bool]:
    """The condition that they have not removed it from their own view."""
    return ~store.state_of_reader(reader_index(vault, person.email), "hidden_at")


def is_read_by(caller: Caller, vault: Vault) -> ColumnElement[bool]:
    """The condition that the asking person has read it; for a service, that anybody has."""
    if isinstance(caller, ServiceCaller):
        return notifications.c.first_read_at.is_not(None)
    return store.state_of_reader(reader_index(vault, caller.email), "read_at")
