"""Follow-on actions: what may stand in one, and the short signed link that leads to it from a message.

A link names a notification and a channel, and nothing else; where it leads stands in the notification. So
nobody can make it lead elsewhere, and it tells nobody anything.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import msgspec

from notify_rules.placeholders import normalise_name
from postroom.domain.channel import Channel
from postroom.domain.errors import FieldError
from postroom.domain.notification import FollowOn, Personal
from postroom.features.notifications.characters import has_control_or_break
from postroom.features.services import leads_to_allowed_host
from postroom.kit.crypto import Vault
from postroom.kit.ids import moment_of

LONGEST_LABEL = 100
PATH = "/f/"

_KIND = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,31}", re.ASCII)
_CHANNELS = (Channel.EMAIL, Channel.TEXT)
_MAC_BYTES = 12
_NO_ID = "00000000-0000-7000-8000-000000000000"


class Broken(StrEnum):
    """Why a link leads nowhere."""

    TAMPERED = "tampered"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Followed:
    """What a link names: a notification, and the message that it stood in."""

    notification_id: str
    channel: Channel


def check_follow_on(follow_on: FollowOn, *, hosts: Collection[str]) -> list[FieldError]:
    """Every fault of a follow-on action of a service that may lead to these hosts."""
    errors = []
    label = follow_on.label
    if not 1 <= len(label.strip()) <= LONGEST_LABEL or has_control_or_break(label):
        words = f"Say in 1 to {LONGEST_LABEL} characters what there is to do, as on a button."
        errors.append(FieldError("followOnAction.label", words))
    if not leads_to_allowed_host(follow_on.url, hosts):
        allowed = (
            f"one of {', '.join(hosts)}" if hosts else "a host that is allowed to your service: none yet"
        )
        words = f"Use an address that begins with https:// and leads to {allowed}."
        errors.append(FieldError("followOnAction.url", words))
    if not _KIND.fullmatch(follow_on.kind):
        words = "Use one word of up to 32 letters, digits and hyphens, as in survey."
        errors.append(FieldError("followOnAction.kind", words))
    return errors


class FollowOnLinks:
    """Makes and reads links below Postroom's own address. Without an address there are none."""

    def __init__(self, *, vault: Vault, public_url: str, placeholder: str, last: timedelta) -> None:
        self._vault = vault
        self._public_url = public_url.rstrip("/")
        self._last = last
        self.placeholder = placeholder
        self._name = normalise_name(placeholder)

    def as_sent(self, personal: Personal, channel: Channel, *, notification_id: str = _NO_ID) -> Personal:
        """The personal data with the link as a value, for who sends it or looks whether it can be sent.

        A value of that name that the service gave stays.
        """
        if personal.follow_on is None or not self._public_url or channel not in _CHANNELS:
            return personal
        given = personal.personalisation or {}
        if any(normalise_name(name) == self._name for name in given):
            return personal
        return msgspec.structs.replace(
            personal,
            personalisation=given | {self.placeholder: self.url(notification_id, channel)},
            trusted=(*personal.trusted, self.placeholder),
        )

    def but_the_link(self, names: Collection[str]) -> tuple[str, ...]:
        """The names of values without that of the link."""
        return tuple(name for name in names if normalise_name(name) != self._name)

    def url(self, notification_id: str, channel: Channel) -> str:
        named = UUID(notification_id).bytes + bytes([_CHANNELS.index(channel)])
        token = base64.urlsafe_b64encode(named + self._mac(named)).decode().rstrip("=")
        return f"{self._public_url}{PATH}{token}"

    def read(self, token: str, *, now: datetime) -> Followed | Broken:
        """What the link names, or why it leads nowhere."""
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return Broken.TAMPERED
        named, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(named)):
            return Broken.TAMPERED
        followed = Followed(str(UUID(bytes=named[:-1])), _CHANNELS[named[-1]])
        return followed if now < moment_of(followed.notification_id) + self._last else Broken.EXPIRED

    def _mac(self, named: bytes) -> bytes:
        return self._vault.blind_index(named.hex(), purpose="follow-on link")[:_MAC_BYTES]
