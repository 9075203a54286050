"""Whether a call back is Postroom's, by Standard Webhooks: an HMAC over its id, its time and its body."""

import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from postroom_client.wire import APART, from_wire

FIVE_MINUTES = timedelta(minutes=5)


class NotVerified(Exception):
    """The call is not Postroom's, or is too old. Answer 400, and do nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to a notification, such as `delivered`."""

    type: str
    timestamp: datetime
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    cursor: str | None = None
    """Its place in the feed, which goes on after it."""
    id: str = field(metadata=APART)
    """The same in every repetition of the call: what is known already can be passed over."""


def verify_webhook(
    body: bytes,
    headers: Mapping[str, str],
    *,
    secrets: Sequence[str],
    tolerance: timedelta = FIVE_MINUTES,
    now: datetime | None = None,
) -> Event:
    """The event that was called back with; NotVerified where it is not signed with one of the secrets.

    `body` is what came in, byte for byte. While a secret is replaced, give the old and the new one.
    """
    keys = [_key(secret) for secret in secrets]
    if not keys:
        raise ValueError("Give the webhook's secret.")
    given = {name.lower(): value for name, value in headers.items()}
    message_id, sent_at = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    _check_time(sent_at, tolerance=tolerance, now=now or datetime.now(UTC))
    signed = f"{message_id}.{sent_at}.".encode() + body
    if not message_id or not _is_signed(signed, given.get("webhook-signature", ""), keys):
        raise NotVerified("No signature fits.")
    try:
        return from_wire(Event, json.loads(body), id=message_id)
    except (ValueError, TypeError):
        raise NotVerified("It is signed, and yet no event.") from None


def _key(secret: str) -> bytes:
    text = secret.removeprefix("whsec_")
    try:
        key = b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        key = b""
    if not key:
        # Without the cause: its text could hold some of the secret.
        raise ValueError("A webhook's secret is whsec_ and base64.") from None
    return key


def _check_time(text: str, *, tolerance: timedelta, now: datetime) -> None:
    # Longer numbers are no times, and some too large to be one.
    if not (text.isascii() and text.isdigit() and len(text) <= 11):
        raise NotVerified("It has no time.")
    if abs(now.timestamp() - int(text)) > tolerance.total_seconds():
        raise NotVerified("It is too old, or a clock is wrong.")


def _is_signed(signed: bytes, header: str, keys: Sequence[bytes]) -> bool:
    """Whether any of the signatures is of any key. All are compared, so that time tells nothing."""
    expected = [b64encode(hmac.digest(key, signed, hashlib.sha256)) for key in keys]
    given = [each[3:].encode() for each in header.split() if each.startswith("v1,")]
    fits = [hmac.compare_digest(mine, theirs) for mine in expected for theirs in given]
    return any(fits)
