"""The wire's shapes in camelCase, and nowhere else. Field order is the specification's."""

from datetime import datetime
from typing import Any

import msgspec


class NotificationBody(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """What a service POSTs. Flags may come as "true" and "false"; the channels as a list or with commas."""

    notification_type: str | list[str] | None = None
    target_id: str | None = None
    target_type: str | None = None
    user: str | None = None
    message: str | None = None
    service_key: str | None = None
    template_id: str | None = None
    template_ids: dict[str, str] | None = None
    mobile_number: str | None = None
    email: str | None = None
    personalisation_params: dict[str, Any] | None = None
    trusted_params: list[str] | None = None
    require_action: bool | str | None = None
    require_email_notification: bool | str | None = None
    require_sms_notification: bool | str | None = None
    require_letter: bool | str | None = None
    reference: str | None = None
    sensitive: bool | str | None = None
    follow_on_action: dict[str, Any] | None = None
    escalation: list[Any] | None = None
    thread_key: str | None = None
    expires_at: str | None = None


class EscalationNotifyBody(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """What a step of an escalation makes. What is left out is as in the notification that it is of."""

    notification_type: str | list[str] | None = None
    user: str | None = None
    message: str | None = None
    template_id: str | None = None
    template_ids: dict[str, str] | None = None
    mobile_number: str | None = None
    email: str | None = None
    personalisation_params: dict[str, Any] | None = None
    trusted_params: list[str] | None = None


class ActionBody(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """What somebody did about a notification. `id`, where given, must be that of the path."""

    action_type: str | None = None
    id: str | None = None
    action_note: str | None = None


class MarkBody(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """What is done with all that the filters hold; with `ids`, only with those of them."""

    action_type: str | None = None
    ids: list[str] | None = None


class MarkedItem(msgspec.Struct, rename="camel"):
    """So many were changed. Where that was not all of them, the same request goes on."""

    marked: int
    is_complete: bool


class DeliveryItem(msgspec.Struct, rename="camel"):
    id: str
    channel: str
    status: str
    notify_id: str | None
    attempts: int
    sent_at: datetime | None
    completed_at: datetime | None
    failure_reason: str | None
    document_id: str | None
    template_version: int | None


class FollowOnItem(msgspec.Struct, rename="camel"):
    """What there is to do elsewhere, by https at a host that is allowed to the service."""

    label: str
    url: str
    kind: str


class NotificationItem(msgspec.Struct, rename="camel"):
    """A notification as the asker may see it."""

    id: str
    target_id: str | None
    target_type: str | None
    notification_type: str
    user: str | None
    message: str | None
    service_key: None
    template_id: str | None
    mobile_number: str | None
    email: str | None
    require_action: bool
    require_email_notification: bool
    require_sms_notification: bool
    require_letter: bool
    is_read_status: bool
    sent_message_details: list[str] | None
    action_note: str | None
    performed_action_done_by: str | None
    performed_action_type: str | None
    is_removable: bool
    personalisation_params: dict[str, Any] | None
    performed_action_date: datetime | None
    created_date: datetime
    reference: str | None
    template_ids: dict[str, str]
    template_unchecked: bool
    warnings: list[str]
    deliveries: list[DeliveryItem]
    sensitive: bool
    follow_on_action: FollowOnItem | None
    escalation: list[dict[str, Any]]
    thread_key: str | None
    expires_at: datetime | None
    ended_at: datetime | None
    ended_by: str | None
    replaced_by: str | None
    is_seen_status: bool
    is_archived: bool
    is_unreadable: bool


class ValidationItem(msgspec.Struct, rename="camel"):
    """A request that would be accepted: nothing of it was kept, and nothing is sent."""

    valid: bool
    warnings: list[str]
    template_unchecked: bool


class TimelineItem(msgspec.Struct, rename="camel"):
    """One thing that happened to a notification, in plain English; still to come where `isAhead`."""

    at: datetime
    kind: str
    text: str
    channel: str | None
    delivery_id: str | None
    actor: str | None
    note: str | None
    correlation_id: str | None
    is_ahead: bool


class CountItem(msgspec.Struct, rename="camel", omit_defaults=True):
    """How many notifications there are; more than that, where it is not exact.

    A person is told too how many of them are unread, unseen and need action, where their own counts say it.
    """

    count: int
    is_exact: bool
    unread: int | None = None
    unseen: int | None = None
    needs_action: int | None = None


class UnreadItem(msgspec.Struct, rename="camel"):
    """How much a person has not read, as their stream tells it; more than that, where it is not exact."""

    unread: int
    is_exact: bool


class AttemptItem(msgspec.Struct, rename="camel"):
    number: int
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    status_code: int | None
    reason: str | None


class DeadLetterItem(msgspec.Struct, rename="camel"):
    """A delivery that was given up, or of which somebody has to decide; by the delivery's id."""

    id: str
    notification_id: str
    channel: str
    template_id: str
    reference: str | None
    cause: str
    reason: str
    explanation: str
    created_at: datetime
    died_at: datetime
    replayed_at: datetime | None
    attempts: list[AttemptItem]


class AuditItem(msgspec.Struct, rename="camel"):
    """One thing that was done, with the number of the seal that holds it. Where nobody is named, `actor` is
    null: it was Postroom, or is not told to this caller, or where `isUnreadable` cannot be opened."""

    id: str
    at: datetime
    kind: str
    detail: str | None
    actor: str | None
    note: str | None
    ip: str | None
    notification_id: str | None
    service: str | None
    correlation_id: str | None
    seal: int | None
    is_unreadable: bool


class ReplayBody(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """`maySendTwice` takes up also what may have been sent."""

    may_send_twice: bool | None = None


class ReplayManyBody(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Which dead letters to take up again. `all` says that no other filter is meant."""

    all: bool | None = None
    channel: str | None = None
    template_id: str | None = None
    reference: str | None = None
    cause: str | None = None
    died_from: str | None = None
    died_to: str | None = None
    may_send_twice: bool | None = None


class ReplayedItem(msgspec.Struct, rename="camel"):
    replayed: int


class MembersBody(msgspec.Struct, forbid_unknown_fields=True):
    """Members of a group or a patch, by their e-mail addresses."""

    members: list[str] | None = None


class MemberItem(msgspec.Struct, rename="camel"):
    """A member. `registeredAt` is since when it is said here, `toldAt` since when their token says it."""

    email: str
    registered_at: datetime | None
    told_at: datetime | None


class AudienceItem(msgspec.Struct):
    """A group or a patch that has members."""

    name: str
    members: int


class TemplatePath(msgspec.Struct, rename="camel"):
    id: str | None
    path: str | None
    version: int | None


class MessageStatusItem(msgspec.Struct):
    """A message as GOV.UK Notify knows it, in the specification's names. Times are Notify's own text."""

    id: str
    completed_at: str | None = msgspec.field(name="completedAt")
    email_address: str | None = msgspec.field(name="emailAddress")
    body: str | None
    subject: str | None
    line1: str | None
    line2: str | None
    line3: str | None
    line4: str | None
    line5: str | None
    line6: str | None
    phone_number: str | None = msgspec.field(name="phoneNumber")
    postage: str | None
    reference: str | None
    sent_at: str | None = msgspec.field(name="sentAt")
    status: str
    type: str
    created_by_name: str | None = msgspec.field(name="createdByName")
    template: TemplatePath
    line7: str | None
    postcode: str | None


class TemplateItem(msgspec.Struct, rename="camel"):
    id: str
    name: str | None
    type: str
    version: int
    subject: str | None
    body: str
    placeholders: list[str]


class PreviewBody(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """The values to fill a template in with, as they would stand in a notification."""

    personalisation_params: dict[str, Any] | None = None
    trusted_params: list[str] | None = None


class PreviewItem(msgspec.Struct, rename="camel"):
    """What would go out, as GOV.UK Notify writes it. Only an email has `html`."""

    id: str
    type: str
    version: int
    subject: str | None
    body: str
    html: str | None


class FieldProblem(msgspec.Struct):
    field: str
    message: str


class Problem(msgspec.Struct, rename="camel", omit_defaults=True):
    """An error by RFC 9457, with the two members of the council's own shape beside it."""

    type: str
    title: str
    status: int
    detail: str
    user_error_message: str
    dev_error_messages: list[str]
    errors: list[FieldProblem] | None = None
    reason: str | None = None
    correlation_id: str | None = None


class Health(msgspec.Struct):
    status: str
    checks: dict[str, str]


class BulkResult(msgspec.Struct, rename="camel", omit_defaults=True):
    """What became of one notification of a bulk: what POST would have answered to it alone."""

    index: int
    status: int
    notification: NotificationItem | None = None
    validation: ValidationItem | None = None
    problem: Problem | None = None
    idempotent_replay: bool = False


class WebhookBody(msgspec.Struct):
    url: str | None = None


class WebhookItem(msgspec.Struct, rename="camel"):
    """A service's webhook. `secret` is shown once: when it is new, or after a rotation. `url` is null where
    it cannot be opened any more: then nobody is called until it is set again."""

    url: str | None
    secret: str | None
    is_on: bool
    off_at: datetime | None
    off_reason: str | None
    failing_since: datetime | None
    former_secret_until: datetime | None
    waiting: int
    created_at: datetime


class WebhookAttemptItem(msgspec.Struct, rename="camel"):
    """One try of a call. `error` is a word for what went wrong before an answer came."""

    id: str
    event_id: str
    notification_id: str
    number: int
    at: datetime
    took_ms: int
    status_code: int | None
    error: str | None
    outcome: str


class ResendBody(msgspec.Struct):
    since: str | None = None


class ResentItem(msgspec.Struct):
    resent: int
