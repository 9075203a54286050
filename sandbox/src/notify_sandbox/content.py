"""What a message says: a template's version with the values of a message put in."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from notify_rules import placeholders
from notify_rules.content import bytes_over, characters_over, qr_codes_over
from notify_rules.limits import EMAIL_BYTES, QR_CODE_BYTES, SMS_CHARACTERS
from notify_sandbox.model import Channel, Notification, TemplateVersion
from notify_sandbox.problems import bad_request, problem

_STYLES = {
    Channel.EMAIL: placeholders.Style.BODY,
    Channel.TEXT: placeholders.Style.SMS,
    Channel.LETTER: placeholders.Style.LETTER,
}
_URL = re.compile(r"https?://[^\s)\]>]+", re.IGNORECASE)
# A name such as example.com becomes a link in many an inbox, unless something stands between its parts.
_BARE_HOST = re.compile(r"(?<=\w)\.(?=[a-z]{2})", re.IGNORECASE)
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|])")
_NOTHING: Mapping[str, object] = {}


class Content(NamedTuple):
    body: str
    subject: str | None


def required_names(version: TemplateVersion) -> list[str]:
    return placeholders.names(version.subject or "", version.body)


def check_nothing_missing(version: TemplateVersion, values: Mapping[str, object] | None) -> None:
    missing = placeholders.missing(required=required_names(version), given=values or _NOTHING)
    if missing:
        raise bad_request(f"Missing personalisation: {', '.join(missing)}")


def fill(version: TemplateVersion, values: Mapping[str, object] | None, *, channel: Channel) -> Content:
    given = values or _NOTHING
    return Content(
        body=placeholders.fill(version.body, given, style=_STYLES[channel]),
        subject=None
        if version.subject is None
        else placeholders.fill(version.subject, given, style=placeholders.Style.SUBJECT),
    )


def of(notification: Notification, version: TemplateVersion) -> Content:
    """What was sent, made anew from the version that it was sent with."""
    return fill(version, notification.personalisation, channel=notification.channel)


def check_not_empty(content: Content) -> None:
    if not content.body.strip():
        raise bad_request("Your message is empty.")


def check_length(content: Content, *, channel: Channel) -> None:
    if channel is Channel.TEXT and (characters := characters_over(content.body)):
        raise bad_request(
            f"Your message is too long. Text messages cannot be longer than {SMS_CHARACTERS} characters. "
            f"Your message is {characters} characters long."
        )
    if channel is Channel.EMAIL and (size := bytes_over(content.body)):
        raise bad_request(
            f"Your message is too long. Emails cannot be longer than {EMAIL_BYTES} bytes. "
            f"Your message is {size} bytes."
        )


def check_qr_codes(body: str) -> None:
    """A line of a letter that begins with `QR:` is printed as a code, which holds only so much."""
    for data in qr_codes_over(body):
        size = len(data.encode())
        message = "Cannot create a usable QR code - the link is too long"
        raise problem(400, "ValidationError", message, num_bytes=size, max_bytes=QR_CODE_BYTES, data=data)


def sanitise(values: Mapping[str, object], names: Sequence[str]) -> dict[str, dict[str, str]]:
    """For each of these values that holds a link or markup: what it was, and what is sent instead."""
    wanted = {placeholders.normalise_name(name) for name in names}
    changed = {}
    for name, value in values.items():
        if placeholders.normalise_name(name) in wanted and isinstance(value, str):
            cleaned = _MARKDOWN.sub(r"\\\1", _BARE_HOST.sub(". ", _URL.sub("", value)))
            if cleaned != value:
                changed[name] = {"unsanitised": value, "sanitised": cleaned}
    return changed


# The GSM alphabet; what is outside makes a text longer to send.
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà^{}\\[~]|€"
)
_COUNTED_TWICE = frozenset("^{}\\[~]|€")


def text_fragments(body: str) -> int:
    """How many texts the networks charge for."""
    if set(body) <= _GSM:
        return _fragments(len(body) + sum(char in _COUNTED_TWICE for char in body), alone=160, joined=153)
    return _fragments(len(body), alone=70, joined=67)


def _fragments(length: int, *, alone: int, joined: int) -> int:
    return 1 if length <= alone else -(-length // joined)
