"""A notification and its deliveries, as the features hand them round."""

import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from postroom.domain.action import ActionType
from postroom.domain.channel import Channel
from postroom.domain.status import Status

_ETAG = re.compile(r'"(?P<state>[0-9]+-[ru])(-[0-9a-f]+)?"')


class FollowOn(msgspec.Struct, frozen=True):
    """What there is to do elsewhere: a button on the screen, and a link in an email or a text."""

    label: str
    url: str
    kind: str = "link"


class Personal(msgspec.Struct, frozen=True, omit_defaults=True):
    """The personal data of a notification: encrypted as one, redacted as one, never logged."""

    user: str | None = None
    message: str | None = None
    email: str | None = None
    mobile_number: str | None = None
    personalisation: dict[str, Any] | None = None
    warnings: tuple[str, ...] = ()
    trusted: tuple[str, ...] = ()
    """The values that may make links and headings in an email, by their names."""
    sensitive: bool = False
    """Whether its text is shown only where somebody opens it."""
    follow_on: FollowOn | None = None
    escalation: tuple[dict[str, Any], ...] = ()
    """The steps as they were asked for."""
    thread_key: str | None = None
    """A later notification of the same thread takes its place on screens."""
    expires_at: datetime | None = None


class ActionDetail(msgspec.Struct, frozen=True):
    """The personal part of a performed action."""

    done_by: str
    note: str | None = None


class Delivery(msgspec.Struct, frozen=True):
    """One notification over one channel, as callers see it."""

    id: str
    channel: Channel
    status: Status = Status.PENDING
    notify_id: str | None = None
    attempts: int = 0
    sent_at: datetime | None = None
    completed_at: datetime | None = None
    failure_reason: str | None = None
    document_id: str | None = None
    template_version: int | None = None
    """The version that it was checked against; once the provider has taken it, the one that it used."""
    checked_version: int | None = None


class EndedBy(StrEnum):
    EXPIRED = "expired"
    REPLACED = "replaced"


class Ended(msgspec.Struct, frozen=True):
    """That a notification is on no list any more, by its own terms. `replaced_by` is the later one's id."""

    at: datetime
    by: EndedBy
    replaced_by: str | None = None


class Notification(msgspec.Struct, frozen=True):
    """One thing that one recipient or audience should know, as its caller may see it."""

    id: str
    service_id: str
    target_id: str | None
    target_type: str | None
    channels: tuple[Channel, ...]
    extra_channels: tuple[Channel, ...]
    reference: str | None
    template_id: str | None
    template_ids: Mapping[Channel, str]
    require_action: bool
    template_unchecked: bool
    personal: Personal
    created_at: datetime
    version: int
    is_read: bool = False
    is_seen: bool = False
    is_archived: bool = False
    action: ActionType | None = None
    action_at: datetime | None = None
    action_detail: ActionDetail | None = None
    ended: Ended | None = None
    is_unreadable: bool = False
    """Whether what is personal about it cannot be opened: sealed with another secret, or changed since."""
    deliveries: tuple[Delivery, ...] = ()

    @property
    def all_channels(self) -> tuple[Channel, ...]:
        """Those asked for as the type and those added by a `require…` flag, each once."""
        return tuple(channel for channel in Channel if channel in (*self.channels, *self.extra_channels))

    @property
    def etag(self) -> str:
        """Covers the state that all share and the asker's own read state."""
        return self.etag_of("")

    def etag_of(self, shown: str) -> str:
        """The same, telling apart also what is `shown`, which changes with each step of a delivery."""
        state = f"{self.version}-{'r' if self.is_read else 'u'}"
        return f'"{state}-{shown}"' if shown else f'"{state}"'

    def is_named_by(self, if_match: str) -> bool:
        """Whether one of the ETags is of the state that it has now, however far its deliveries have come."""
        state = self.etag.strip('"')
        return any(tag == "*" or _state_of(tag) == state for tag in map(str.strip, if_match.split(",")))


def _state_of(etag: str) -> str | None:
    found = _ETAG.fullmatch(etag)
    return None if found is None else found["state"]
