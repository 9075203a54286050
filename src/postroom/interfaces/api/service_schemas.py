"""The wire's shapes of services and their keys, in camelCase."""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType


class ServiceBody(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """What a service is registered with. `templateNames` has the ids by name, below each environment."""

    name: str | None = None
    owner: str | None = None
    environment: str | None = None
    notify_key: str | None = None
    notify_key_type: str | None = None
    webhook_url: str | None = None
    default_group: str | None = None
    prepend_name: bool | None = None
    template_names: dict[str, dict[str, str]] | None = None
    limits: dict[str, Any] | None = None
    trusted_params: list[str] | None = None
    allowed_link_hosts: list[str] | None = None


class ServiceChangesBody(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """What becomes different. What is left out stays; `null` takes away what a service can be without."""

    owner: str | UnsetType | None = UNSET
    environment: str | UnsetType = UNSET
    notify_key: str | UnsetType | None = UNSET
    notify_key_type: str | UnsetType = UNSET
    webhook_url: str | UnsetType | None = UNSET
    default_group: str | UnsetType | None = UNSET
    prepend_name: bool | UnsetType = UNSET
    template_names: dict[str, dict[str, str]] | UnsetType = UNSET
    limits: dict[str, Any] | UnsetType = UNSET
    trusted_params: list[str] | UnsetType = UNSET
    allowed_link_hosts: list[str] | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET


class NotifyKeyItem(msgspec.Struct):
    """Of a service's key at GOV.UK Notify: the part that is its name, and its type."""

    name: str | None
    type: str


class ServiceItem(msgspec.Struct, rename="camel"):
    """A service. `notifyKey` is null where it has none; `webhookUrl` is shown to admins and to itself."""

    name: str
    owner: str | None
    environment: str
    notify_key: NotifyKeyItem | None
    has_webhook: bool
    webhook_url: str | None
    webhook_is_on: bool
    default_group: str | None
    prepend_name: bool
    template_names: dict[str, dict[str, str]]
    limits: dict[str, int]
    trusted_params: list[str]
    allowed_link_hosts: list[str]
    is_active: bool
    created_at: datetime
    webhook_secret: str | None
    """Shown once: where the webhook is new."""


class KeyItem(msgspec.Struct, rename="camel"):
    """An API key. `key` itself is shown once, where it is issued."""

    id: str
    name: str
    state: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    key: str | None


class NewServiceItem(msgspec.Struct, rename="camel"):
    """A service that was registered. Its key, receipt token and webhook secret are shown this once."""

    service: ServiceItem
    api_key: KeyItem
    receipt_token: str


class ReceiptTokenItem(msgspec.Struct, rename="camel"):
    receipt_token: str


class KeyBody(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    name: str | None = None
    scopes: list[str] | None = None
    expires_at: str | None = None


class RotateKeyBody(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """The end of the new key, and of the old one. The old one lasts until it is revoked, if left out."""

    expires_at: str | None = None
    old_expires_at: str | None = None
