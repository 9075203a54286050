"""Secrets of endpoints, and signatures by Standard Webhooks."""

import base64
import secrets
from collections.abc import Sequence
from datetime import datetime

from standardwebhooks.webhooks import Webhook

_PREFIX = "whsec_"


def new_webhook_secret() -> str:
    """A secret of 256 bits in the standard's form."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signed_headers(keys: Sequence[str], *, event_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of a call; a signature for each secret, so that a rotation misses nothing."""
    text = body.decode()
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(key).sign(event_id, at, text) for key in keys),
    }
