"""Postroom from Python: send notifications, follow them, and verify what Postroom calls back with.

    with Postroom(url, key=key, service="repairs") as postroom:
        postroom.send_email(to="amala@example.com", template="welcome", personalisation={"name": "Amala"})

AsyncPostroom has the same methods, to be awaited.
"""

from postroom_client.acting import ActionType
from postroom_client.clients import AsyncPostroom, Postroom
from postroom_client.conversation import RetryPolicy
from postroom_client.errors import (
    Conflict,
    Forbidden,
    InFlight,
    Invalid,
    KeyMisused,
    NotFound,
    PostroomError,
    ProviderRefusedKey,
    Stale,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unavailable,
    UnexpectedAnswer,
)
from postroom_client.models import (
    Attempt,
    BulkItem,
    BulkResult,
    Count,
    DeadLetter,
    Delivery,
    Health,
    MessageStatus,
    Notification,
    Preview,
    Replayed,
    Template,
    TemplateVersion,
    TimelineEntry,
    Validation,
    Webhook,
)
from postroom_client.operation import Operation, Page, Request, Response
from postroom_client.outgoing import Channel, NewNotification, attachment, email, letter, screen, text
from postroom_client.webhooks import Event, NotVerified, verify_webhook

__all__ = [
    "ActionType",
    "AsyncPostroom",
    "Attempt",
    "BulkItem",
    "BulkResult",
    "Channel",
    "Conflict",
    "Count",
    "DeadLetter",
    "Delivery",
    "Event",
    "Forbidden",
    "Health",
    "InFlight",
    "Invalid",
    "KeyMisused",
    "MessageStatus",
    "NewNotification",
    "NotFound",
    "NotVerified",
    "Notification",
    "Operation",
    "Page",
    "Postroom",
    "PostroomError",
    "Preview",
    "ProviderRefusedKey",
    "Replayed",
    "Request",
    "Response",
    "RetryPolicy",
    "Stale",
    "Template",
    "TemplateVersion",
    "TimelineEntry",
    "TooLarge",
    "TooMany",
    "Unauthenticated",
    "Unavailable",
    "UnexpectedAnswer",
    "Validation",
    "Webhook",
    "attachment",
    "email",
    "letter",
    "screen",
    "text",
    "verify_webhook",
]
