"""Which email addresses Notify takes: laxer than the standards on dots, stricter on quotes and alphabets."""

import re
from functools import lru_cache

from notify_rules.errors import InvalidEmailAddress
from notify_rules.limits import EMAIL_ADDRESS_CHARACTERS, HOSTNAME_CHARACTERS, HOSTNAME_LABEL_CHARACTERS
from notify_rules.whitespace import strip_obscure

_LOCAL_PART = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+")
_HOSTNAME = re.compile(r"[^.@][^@\s]+")
# Letters and digits, joined by one hyphen or two: two are what an encoded name (xn--…) needs.
_LABEL = re.compile(r"[a-z0-9]+(?:--?[a-z0-9]+)*", re.IGNORECASE)
_TOP_LEVEL = re.compile(r"[a-z]{2,63}|xn--(?:[a-z0-9]+-)*[a-z0-9]+", re.IGNORECASE)


def check_email_address(value: str) -> str:
    """The address without the blanks around it and the invisible characters in it."""
    address = strip_obscure(value)
    local_part, at, hostname = address.rpartition("@")
    if not (
        at
        and len(address) <= EMAIL_ADDRESS_CHARACTERS
        and ".." not in address
        and _LOCAL_PART.fullmatch(local_part)
        and _HOSTNAME.fullmatch(hostname)
        and _is_hostname(hostname)
    ):
        raise InvalidEmailAddress
    return address


@lru_cache(maxsize=4096)
def _is_hostname(hostname: str) -> bool:
    try:
        labels = hostname.encode("idna").decode("ascii").split(".")
    except UnicodeError:
        return False
    return (
        len(labels) > 1
        and len(".".join(labels)) <= HOSTNAME_CHARACTERS
        and all(map(_is_label, labels))
        and _TOP_LEVEL.fullmatch(labels[-1]) is not None
    )


def _is_label(label: str) -> bool:
    return len(label) <= HOSTNAME_LABEL_CHARACTERS and _LABEL.fullmatch(label) is not None
