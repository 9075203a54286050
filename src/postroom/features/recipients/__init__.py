"""Whom a notification can address: the members of groups and patches."""

from postroom.features.recipients.indexes import audience_index, reader_index
from postroom.features.recipients.members import (
    LONGEST_LIST,
    Member,
    add_members,
    audiences,
    members_of,
    remove_member,
    set_members,
)
from postroom.features.recipients.memberships import Memberships

__all__ = [
    "LONGEST_LIST",
    "Member",
    "Memberships",
    "add_members",
    "audience_index",
    "audiences",
    "members_of",
    "reader_index",
    "remove_member",
    "set_members",
]
