"""The bodies of GOV.UK Notify's answers, field for field."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

from notify_sandbox import content
from notify_sandbox.model import (
    FINAL,
    UNDER_WAY,
    Channel,
    KeyType,
    Notification,
    ReceivedText,
    Service,
    Template,
    TemplateVersion,
)

TEXT_RATE = 0.024
EMAIL_DOMAIN = "notify.tools"
_LETTER_WORDS = {
    "created": "accepted",
    "sending": "accepted",
    "delivered": "received",
    "returned-letter": "received",
}
_POSTAGE_DAYS = {"first": 1, "second": 5, "economy": 8, "europe": 6, "rest-of-world": 8}
_SHEET_PRICES = {"first": 1.57, "second": 0.75, "economy": 0.69, "europe": 2.1, "rest-of-world": 2.1}


def moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def maybe_moment(at: float | None) -> str | None:
    return None if at is None else moment(at)


def shown_status(notification: Notification, now: float) -> str:
    status = notification.status(now)
    return _LETTER_WORDS.get(status, status) if notification.channel is Channel.LETTER else status


def accepted_email(
    notification: Notification,
    filled: content.Content,
    *,
    service: Service,
    base_url: str,
    sanitised: dict[str, dict[str, str]],
) -> dict[str, Any]:
    return {
        **_accepted(notification, base_url),
        "sanitised_content": sanitised,
        "content": {
            "body": filled.body,
            "subject": filled.subject,
            "from_email": f"{service.email_from}@{EMAIL_DOMAIN}",
            "one_click_unsubscribe_url": notification.unsubscribe_url,
        },
    }


def accepted_text(
    notification: Notification, filled: content.Content, *, sender: str, base_url: str
) -> dict[str, Any]:
    return {
        **_accepted(notification, base_url),
        "content": {"body": filled.body, "from_number": sender},
    }


def accepted_letter(notification: Notification, filled: content.Content, *, base_url: str) -> dict[str, Any]:
    return {
        **_accepted(notification, base_url),
        "content": {"body": filled.body, "subject": filled.subject},
    }


def accepted_precompiled(notification: Notification) -> dict[str, Any]:
    return {
        "id": notification.id,
        "reference": notification.reference,
        "postage": notification.postage,
    }


def _accepted(notification: Notification, base_url: str) -> dict[str, Any]:
    return {
        "id": notification.id,
        "reference": notification.reference,
        "uri": f"{base_url}/v2/notifications/{notification.id}",
        "template": {
            "id": notification.template_id,
            "version": notification.template_version,
            "uri": f"{base_url}/services/{notification.service_id}/templates/{notification.template_id}",
        },
        "scheduled_for": None,
    }


def notification(
    sent: Notification, version: TemplateVersion, *, base_url: str, now: float
) -> dict[str, Any]:
    """One message as GET shows it."""
    filled = content.of(sent, version)
    is_letter = sent.channel is Channel.LETTER
    completed_at = sent.reached(FINAL, now)
    shape: dict[str, Any] = {
        "id": sent.id,
        "reference": sent.reference,
        "email_address": sent.to if sent.channel is Channel.EMAIL else None,
        "phone_number": sent.to if sent.channel is Channel.TEXT else None,
        **_address(sent),
        "postage": sent.postage,
        "type": sent.channel,
        "status": shown_status(sent, now),
        "template": {
            "id": sent.template_id,
            "version": sent.template_version,
            "uri": f"{base_url}/v2/template/{sent.template_id}/version/{sent.template_version}",
        },
        "body": filled.body,
        "subject": filled.subject,
        "created_at": moment(sent.created_at),
        "created_by_name": None,
        "sent_at": None if is_letter else maybe_moment(sent.reached(UNDER_WAY, now)),
        "completed_at": maybe_moment(completed_at),
        "scheduled_for": None,
        "one_click_unsubscribe_url": sent.unsubscribe_url,
        **_cost(sent, filled.body, completed_at=completed_at, now=now),
    }
    if is_letter:
        shape["estimated_delivery"] = estimated_delivery(sent)
    return shape


def _address(sent: Notification) -> dict[str, object]:
    given = (sent.personalisation or {}) if sent.channel is Channel.LETTER else {}
    lines = {f"line_{number}": given.get(f"address_line_{number}") for number in range(1, 7)}
    if sent.precompiled:
        lines["line_1"] = "Provided as PDF"
    return {**lines, "postcode": given.get("postcode")}


def _cost(sent: Notification, body: str, *, completed_at: float | None, now: float) -> dict[str, object]:
    match sent.channel:
        case Channel.EMAIL:
            return {"is_cost_data_ready": True, "cost_in_pounds": 0.0, "cost_details": {}}
        case Channel.TEXT:
            return _text_cost(sent, body)
        case Channel.LETTER:
            return _letter_cost(sent, known=completed_at is not None or sent.status(now) == "sending")


def _text_cost(sent: Notification, body: str) -> dict[str, object]:
    free = sent.key_type is KeyType.TEST and sent.international
    fragments = 0 if free else content.text_fragments(body)
    return {
        "is_cost_data_ready": True,
        "cost_in_pounds": round(fragments * TEXT_RATE, 3),
        "cost_details": {
            "billable_sms_fragments": fragments,
            "international_rate_multiplier": 1.0,
            "sms_rate": TEXT_RATE,
        },
    }


def _letter_cost(sent: Notification, *, known: bool) -> dict[str, object]:
    if not known:
        return {"is_cost_data_ready": False, "cost_in_pounds": None, "cost_details": {}}
    sheets = 0 if sent.key_type is KeyType.TEST else math.ceil((sent.page_count or 1) / 2)
    postage = sent.postage or "second"
    price = _SHEET_PRICES.get(postage, 0.75) + 0.06 * max(sheets - 1, 0) if sheets else 0.0
    return {
        "is_cost_data_ready": True,
        "cost_in_pounds": round(price, 2),
        "cost_details": {"billable_sheets_of_paper": sheets, "postage": postage},
    }


def estimated_delivery(sent: Notification) -> str:
    """Four in the afternoon of the last working day that the post may take after printing."""
    created = datetime.fromtimestamp(sent.created_at, UTC)
    after_the_last_print = (created.hour, created.minute) >= (17, 30)
    printed = _working_days_after(created, 2 if after_the_last_print else 1)
    arrives = _working_days_after(printed, _POSTAGE_DAYS.get(sent.postage or "second", 5))
    return arrives.replace(hour=16, minute=0).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _working_days_after(day: datetime, count: int) -> datetime:
    while count:
        day += timedelta(days=1)
        if day.weekday() < 5:
            count -= 1
    return day


def template(found: Template, version: TemplateVersion) -> dict[str, Any]:
    return {
        "id": found.id,
        "type": found.channel,
        "name": version.name,
        "body": version.body,
        "subject": version.subject,
        "version": version.version,
        "postage": version.postage,
        "letter_contact_block": version.letter_contact,
        "personalisation": {name: {"required": True} for name in sorted(content.required_names(version))},
        "created_at": moment(found.versions[0].created_at),
        "created_by": found.created_by,
        "updated_at": None if len(found.versions) == 1 else moment(found.current.created_at),
    }


def preview(found: Template, filled: content.Content, *, html: str | None) -> dict[str, Any]:
    return {
        "id": found.id,
        "type": found.channel,
        "version": found.current.version,
        "body": filled.body,
        "subject": filled.subject,
        "html": html,
        "postage": found.current.postage,
    }


def received_text(received: ReceivedText) -> dict[str, Any]:
    return {
        "id": received.id,
        "created_at": moment(received.created_at),
        "service_id": received.service_id,
        "notify_number": received.notify_number,
        "user_number": received.user_number,
        "content": received.content,
    }


def receipt(sent: Notification, *, status: str, now: float) -> dict[str, Any]:
    """What is posted to a service's callback."""
    return {
        "id": sent.id,
        "reference": sent.reference,
        "to": sent.to,
        "status": status,
        "created_at": moment(sent.created_at),
        "completed_at": maybe_moment(sent.reached(FINAL, now)),
        "sent_at": maybe_moment(sent.reached(UNDER_WAY, now)),
        "notification_type": sent.channel,
        "template_id": sent.template_id,
        "template_version": sent.template_version,
    }
