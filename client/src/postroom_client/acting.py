"""The operations that change what is there.

A repeated action is a second entry of the audit, or a refusal that hides the first one's success. So when an
answer is lost, only reading is repeated, which counts once however often it comes; another action only where
Postroom surely did nothing. A removal is repeated, and finding nothing left then is success.
"""

from typing import Literal

from postroom_client.models import Notification
from postroom_client.operation import Operation, Request
from postroom_client.reading import path_of
from postroom_client.sending import json_request, read_notification

ActionType = Literal[
    "Initiated", "Approved", "Validate", "Rejected", "IsRead", "IsUnread", "IsSeen", "Archived"
]

_READING = frozenset({"IsRead", "IsUnread", "IsSeen", "Archived"})


def act(
    _service: str | None,
    /,
    notification_id: str,
    action: ActionType,
    *,
    note: str | None = None,
    etag: str | None = None,
) -> Operation[Notification]:
    """Record what was done about a notification. With an `etag`, Stale where it has changed since."""
    body = {"actionType": action} | ({} if note is None else {"actionNote": note})
    headers = {} if etag is None else {"If-Match": etag}
    request = json_request("PATCH", path_of("notifications", notification_id), body, headers=headers)
    # With a version, a repetition would be refused for what the lost attempt did.
    is_harmless = action in _READING and etag is None
    return Operation(request=request, parse=read_notification, repeatable=is_harmless)


def approve(
    service: str | None, /, notification_id: str, *, note: str, etag: str | None = None
) -> Operation[Notification]:
    return act(service, notification_id, "Approved", note=note, etag=etag)


def reject(
    service: str | None, /, notification_id: str, *, note: str, etag: str | None = None
) -> Operation[Notification]:
    return act(service, notification_id, "Rejected", note=note, etag=etag)


def mark_read(service: str | None, /, notification_id: str) -> Operation[Notification]:
    return act(service, notification_id, "IsRead")


def mark_unread(service: str | None, /, notification_id: str) -> Operation[Notification]:
    return act(service, notification_id, "IsUnread")


def remove(_service: str | None, /, notification_id: str) -> Operation[None]:
    """Remove a notification. What was sent is not recalled; what was not yet, is cancelled."""
    request = Request(method="DELETE", path=path_of("notifications", notification_id))
    return Operation(request=request, parse=lambda _: None, done_if_repeated=frozenset({404}))
