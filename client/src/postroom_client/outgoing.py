"""What is sent: a notification in our words, and short ways to describe the usual ones."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypedDict, Unpack

from postroom_client.wire import APART, called, personal, to_wire

Channel = Literal["Screen", "Email", "Text", "Letter"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewNotification:
    """A notification to be made. `template` is a name or an id; `templates` has one for each channel."""

    channels: Channel | Sequence[Channel] = field(metadata=called("notificationType"))
    target_id: str | None = None
    target_type: str | None = None
    user: str | None = personal()
    message: str | None = personal()
    template: str | None = field(default=None, metadata=called("templateId"))
    templates: Mapping[Channel, str] | None = field(default=None, metadata=called("templateIds"))
    email: str | None = personal()
    mobile_number: str | None = personal()
    personalisation: Mapping[str, Any] | None = field(
        default=None, repr=False, metadata=called("personalisationParams")
    )
    trusted_params: Sequence[str] | None = None
    """The values that may make links and headings in an email, by their names."""
    require_action: bool | None = None
    require_email_notification: bool | None = None
    require_sms_notification: bool | None = None
    require_letter: bool | None = None
    reference: str | None = None
    sensitive: bool | None = None
    """Whether its text is shown only where somebody opens it."""
    follow_on_action: Mapping[str, str] | None = personal()
    """What there is to do elsewhere: label, url, kind."""
    escalation: Sequence[Mapping[str, Any]] | None = field(default=None, repr=False)
    """Who is told next, after how long, unless somebody reads it or acts."""
    thread_key: str | None = None
    """A later notification of the same thread takes its place on screens."""
    expires_at: datetime | None = None
    """From then on it is on no list, and what was not sent by then is not sent."""
    idempotency_key: str | None = field(default=None, metadata=APART)
    """By which the same request counts once; the client draws one where there is none."""
    more: Mapping[str, Any] = field(default_factory=dict, repr=False, metadata=APART)
    """Fields that this version of the client does not know, as the wire names them."""

    def wire(self, *, service: str | None) -> dict[str, Any]:
        channels = [self.channels] if isinstance(self.channels, str) else [*self.channels]
        whose = {} if service is None else {"serviceKey": service}
        until = {} if self.expires_at is None else {"expiresAt": self.expires_at.isoformat()}
        return to_wire(self) | {"notificationType": channels} | until | whose | dict(self.more)


class Options(TypedDict, total=False):
    """What may be said of every notification."""

    target_type: str | None
    user: str | None
    require_action: bool | None
    reference: str | None
    idempotency_key: str | None
    more: Mapping[str, Any]


class Details(Options, total=False):
    """What may be said of those that go out."""

    target_id: str | None
    message: str | None
    trusted_params: Sequence[str] | None


def email(
    *, to: str, template: str, personalisation: Mapping[str, Any] | None = None, **details: Unpack[Details]
) -> NewNotification:
    """An email to an address."""
    return NewNotification(
        channels="Email", email=to, template=template, personalisation=personalisation, **details
    )


def text(
    *, to: str, template: str, personalisation: Mapping[str, Any] | None = None, **details: Unpack[Details]
) -> NewNotification:
    """A text message to a mobile number."""
    return NewNotification(
        channels="Text", mobile_number=to, template=template, personalisation=personalisation, **details
    )


def letter(
    *,
    address: Sequence[str],
    template: str,
    personalisation: Mapping[str, Any] | None = None,
    **details: Unpack[Details],
) -> NewNotification:
    """A letter to an address of 3 to 7 lines, whose last is the postcode."""
    lines = {f"addressLine{number}": line for number, line in enumerate(address, start=1)}
    return NewNotification(
        channels="Letter", template=template, personalisation={**(personalisation or {}), **lines}, **details
    )


def screen(*, target_id: str, message: str, **options: Unpack[Options]) -> NewNotification:
    """A notification on officers' screens: to `user`, an address or `group:` or `patch:` and a name."""
    return NewNotification(channels="Screen", target_id=target_id, message=message, **options)


def attachment(
    content: bytes,
    *,
    filename: str | None = None,
    confirm_email_before_download: bool | None = None,
    retention_period: str | None = None,
) -> dict[str, Any]:
    """A file, to stand among the personalisation of an email where its link shall be."""
    settings = {
        "filename": filename,
        "confirm_email_before_download": confirm_email_before_download,
        "retention_period": retention_period,
    }
    given = {name: value for name, value in settings.items() if value is not None}
    return {"file": b64encode(content).decode(), **given}
