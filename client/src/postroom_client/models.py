"""What Postroom answers with, in the fields of its OpenAPI document.

Channels, statuses and actions are text, for Postroom may come to know more of them than this client does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from postroom_client.errors import PostroomError
from postroom_client.wire import APART, personal


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One notification over one channel."""

    id: str
    channel: str
    status: str
    notify_id: str | None = None
    attempts: int = 0
    sent_at: datetime | None = None
    completed_at: datetime | None = None
    failure_reason: str | None = None
    document_id: str | None = None
    template_version: int | None = None

    @property
    def has_ended(self) -> bool:
        return self.completed_at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """A notification as the caller may see it. Its `repr` holds no personal data."""

    id: str
    notification_type: str
    created_date: datetime
    target_id: str | None = None
    target_type: str | None = None
    user: str | None = personal()
    message: str | None = personal()
    template_id: str | None = None
    template_ids: Mapping[str, str] = field(default_factory=dict)
    mobile_number: str | None = personal()
    email: str | None = personal()
    personalisation_params: Mapping[str, Any] | None = personal()
    require_action: bool = False
    require_email_notification: bool = False
    require_sms_notification: bool = False
    require_letter: bool = False
    is_read_status: bool = False
    is_seen_status: bool = False
    is_archived: bool = False
    sent_message_details: tuple[str, ...] | None = None
    action_note: str | None = personal()
    performed_action_done_by: str | None = personal()
    performed_action_type: str | None = None
    performed_action_date: datetime | None = None
    is_removable: bool = False
    reference: str | None = None
    template_unchecked: bool = False
    warnings: tuple[str, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    sensitive: bool = False
    follow_on_action: Mapping[str, str] | None = personal()
    """What there is to do elsewhere: its label, url and kind."""
    escalation: Sequence[Mapping[str, Any]] = field(default=(), repr=False)
    thread_key: str | None = None
    expires_at: datetime | None = None
    ended_at: datetime | None = None
    """Since when it is on no list any more, by its own terms."""
    ended_by: str | None = None
    """expired, or replaced by a later one of its thread."""
    replaced_by: str | None = None
    is_unreadable: bool = False
    """Whether what is personal about it cannot be opened by Postroom any more."""
    etag: str | None = field(default=None, metadata=APART)
    """The version that this is, to act on no other; None in a list."""
    replayed: bool = field(default=False, metadata=APART)
    """Whether an earlier request with the same idempotency key had made it already."""

    @property
    def channels(self) -> tuple[str, ...]:
        return tuple(each.strip() for each in self.notification_type.split(","))


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateVersion:
    id: str | None = None
    path: str | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageStatus:
    """A message as GOV.UK Notify knows it. Times are Notify's own text."""

    id: str
    status: str
    type: str
    template: TemplateVersion = TemplateVersion()
    reference: str | None = None
    sent_at: str | None = None
    completed_at: str | None = None
    created_by_name: str | None = personal()
    email_address: str | None = personal()
    phone_number: str | None = personal()
    subject: str | None = personal()
    body: str | None = personal()
    line1: str | None = personal()
    line2: str | None = personal()
    line3: str | None = personal()
    line4: str | None = personal()
    line5: str | None = personal()
    line6: str | None = personal()
    line7: str | None = personal()
    postcode: str | None = personal()
    postage: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A template of the service, with the placeholders that have to be filled."""

    id: str
    type: str
    version: int
    body: str
    name: str | None = None
    subject: str | None = None
    placeholders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    status: str
    checks: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_ok(self) -> bool:
        return self.status == "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many there are; more than that, where it is not exact. A person is told the rest of them too."""

    count: int
    is_exact: bool = True
    unread: int | None = None
    unseen: int | None = None
    needs_action: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """What would become of a notification that is accepted."""

    valid: bool
    warnings: tuple[str, ...] = ()
    template_unchecked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What would go out."""

    id: str
    type: str
    version: int
    body: str = field(repr=False)
    subject: str | None = personal()
    html: str | None = personal()


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One thing that happened to a notification; still to come where `is_ahead`."""

    at: datetime
    kind: str
    text: str
    channel: str | None = None
    delivery_id: str | None = None
    actor: str | None = personal()
    note: str | None = personal()
    correlation_id: str | None = None
    is_ahead: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try of a delivery, and what the provider said."""

    number: int
    started_at: datetime
    ended_at: datetime | None = None
    outcome: str | None = None
    status_code: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A delivery that was given up, or of which somebody has to decide: `explanation` says why."""

    id: str
    notification_id: str
    channel: str
    template_id: str
    cause: str
    reason: str
    explanation: str
    created_at: datetime
    died_at: datetime
    reference: str | None = None
    replayed_at: datetime | None = None
    attempts: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """How many dead letters are sent after all."""

    replayed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Where Postroom calls back, and whether that works. The secret is there only where it is new."""

    url: str | None = field(repr=False)
    """None where Postroom cannot open it any more: then set it again."""
    created_at: datetime
    is_on: bool = True
    waiting: int = 0
    secret: str | None = field(default=None, repr=False)
    former_secret_until: datetime | None = None
    failing_since: datetime | None = None
    off_at: datetime | None = None
    off_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkItem:
    """What became of one of many: a notification, or the error that a call of its own would have raised."""

    index: int
    status: int
    notification: Notification | None = None
    error: PostroomError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkResult:
    """What became of many, in their order."""

    items: tuple[BulkItem, ...]
    idempotency_key: str
    """The same list with the same key takes up what was not accepted, and makes nothing twice."""

    @property
    def accepted(self) -> tuple[Notification, ...]:
        return tuple(each.notification for each in self.items if each.notification is not None)

    @property
    def refused(self) -> tuple[BulkItem, ...]:
        return tuple(each for each in self.items if each.error is not None)
