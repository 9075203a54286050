"""Between the wire's shapes and ours."""

from datetime import datetime
from functools import lru_cache, partial
from typing import Any

import msgspec

from postroom.channels import attachment
from postroom.channels.govuk_notify import NotifyMessage, NotifyTemplate, TemplatePreview
from postroom.domain.channel import Channel, channel_named
from postroom.domain.errors import FieldError
from postroom.domain.notification import Delivery, Notification
from postroom.domain.status import FAILED
from postroom.features.notifications.request import NewNotification
from postroom.features.notifications.withdraw import is_removable
from postroom.interfaces.api.escalation import read_escalation
from postroom.interfaces.api.schemas import (
    DeliveryItem,
    FollowOnItem,
    MessageStatusItem,
    NotificationBody,
    NotificationItem,
    PreviewItem,
    TemplateItem,
    TemplatePath,
    ValidationItem,
)
from postroom.interfaces.api.wishes import read_expiry, read_follow_on

_EXTRA = {
    "requireEmailNotification": Channel.EMAIL,
    "requireSmsNotification": Channel.TEXT,
    "requireLetter": Channel.LETTER,
}
_FLAGS = {"true": True, "false": False}
_TEMPLATE_TYPES = {"email": "Email", "sms": "Text", "letter": "Letter"}


def to_new_notification(
    body: NotificationBody, errors: list[FieldError], *, correlation_id: str | None
) -> NewNotification:
    """The request in our words; words that are none of ours are added to the errors and left out."""
    channels = parse_channels(body.notification_type or "", errors)
    given = (body.require_email_notification, body.require_sms_notification, body.require_letter)
    extra: tuple[Channel, ...] = ()
    if any(given):
        extra = tuple(
            [
                channel
                for (name, channel), value in zip(_EXTRA.items(), given, strict=True)
                if parse_flag(name, value, errors)
            ]
        )
    require_action = parse_flag("requireAction", body.require_action, errors)
    template_ids = _template_ids(body.template_ids, errors)
    return NewNotification(
        channels=channels,
        extra_channels=extra,
        target_id=body.target_id,
        target_type=body.target_type,
        user=body.user,
        message=body.message,
        service_key=body.service_key,
        template_id=body.template_id,
        template_ids=template_ids,
        mobile_number=body.mobile_number,
        email=body.email,
        personalisation=body.personalisation_params,
        trusted=tuple(body.trusted_params or ()),
        require_action=require_action,
        reference=body.reference,
        correlation_id=correlation_id,
        sensitive=parse_flag("sensitive", body.sensitive, errors),
        follow_on=None if body.follow_on_action is None else read_follow_on(body.follow_on_action, errors),
        thread_key=body.thread_key,
        expires_at=None if body.expires_at is None else read_expiry(body.expires_at, errors),
        escalation=()
        if body.escalation is None
        else read_escalation(
            body, errors, to_new=partial(to_new_notification, correlation_id=correlation_id)
        ),
    )


def parse_channels(
    value: str | list[str], errors: list[FieldError], *, allow_all: bool = False
) -> tuple[Channel, ...]:
    """Channels from a list or a comma list, each once, in our order. `All`, where allowed, is every one."""
    text = value if isinstance(value, str) else ",".join(value)
    channels, is_right = _channels_in(text, allow_all=allow_all)
    if not is_right:
        choices = ", ".join(Channel) + (" or All" if allow_all else "")
        errors.append(FieldError("notificationType", f"Use one or more of {choices}."))
    return channels


@lru_cache(maxsize=256)
def _channels_in(text: str, *, allow_all: bool) -> tuple[tuple[Channel, ...], bool]:
    """The channels of a comma list, and whether it names one at least and nothing else."""
    names = [part.strip() for part in text.split(",") if part.strip()]
    found, is_right = set[Channel](), bool(names)
    for name in names:
        channel = channel_named(name)
        if channel is not None:
            found.add(channel)
        elif allow_all and name.lower() == "all":
            found.update(Channel)
        else:
            is_right = False
    return tuple(channel for channel in Channel if channel in found), is_right


def parse_flag(name: str, value: bool | str | None, errors: list[FieldError]) -> bool:
    if value is None or isinstance(value, bool):
        return bool(value)
    flag = _FLAGS.get(value.strip().lower())
    if flag is None:
        errors.append(FieldError(name, "Use true or false."))
    return bool(flag)


def _template_ids(given: dict[str, str] | None, errors: list[FieldError]) -> dict[Channel, str]:
    template_ids: dict[Channel, str] = {}
    for name, template_id in (given or {}).items():
        channel = channel_named(name)
        if channel is None or channel is Channel.SCREEN:
            shown = name[:20] if name.isprintable() else "�"
            errors.append(FieldError(f"templateIds.{shown}", "Use Email, Text or Letter."))
        else:
            template_ids[channel] = template_id
    return template_ids


