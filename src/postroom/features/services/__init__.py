"""The systems that may call Postroom: their keys, and the provider's keys that they send with."""

from postroom.features.services.credentials import Credential, Credentials
from postroom.features.services.directory import Directory, RegisteredService
from postroom.features.services.keys import Keys
from postroom.features.services.register import (
    NewKey,
    Registration,
    issue_key,
    register,
    register_again,
    set_limits,
    set_receipt_token,
)

__all__ = [
    "Credential",
    "Credentials",
    "Directory",
    "Keys",
    "NewKey",
    "RegisteredService",
    "Registration",
    "issue_key",
    "register",
    "register_again",
    "set_limits",
    "set_receipt_token",
]
