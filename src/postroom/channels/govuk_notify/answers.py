"""What Notify answers, as values. Fields that it adds later are ignored."""

from functools import cached_property
from typing import Any

import msgspec

from notify_rules.placeholders import normalise_name

_NO_VERSION = 2**31
"""What would not fit where versions are kept."""


class TemplateRef(msgspec.Struct, frozen=True):
    id: str
    uri: str | None = None
    version: int | None = None


class NotifyMessage(msgspec.Struct, frozen=True):
    """One message, as `GET /v2/notifications/{id}` gives it. Times stay Notify's text."""

    id: str
    status: str
    type: str
    template: TemplateRef | None = None
    body: str | None = None
    subject: str | None = None
    reference: str | None = None
    email_address: str | None = None
    phone_number: str | None = None
    postage: str | None = None
    postcode: str | None = None
    line_1: str | None = None
    line_2: str | None = None
    line_3: str | None = None
    line_4: str | None = None
    line_5: str | None = None
    line_6: str | None = None
    line_7: str | None = None
    created_by_name: str | None = None
    created_at: str | None = None
    sent_at: str | None = None
    completed_at: str | None = None


class MessageList(msgspec.Struct, frozen=True):
    notifications: list[NotifyMessage]


class NotifyTemplate(msgspec.Struct, frozen=True, dict=True):
    """One template. `personalisation` has a key for each placeholder, in Notify's spelling."""

    id: str
    type: str
    version: int
    body: str
    name: str | None = None
    subject: str | None = None
    personalisation: dict[str, Any] = {}

    @cached_property
    def placeholders(self) -> tuple[str, ...]:
        return tuple(self.personalisation)

    @cached_property
    def names(self) -> frozenset[str]:
        """The placeholders in the one form in which names are compared."""
        return frozenset(map(normalise_name, self.placeholders))

    @cached_property
    def places(self) -> int:
        """In how many places of the body a value may stand."""
        return self.body.count("((")


class TemplateList(msgspec.Struct, frozen=True):
    templates: list[NotifyTemplate]


class TemplatePreview(msgspec.Struct, frozen=True):
    id: str
    type: str
    version: int
    body: str
    subject: str | None = None
    html: str | None = None
    postage: str | None = None


class Sent(msgspec.Struct, frozen=True):
    """A message that was taken. Only its id has to be as expected: whatever else it says, it was taken."""

    id: str
    template: Any = None

    @property
    def template_version(self) -> int | None:
        version = self.template.get("version") if isinstance(self.template, dict) else None
        return version if type(version) is int and 0 < version < _NO_VERSION else None


class OneError(msgspec.Struct, frozen=True):
    error: str
    message: str


class Errors(msgspec.Struct, frozen=True):
    errors: list[OneError]
