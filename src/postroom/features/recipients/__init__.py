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
from postroom.features.recipients.store import audiences_with, memberships_among

__all__ = [
    "LONGEST_LIST",
    "Member",
    "Memberships",
    "add_members",
    "audience_index",
    "audiences",
    "audiences_with",
    "members_of",
    "memberships_among",
    "reader_index",
    "remove_member",
    "set_members",
]