def to_item(notification: Notification) -> NotificationItem:
    personal = notification.personal
    detail = notification.action_detail
    extra = notification.extra_channels
    ended = notification.ended
    return NotificationItem(
        id=notification.id,
        target_id=notification.target_id,
        target_type=notification.target_type,
        notification_type=",".join(notification.channels),
        user=personal.user,
        message=personal.message,
        service_key=None,
        template_id=notification.template_id,
        mobile_number=personal.mobile_number,
        email=personal.email,
        require_action=notification.require_action,
        require_email_notification=Channel.EMAIL in extra,
        require_sms_notification=Channel.TEXT in extra,
        require_letter=Channel.LETTER in extra,
        is_read_status=notification.is_read,
        is_seen_status=notification.is_seen,
        is_archived=notification.is_archived,
        sent_message_details=_details(notification.deliveries),
        action_note=None if detail is None else detail.note,
        performed_action_done_by=None if detail is None else detail.done_by,
        performed_action_type=notification.action,
        is_removable=is_removable(notification),
        personalisation_params=_shown(personal.personalisation),
        performed_action_date=notification.action_at,
        created_date=notification.created_at,
        reference=notification.reference,
        template_ids={channel.value: template for channel, template in notification.template_ids.items()},
        template_unchecked=notification.template_unchecked,
        warnings=list(personal.warnings),
        deliveries=[_delivery(each) for each in notification.deliveries],
        sensitive=personal.sensitive,
        follow_on_action=None
        if personal.follow_on is None
        else FollowOnItem(**msgspec.structs.asdict(personal.follow_on)),
        escalation=list(personal.escalation),
        thread_key=personal.thread_key,
        expires_at=personal.expires_at,
        ended_at=None if ended is None else ended.at,
        ended_by=None if ended is None else ended.by.value,
        replaced_by=None if ended is None else ended.replaced_by,
        is_unreadable=notification.is_unreadable,
    )


def _shown(values: dict[str, Any] | None) -> dict[str, Any] | None:
    """The values, but never what is in a file."""
    if values is None:
        return None
    return {
        name: attachment.without_content(value) if attachment.is_file(value) else value
        for name, value in values.items()
    }


def _details(deliveries: tuple[Delivery, ...]) -> list[str] | None:
    """One plain line a delivery, as the specification's readers expect; None where nothing is sent."""
    return [_detail(each) for each in deliveries] or None


def _detail(delivery: Delivery) -> str:
    words = [delivery.channel.value, delivery.status.value]
    at = delivery.completed_at or delivery.sent_at
    if at is not None:
        words.append(_rfc3339(at))
    if delivery.status in FAILED and delivery.failure_reason is not None:
        words.append(f"({delivery.failure_reason})")
    return " ".join(words)


def _delivery(delivery: Delivery) -> DeliveryItem:
    return DeliveryItem(
        id=delivery.id,
        channel=delivery.channel.value,
        status=delivery.status.value,
        notify_id=delivery.notify_id,
        attempts=delivery.attempts,
        sent_at=delivery.sent_at,
        completed_at=delivery.completed_at,
        failure_reason=delivery.failure_reason,
        document_id=delivery.document_id,
        template_version=delivery.template_version,
    )


def to_validation(notification: Notification) -> ValidationItem:
    return ValidationItem(
        valid=True,
        warnings=list(notification.personal.warnings),
        template_unchecked=notification.template_unchecked,
    )


def to_message_status(message: NotifyMessage) -> MessageStatusItem:
    template = message.template
    return MessageStatusItem(
        id=message.id,
        completed_at=message.completed_at,
        email_address=message.email_address,
        body=message.body,
        subject=message.subject,
        line1=message.line_1,
        line2=message.line_2,
        line3=message.line_3,
        line4=message.line_4,
        line5=message.line_5,
        line6=message.line_6,
        phone_number=message.phone_number,
        postage=message.postage,
        reference=message.reference,
        sent_at=message.sent_at,
        status=message.status,
        type=message.type,
        created_by_name=message.created_by_name,
        template=TemplatePath(
            id=None if template is None else template.id,
            path=None if template is None else template.uri,
            version=None if template is None else template.version,
        ),
        line7=message.line_7,
        postcode=message.postcode,
    )


def to_template_item(template: NotifyTemplate) -> TemplateItem:
    return TemplateItem(
        id=template.id,
        name=template.name,
        type=_TEMPLATE_TYPES.get(template.type, template.type),
        version=template.version,
        subject=template.subject,
        body=template.body,
        placeholders=list(template.placeholders),
    )


def to_preview(preview: TemplatePreview) -> PreviewItem:
    return PreviewItem(
        id=preview.id,
        type=_TEMPLATE_TYPES.get(preview.type, preview.type),
        version=preview.version,
        subject=preview.subject,
        body=preview.body,
        html=preview.html,
    )


def _rfc3339(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
