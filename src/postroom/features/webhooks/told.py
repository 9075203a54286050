"""The form in which a service is told of an event, in the feed and by a call alike.

Together with the API's schemas this is the edge: camelCase stands here because a call goes out from here.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Row

from postroom.kit.database import AsyncConnection


class Subject(NamedTuple):
    """What an event is about, in the service's own words."""

    reference: str | None = None
    target_id: str | None = None
    target_type: str | None = None
    correlation_id: str | None = None


Subjects = Callable[[AsyncConnection, Collection[str]], Awaitable[Mapping[str, Subject]]]
"""The subjects of notifications, by their ids; of one that is kept no longer there is none."""


class FeedbackData(msgspec.Struct, rename="camel"):
    """What happened to which notification. `sequence` grows with every event of a notification."""

    notification_id: str
    sequence: int
    delivery_id: str | None
    channel: str | None
    status: str | None
    reason: str | None
    action: str | None
    actor: str
    reference: str | None
    target_id: str | None
    target_type: str | None
    correlation_id: str | None


class FeedbackItem(msgspec.Struct):
    """An event by Standard Webhooks: the body of a call, and an item of the feed."""

    id: str
    type: str
    timestamp: datetime
    cursor: str
    data: FeedbackData


def to_item(row: Row[Any], subject: Subject | None) -> FeedbackItem:
    about = subject or Subject()
    return FeedbackItem(
        id=row.id,
        type=row.kind,
        timestamp=row.at,
        cursor=str(row.position),
        data=FeedbackData(
            notification_id=row.notification_id,
            sequence=row.position,
            delivery_id=row.delivery_id,
            channel=row.channel,
            status=row.status,
            reason=row.reason,
            action=row.action,
            actor=row.actor,
            reference=about.reference,
            target_id=about.target_id,
            target_type=about.target_type,
            correlation_id=row.correlation_id or about.correlation_id,
        ),
    )


to_body = msgspec.json.Encoder().encode
