"""What a service may be registered with: every field that is wrong, by its name on the wire."""

import re
from collections.abc import Iterator, Mapping, Sequence

from notify_rules.email_address import check_email_address
from notify_rules.errors import InvalidRecipient
from postroom.domain.errors import FieldError
from postroom.features.limits import ServiceLimits, check_limits
from postroom.features.services.credentials import KEY_TYPES
from postroom.features.services.names import is_name, is_notify_key
from postroom.kit.ids import is_id

LONGEST_PARAM = 100
LONGEST_GROUP = 128
LONGEST_TEMPLATE_NAME = 255
MOST_TEMPLATES = 1_000
TemplateNames = Mapping[str, Mapping[str, str]]
"""The ids of templates by their names, for each environment."""

_ENVIRONMENT = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST_ENVIRONMENT = 32


def check_name(name: str) -> Iterator[FieldError]:
    if not is_name(name):
        words = "Use up to 64 lower-case letters and digits, with single hyphens between."
        yield FieldError("name", words)


def check_owner(owner: str | None) -> Iterator[FieldError]:
    """The address of the person or the team whom the service belongs to."""
    if owner is None:
        return
    try:
        check_email_address(owner)
    except InvalidRecipient:
        yield FieldError("owner", "Enter an email address in the correct format.")


def check_environment(environment: str) -> Iterator[FieldError]:
    if not _is_environment(environment):
        yield FieldError("environment", "Use a short name, as in production, staging or development.")


def check_notify_key(key: str | None, *, key_type: str) -> Iterator[FieldError]:
    if key is not None and not is_notify_key(key):
        yield FieldError("notifyKey", "This has not the form of a GOV.UK Notify key.")
    if key_type not in KEY_TYPES:
        yield FieldError("notifyKeyType", f"Use one of {', '.join(KEY_TYPES)}.")


def check_notify_url(url: str) -> Iterator[FieldError]:
    if not url.startswith(("https://", "http://")):
        yield FieldError("notifyBaseUrl", "Give an address that begins with https://.")


def check_group(group: str | None) -> Iterator[FieldError]:
    if group is not None and not (1 <= len(group) <= LONGEST_GROUP and group.isprintable()):
        yield FieldError("defaultGroup", f"Use 1 to {LONGEST_GROUP} printable characters.")


def check_template_names(every: TemplateNames) -> Iterator[FieldError]:
    for environment, names in every.items():
        if not _is_environment(environment):
            words = "Give the names below environments, as in production or staging."
            yield FieldError("templateNames", words)
            return
        yield from _check_names(f"templateNames.{environment}", names)


def check_trusted(names: Sequence[str]) -> Iterator[FieldError]:
    if any(not 1 <= len(name) <= LONGEST_PARAM or not name.isprintable() for name in names):
        yield FieldError("trustedParams", f"Use names of 1 to {LONGEST_PARAM} characters.")


def check_all_limits(limits: ServiceLimits) -> Iterator[FieldError]:
    for fault in check_limits(limits):
        yield FieldError(f"limits.{fault.field}", fault.message)


def _check_names(field: str, names: Mapping[str, str]) -> Iterator[FieldError]:
    if len(names) > MOST_TEMPLATES:
        yield FieldError(field, f"Use up to {MOST_TEMPLATES:,} names.")
        return
    if not all(1 <= len(name) <= LONGEST_TEMPLATE_NAME and name.isprintable() for name in names):
        yield FieldError(field, f"Use names of 1 to {LONGEST_TEMPLATE_NAME} printable characters.")
        return
    for name, template_id in names.items():
        if not is_id(template_id):
            yield FieldError(f"{field}.{name}", "Use the template's id at GOV.UK Notify, a UUID.")


def _is_environment(text: str) -> bool:
    return len(text) <= _LONGEST_ENVIRONMENT and _ENVIRONMENT.fullmatch(text) is not None
