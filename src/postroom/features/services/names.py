"""The form of a service's name, and of a key of the provider: what is neither is not looked up."""

import re

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_NOTIFY_KEY = re.compile(rf".+-{_UUID}-{_UUID}")
_LONGEST = 64


def is_name(text: str) -> bool:
    """Whether a service can be named so: lower-case letters and digits, with single hyphens between."""
    return len(text) <= _LONGEST and _NAME.fullmatch(text) is not None


def notify_service_id(key: str) -> str:
    """The provider's service that a key of its form belongs to."""
    return key[-73:-37]


def notify_key_name(key: str) -> str:
    """The name that a key of its form was given: the part that is no secret."""
    return key[:-74]


def is_notify_key(text: str) -> bool:
    """Whether the text has the form of a key of GOV.UK Notify: name, service id and secret."""
    return _NOTIFY_KEY.fullmatch(text) is not None
