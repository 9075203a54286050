"""The wire's shapes of pushes: of a subscription, as a browser's PushSubscription.toJSON() gives it."""

from datetime import datetime

import msgspec


class PushKeysBody(msgspec.Struct, forbid_unknown_fields=True):
    """The browser's public key and its secret, as base64url."""

    p256dh: str | None = None
    auth: str | None = None


class PushSubscriptionBody(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A browser that popups are pushed to. `expirationTime` is in milliseconds since 1970."""

    endpoint: str | None = None
    expiration_time: int | float | None = None
    keys: PushKeysBody | None = None


class PushEndpointBody(msgspec.Struct, forbid_unknown_fields=True):
    """The address of a subscription."""

    endpoint: str | None = None


class PushSubscriptionItem(msgspec.Struct, rename="camel"):
    """One browser of the asking person. It is dropped where nobody confirms it for 14 days."""

    id: str
    created_date: datetime
    confirmed_date: datetime
    expires_date: datetime | None


class PushItem(msgspec.Struct, rename="camel"):
    """`publicKey` is what a browser subscribes with, as its `applicationServerKey`."""

    public_key: str
    subscriptions: list[PushSubscriptionItem]
