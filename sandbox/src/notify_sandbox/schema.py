"""The shape of a request, checked field by field with the messages of GOV.UK Notify's JSON schemas."""

import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from notify_rules.email_address import check_email_address
from notify_rules.errors import ErrorKind, InvalidEmailAddress, InvalidPhoneNumber
from notify_rules.limits import REFERENCE_CHARACTERS
from notify_rules.phone_number import check_phone_number
from notify_sandbox.problems import bad_request, invalid

Check = Callable[[object], Sequence[str]]
_DATE_MESSAGE = (
    "datetime format is invalid. It must be a valid ISO8601 date time format, "
    "https://en.wikipedia.org/wiki/ISO_8601"
)
POSTAGE = ("first", "second", "economy")
STATUSES = (
    "cancelled",
    "created",
    "sending",
    "sent",
    "delivered",
    "pending",
    "failed",
    "technical-failure",
    "temporary-failure",
    "permanent-failure",
    "pending-virus-check",
    "validation-failed",
    "virus-scan-failed",
    "returned-letter",
    "accepted",
    "received",
)
CHANNELS = ("sms", "email", "letter")


def read_json(body: bytes) -> object:
    """The body as Notify reads it: nothing, zero and the like are an empty object."""
    try:
        return msgspec.json.decode(body) or {}
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise bad_request("Invalid JSON supplied in POST data") from None


class Schema:
    """Checks in the order of `fields`, then what is missing, then what is too much."""

    def __init__(self, fields: Mapping[str, Check], *, required: Sequence[str], closed: bool = True) -> None:
        self._fields = fields
        self._required = required
        self._closed = closed

    def check(self, body: object) -> dict[str, Any]:
        if not isinstance(body, dict):
            raise invalid(f"{_written(body)} is not of type object")
        messages = [
            f"{name} {message}"
            for name, check in self._fields.items()
            if name in body
            for message in check(body[name])
        ]
        messages += [f"{name} is a required property" for name in self._required if name not in body]
        if self._closed and not body.keys() <= self._fields.keys():
            messages.append(_too_much(sorted(body.keys() - self._fields.keys())))
        if messages:
            raise invalid(*messages)
        return body


def _too_much(extra: Sequence[str]) -> str:
    verb = "was" if len(extra) == 1 else "were"
    return f"Additional properties are not allowed ({_unquoted(', '.join(extra))} {verb} unexpected)"


def _written(value: object) -> str:
    return _unquoted(repr(value))


def _unquoted(text: str) -> str:
    return text.replace("'", "")


def _type_fault(value: object, wanted: str) -> list[str]:
    return [f"{_written(value)} is not of type {wanted}"]


def text(value: object) -> Sequence[str]:
    return () if isinstance(value, str) else _type_fault(value, "string")


def reference(value: object) -> Sequence[str]:
    if not isinstance(value, str):
        return _type_fault(value, "string")
    return [f"{_written(value)} is too long"] if len(value) > REFERENCE_CHARACTERS else ()


def identifier(value: object) -> Sequence[str]:
    return () if is_uuid(value) else ["is not a valid UUID"]


def is_uuid(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        uuid.UUID(value)
    except ValueError:
        return False
    return True


def email_address(value: object) -> Sequence[str]:
    if not isinstance(value, str):
        return _type_fault(value, "string")
    try:
        check_email_address(value)
    except InvalidEmailAddress as error:
        return [error.message]
    return ()


def phone_number(value: object) -> Sequence[str]:
    """Only what is no number at all; a landline is found later."""
    if not isinstance(value, str):
        return _type_fault(value, "string")
    try:
        check_phone_number(value, international=True)
    except InvalidPhoneNumber as error:
        return [error.message] if error.kind is ErrorKind.VALIDATION else ()
    return ()


def personalisation(value: object) -> Sequence[str]:
    return () if isinstance(value, dict) else _type_fault(value, "object")


def https_url(value: object) -> Sequence[str]:
    if value is None or (isinstance(value, str) and re.match(r"https", value)):
        return ()
    return ["is not a valid https url"]


def names(value: object) -> Sequence[str]:
    if not isinstance(value, list):
        return _type_fault(value, "array")
    return [message for item in value for message in text(item)]


def within_a_day(value: object) -> Sequence[str]:
    if value is None:
        return ()
    if not isinstance(value, str):
        return _type_fault(value, "string, null")
    try:
        when = datetime.fromisoformat(value)
    except ValueError:
        return [_DATE_MESSAGE]
    # Notify drops the zone instead of applying it.
    when, now = when.replace(tzinfo=None), datetime.now(UTC).replace(tzinfo=None)
    if when < now:
        return ["datetime can not be in the past"]
    if when > now + timedelta(hours=24):
        return ["datetime can only be 24 hours in the future"]
    return ()


def postage(value: object) -> Sequence[str]:
    if not isinstance(value, str):
        return _type_fault(value, "string")
    return () if value in POSTAGE else ["invalid. It must be either first, second or economy."]


def each_one_of(allowed: Sequence[str]) -> Check:
    def check(value: object) -> Sequence[str]:
        assert isinstance(value, list)
        listed = ", ".join(allowed)
        return [f"{_written(one)} is not one of [{listed}]" for one in value if one not in allowed]

    return check


def at_least_one(value: object) -> Sequence[str]:
    assert isinstance(value, int)
    return () if value >= 1 else [f"{value} is less than the minimum of 1"]


EMAIL = Schema(
    {
        "reference": reference,
        "email_address": email_address,
        "template_id": identifier,
        "personalisation": personalisation,
        "scheduled_for": within_a_day,
        "email_reply_to_id": identifier,
        "one_click_unsubscribe_url": https_url,
        "sanitise_content_for": names,
    },
    required=("email_address", "template_id"),
)
TEXT = Schema(
    {
        "reference": reference,
        "phone_number": phone_number,
        "template_id": identifier,
        "personalisation": personalisation,
        "scheduled_for": within_a_day,
        "sms_sender_id": identifier,
    },
    required=("phone_number", "template_id"),
)
LETTER = Schema(
    {"reference": reference, "template_id": identifier, "personalisation": personalisation},
    required=("template_id", "personalisation"),
)
PRECOMPILED = Schema(
    {"reference": reference, "content": text, "postage": postage}, required=("reference", "content")
)
PREVIEW = Schema({"personalisation": personalisation}, required=(), closed=False)
LIST = Schema(
    {
        "reference": text,
        "status": each_one_of(STATUSES),
        "template_type": each_one_of(CHANNELS),
        "include_jobs": each_one_of(("true", "True")),
        "older_than": identifier,
    },
    required=(),
)
TEMPLATES = Schema({"type": lambda value: each_one_of(CHANNELS)([value])}, required=())
RECEIVED_TEXTS = Schema({"older_than": identifier}, required=())
