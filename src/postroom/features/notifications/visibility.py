"""Who sees which notifications: a service its own, an officer what is addressed to them or their groups."""

from sqlalchemy import ColumnElement

from postroom.domain.caller import Caller, ServiceCaller
from postroom.features.notifications import store
from postroom.features.notifications.seal import audience_index, reader_index
from postroom.features.notifications.tables import notifications
from postroom.kit.crypto import Vault


def visible_to(caller: Caller, vault: Vault) -> ColumnElement[bool]:
    """The condition that a notification is there for this caller."""
    if isinstance(caller, ServiceCaller):
        return notifications.c.service_id == caller.service_id
    addressed = notifications.c.audience.in_([audience_index(vault, each) for each in caller.audiences])
    return addressed & ~store.state_of_reader(reader_index(vault, caller.email), "hidden_at")


def is_read_by(caller: Caller, vault: Vault) -> ColumnElement[bool]:
    """The condition that the asking person has read it; for a service, that anybody has."""
    if isinstance(caller, ServiceCaller):
        return notifications.c.first_read_at.is_not(None)
    return store.state_of_reader(reader_index(vault, caller.email), "read_at")
