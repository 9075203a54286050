"""What a service is told of a change of one of its deliveries."""

from datetime import datetime

from postroom.domain.delivery import State
from postroom.domain.status import FAILED, Status
from postroom.features.webhooks import Actor, Event, Kind, happened

_ENDS = {
    **dict.fromkeys(FAILED, Kind.FAILED),
    # Handed on to a carrier that says no more: it is told of as sent, once more.
    Status.SENT: Kind.SENT,
    Status.RECEIVED: Kind.DELIVERED,
    Status.DELIVERED: Kind.DELIVERED,
    # By the provider: what its own service removes is told of by that.
    Status.CANCELLED: Kind.FAILED,
    Status.SUPPRESSED: Kind.SUPPRESSED,
    Status.EXPIRED: Kind.EXPIRED,
}


def news_of(before: State, after: State) -> tuple[Event, ...]:
    """What happened between two states of a delivery: nothing, one thing, or that it was sent and ended."""
    is_taken = after.notify_id is not None and before.notify_id is None
    if after.status is before.status and not is_taken:
        return ()
    news: tuple[Event, ...] = ()
    if is_taken:
        news = (_happened(Kind.SENT, after, Status.SENDING, None, after.sent_at),)
    kind = None if after.status is before.status else _ENDS.get(after.status)
    if kind is None or (after.status is Status.CANCELLED and after.notify_id is None):
        return news
    return (*news, _happened(kind, after, after.status, after.reason, after.completed_at))


def _happened(kind: Kind, state: State, status: Status, reason: str | None, at: datetime | None) -> Event:
    return happened(
        kind,
        at=at or state.created_at,
        service_id=state.service_id,
        notification_id=state.notification_id,
        actor=Actor.POSTROOM,
        delivery_id=state.id,
        channel=state.channel,
        status=status,
        reason=reason,
    )
