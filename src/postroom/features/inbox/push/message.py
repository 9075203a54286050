"""What is pushed to a browser: a line for each notification, or one for all where they are many."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

from postroom.domain import target_type
from postroom.domain.notification import Notification
from postroom.kit.crypto import Vault
from postroom.kit.web_push import to_text

KEPT_FOR = timedelta(hours=24)
"""How long a push waits for a browser that is not there. What came before is found on the screen."""
MOST_ONE_BY_ONE = 3
"""Of more than that a browser is told in one popup."""

_LONGEST_TEXT = 240
_PAGE = "/inbox"
_DISCREET = "A new notification"
"""A popup may stand on a locked screen: of what is sensitive not even the kind is shown."""


class PushedItem(msgspec.Struct, rename="camel", omit_defaults=True):
    """What the service worker is given. A sensitive notification has the neutral text of lists."""

    id: str | None
    """Of the notification; null where the popup is of several."""
    title: str
    body: str
    tag: str
    """Of two popups with the same one a browser shows the later."""
    url: str
    """The page to open: whole, or a path of the officer pages' origin."""
    unread: int | None
    require_action: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One push, as it is sent: sealed for its browser only then."""

    body: bytes = field(repr=False)
    topic: str
    """Of two that wait at the push service with the same one the later is delivered."""
    is_urgent: bool
    keep_for: timedelta
    notification_ids: tuple[str, ...]


class Pages:
    """Where the pages are that popups open."""

    def __init__(self, *, public_url: str, prefix: str) -> None:
        self._front = public_url or prefix

    def of(self, notification_id: str | None) -> str:
        return f"{self._front}{_PAGE}" + ("" if notification_id is None else f"/{notification_id}")


def messages_for(
    notifications: Sequence[tuple[Notification, datetime]],
    *,
    subscription_id: str,
    unread: int | None,
    pages: Pages,
    vault: Vault,
    now: datetime,
) -> list[Message]:
    """The pushes of what came to a screen, each with when it did: the first to come first."""
    if len(notifications) > MOST_ONE_BY_ONE:
        item = PushedItem(
            id=None,
            title=f"{len(notifications)} new notifications",
            body="" if unread is None else f"You have {unread} unread.",
            tag="postroom",
            url=pages.of(None),
            unread=unread,
        )
        newest = max(at for _, at in notifications)
        every = [each for each, _ in notifications]
        return [_message(item, every, vault=vault, of=subscription_id, at=newest, now=now)]
    return [
        _message(_item(each, unread, pages), [each], vault=vault, of=each.id, at=at, now=now)
        for each, at in notifications
    ]


def _item(one: Notification, unread: int | None, pages: Pages) -> PushedItem:
    return PushedItem(
        id=one.id,
        title=_DISCREET if one.personal.sensitive else target_type.in_words(one.target_type),
        body=_shortened(one.personal.message),
        tag=one.id,
        url=pages.of(one.id),
        unread=unread,
        require_action=one.require_action,
    )


def _message(
    item: PushedItem, every: Sequence[Notification], *, vault: Vault, of: str, at: datetime, now: datetime
) -> Message:
    return Message(
        body=msgspec.json.encode(item),
        topic=to_text(vault.blind_index(of, purpose="push topic")),
        is_urgent=any(each.require_action for each in every),
        keep_for=max(at + KEPT_FOR - now, timedelta(0)),
        notification_ids=tuple(each.id for each in every),
    )


def _shortened(text: str | None) -> str:
    line = " ".join((text or "").split())
    return line if len(line) <= _LONGEST_TEXT else f"{line[: _LONGEST_TEXT - 1].rstrip()}…"


def headers_of(message: Message) -> dict[str, Any]:
    return {
        "Content-Type": "application/octet-stream",
        "Content-Encoding": "aes128gcm",
        "TTL": str(int(message.keep_for.total_seconds())),
        "Urgency": "high" if message.is_urgent else "normal",
        "Topic": message.topic,
    }
