"""Somebody follows the link of a message: it is noted as an action, once, and leads on."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import true

from postroom.domain.action import ActionType
from postroom.domain.channel import Channel
from postroom.domain.errors import NotFound
from postroom.domain.notification import ActionDetail, Personal
from postroom.features import audit, screens, webhooks
from postroom.features.notifications import store
from postroom.features.notifications.follow_on import Followed
from postroom.features.notifications.seal import open_personal, seal_action
from postroom.kit.crypto import Vault
from postroom.kit.database import AsyncConnection

SOMEBODY = "the recipient"


@dataclass(frozen=True, slots=True)
class Visitor:
    """How somebody came. `counts` is false of what a program looks at before a person does."""

    counts: bool = True
    ip: str | None = None
    correlation_id: str | None = None


async def follow(
    conn: AsyncConnection, followed: Followed, visitor: Visitor, *, vault: Vault, now: datetime
) -> str:
    """Where the link leads. The first visit takes the notification up, where nobody has done anything yet.

    NotFound where the notification was taken away, or what it held was given up.
    """
    row = await store.notification(conn, followed.notification_id, visible=true(), lock=visitor.counts)
    personal = None if row is None else open_personal(vault, row.id, row.personal)
    if row is None or personal is None or personal.follow_on is None:
        raise NotFound("What this link led to is not there any more.")
    if visitor.counts and row.action is None:
        who = _who(personal, followed.channel)
        await store.update_notification(
            conn,
            row.id,
            {
                "action": ActionType.INITIATED.value,
                "action_at": now,
                "action_personal": seal_action(vault, row.id, ActionDetail(done_by=who)),
            },
        )
        await _note(conn, row.id, row.service_id, who, visitor, vault=vault, now=now)
        if row.audience is not None:
            change = screens.changed(
                screens.Kind.CHANGED, screen=row.audience, at=now, notification_id=row.id
            )
            await screens.record(conn, [change])
    return personal.follow_on.url


def _who(personal: Personal, channel: Channel) -> str:
    reached = personal.email if channel is Channel.EMAIL else personal.mobile_number
    return reached or SOMEBODY


async def _note(
    conn: AsyncConnection,
    notification_id: str,
    service_id: str,
    who: str,
    visitor: Visitor,
    *,
    vault: Vault,
    now: datetime,
) -> None:
    entry = audit.Entry(
        kind=audit.Kind.ACTION,
        at=now,
        notification_id=notification_id,
        service_id=service_id,
        actor=who,
        detail=ActionType.INITIATED.value,
        correlation_id=visitor.correlation_id,
        ip=visitor.ip,
    )
    await audit.record(conn, [entry], vault=vault)
    event = webhooks.happened(
        webhooks.Kind.ACTIONED,
        at=now,
        service_id=service_id,
        notification_id=notification_id,
        actor=webhooks.Actor.READER,
        action=ActionType.INITIATED.value,
        correlation_id=visitor.correlation_id,
    )
    await webhooks.record(conn, [event])
