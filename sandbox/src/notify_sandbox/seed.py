"""The services, keys and templates that a sandbox starts with, as described in YAML or JSON."""

import uuid
from pathlib import Path

import msgspec
from msgspec import Struct, field

from notify_sandbox.model import ALL_PERMISSIONS, DEVELOPER, Callback, Channel, KeyType, Limits
from notify_sandbox.settings import Timing


class SeedError(ValueError):
    """A description that cannot be used; the message says which part and why."""


class SeedKey(Struct, kw_only=True, rename="camel", forbid_unknown_fields=True):
    name: str
    type: KeyType = KeyType.LIVE
    secret: str | None = None
    revoked: bool = False


class SeedTemplate(Struct, kw_only=True, rename="camel", forbid_unknown_fields=True):
    alias: str
    type: Channel
    body: str
    id: str | None = None
    name: str | None = None
    subject: str | None = None
    postage: str | None = None
    archived: bool = False


def _default_keys() -> list[SeedKey]:
    return [SeedKey(name=f"sandbox-{kind.value}", type=kind) for kind in KeyType]


class SeedService(Struct, kw_only=True, rename="camel", forbid_unknown_fields=True):
    name: str
    id: str | None = None
    email_from: str | None = None
    active: bool = True
    trial_mode: bool = False
    permissions: tuple[str, ...] = ALL_PERMISSIONS
    limits: Limits = Limits()
    team: tuple[str, ...] = ()
    guest_list: tuple[str, ...] = ()
    created_by: str = DEVELOPER
    contact_link: str | None = "https://www.gov.uk/contact"
    reply_to: dict[str, str] = field(default_factory=dict)
    senders: dict[str, str] = field(default_factory=dict)
    sender: str = "development"
    text_prefix: str | None = None
    letter_contact: str | None = None
    callback: Callback | None = None
    retention_days: int = 7
    keys: list[SeedKey] = field(default_factory=_default_keys)
    templates: list[SeedTemplate] = field(default_factory=list)

    @property
    def service_id(self) -> str:
        return self.id or derived_id("service", self.name)

    def template_id(self, template: SeedTemplate) -> str:
        return template.id or derived_id("template", self.service_id, template.alias)


class Seed(Struct, kw_only=True, rename="camel", forbid_unknown_fields=True):
    services: list[SeedService] = field(default_factory=list)
    timing: Timing | None = None


def derived_id(*parts: str) -> str:
    """The same id for the same words, so that a restart keeps it."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "notify-sandbox:" + "/".join(parts)))


def read_seed(path: Path) -> Seed:
    try:
        return msgspec.yaml.decode(path.read_bytes(), type=Seed)
    except (OSError, msgspec.DecodeError, msgspec.ValidationError) as error:
        raise SeedError(f"{path}: {error}") from error
