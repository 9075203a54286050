"""Whether a template can carry what is to be sent, before anything is queued."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from notify_rules.placeholders import missing, normalise_name
from postroom.channels.govuk_notify import NotifyTemplate
from postroom.domain.errors import FieldError

_PLACE = "personalisationParams"


@dataclass(frozen=True, slots=True)
class TemplateCheck:
    errors: tuple[FieldError, ...] = ()
    unused: tuple[str, ...] = ()
    """Values that the template has no placeholder for. Lines of an address are used by every letter."""


def check_template(
    template: NotifyTemplate | None, *, field: str, notify_type: str, given: Mapping[str, Any]
) -> TemplateCheck:
    """Every fault at once: no such template, one of another channel, values that are missing.

    `field` is the one that named the template.
    """
    if template is None:
        return TemplateCheck((FieldError(field, "There is no such template at GOV.UK Notify."),))
    if template.type != notify_type:
        words = {"email": "emails", "sms": "text messages", "letter": "letters"}
        return TemplateCheck(
            (
                FieldError(
                    field, f"This template is for {words[template.type]}, not for {words[notify_type]}."
                ),
            )
        )
    lacking = missing(required=template.placeholders, given=given)
    errors = tuple(FieldError(f"{_PLACE}.{name}", "The template needs this value.") for name in lacking)
    return TemplateCheck(errors, _unused(template, given))


def _unused(template: NotifyTemplate, given: Mapping[str, Any]) -> tuple[str, ...]:
    used = {normalise_name(name) for name in template.placeholders}
    return tuple(
        name for name in given if normalise_name(name) not in used and not name.startswith("address_line_")
    )
