"""Whether a template can carry what is to be sent, before anything is queued."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from notify_rules import placeholders
from notify_rules.content import bytes_over, characters_over, qr_codes_over
from notify_rules.limits import EMAIL_BYTES, QR_CODE_BYTES, SMS_CHARACTERS
from notify_rules.placeholders import missing, normalise_name
from postroom.channels.govuk_notify import NotifyTemplate
from postroom.domain.errors import FieldError

_PLACE = "personalisationParams"
_MOST_OF_A_FILE = 500
"""The characters of the link that Notify puts in its place are fewer."""
_STYLES = {
    "email": placeholders.Style.BODY,
    "sms": placeholders.Style.SMS,
    "letter": placeholders.Style.LETTER,
}


class TemplateCheck(NamedTuple):
    errors: tuple[FieldError, ...] = ()
    unused: tuple[str, ...] = ()
    """Values that the template has no placeholder for. Lines of an address are used by every letter."""


def check_template(
    template: NotifyTemplate | None, *, field: str, notify_type: str, given: Mapping[str, Any]
) -> TemplateCheck:
    """Every fault at once: no such template, one of another channel, values that are missing or too long.

    `field` is the one that named the template.
    """
    if template is None:
        return TemplateCheck((FieldError(field, "There is no such template at GOV.UK Notify."),))
    if template.type != notify_type:
        words = {"email": "emails", "sms": "text messages", "letter": "letters"}
        return TemplateCheck(
            (
                FieldError(
                    field,
                    f"This template is for {words.get(template.type, template.type)}, "
                    f"not for {words[notify_type]}.",
                ),
            )
        )
    return check_values(template, given=given)


def check_discreet(template: NotifyTemplate, *, field: str) -> list[FieldError]:
    """A fault where the subject of an email would show what is sensitive."""
    if template.type == "email" and "((" in (template.subject or ""):
        words = "This is sensitive: use a template whose subject has no placeholder."
        return [FieldError(field, words)]
    return []


def check_values(template: NotifyTemplate, *, given: Mapping[str, Any]) -> TemplateCheck:
    """Every fault of the values: those that are missing, and a message that they make empty or too long."""
    errors = []
    if not template.names <= {normalise_name(name) for name, value in given.items() if value is not None}:
        lacking = missing(required=template.placeholders, given=given)
        errors += [FieldError(f"{_PLACE}.{name}", "The template needs this value.") for name in lacking]
    errors += [FieldError(_PLACE, message) for message in _faults_of_the_whole(template, given)]
    return TemplateCheck(tuple(errors), _unused(template, given))


def _faults_of_the_whole(template: NotifyTemplate, given: Mapping[str, Any]) -> list[str]:
    """What Notify would refuse of the filled-in text. It is filled in only where that may be anything."""
    style = _STYLES.get(template.type)
    if style is None or not _may_be_refused(template, given):
        return []
    body = placeholders.fill(template.body, _without_files(given), style=style)
    if not body.strip():
        return ["With these values nothing is left to send."]
    if template.type == "letter":
        return [
            f"A QR code holds up to {QR_CODE_BYTES} bytes; this would have {len(data.encode())}."
            for data in qr_codes_over(body)
        ]
    if template.type == "sms" and (characters := characters_over(body)):
        return [
            f"A text message has up to {SMS_CHARACTERS} characters; with these values it has {characters}."
        ]
    if template.type == "email" and (size := bytes_over(body)):
        return [f"An email has up to {EMAIL_BYTES:,} bytes; with these values it has {size:,}."]
    return []


def _may_be_refused(template: NotifyTemplate, given: Mapping[str, Any]) -> bool:
    body = template.body
    if template.type == "letter" or body.lstrip().startswith("(("):
        return True
    most = SMS_CHARACTERS if template.type == "sms" else EMAIL_BYTES // 4
    if len(body) > most:
        return True
    # However often each value comes, and whichever it is: more than this many characters they never make.
    return len(body) + template.places * sum(map(_most_characters, given.values())) > most


def _most_characters(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list):
        return sum(_most_characters(item) + len(" and ") for item in value)
    return _MOST_OF_A_FILE if isinstance(value, dict) else len(str(value))


def _without_files(given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: "https://documents.service.gov.uk" if isinstance(value, dict) else value
        for name, value in given.items()
    }


def _unused(template: NotifyTemplate, given: Mapping[str, Any]) -> tuple[str, ...]:
    used = template.names
    return tuple(
        [name for name in given if normalise_name(name) not in used and not name.startswith("address_line_")]
    )
