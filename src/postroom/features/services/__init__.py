"""The systems that may call Postroom: their keys, and the provider's keys that they send with."""

from postroom.features.services.api_keys import (
    ApiKey,
    Consumer,
    NewKey,
    admit_token,
    find_key,
    issue_key,
    keys_of,
    revoke_key,
    rotate_key,
)
from postroom.features.services.credentials import Credential, Credentials
from postroom.features.services.directory import Directory, KnownKey, RegisteredService
from postroom.features.services.edit import Changes, check_changes, edit
from postroom.features.services.grants import end_grant, grant, grants_to
from postroom.features.services.keys import Keys
from postroom.features.services.links import leads_to_allowed_host, set_link_hosts
from postroom.features.services.noted import note_change
from postroom.features.services.profile import (
    NotifyKey,
    Owner,
    Profile,
    find_profile,
    find_profiles,
    names_of_services,
    owner_of,
)
from postroom.features.services.register import (
    Registration,
    check_registration,
    register,
    register_again,
    set_limits,
    set_receipt_token,
    set_trusted_params,
)

__all__ = [
    "ApiKey",
    "Changes",
    "Consumer",
    "Credential",
    "Credentials",
    "Directory",
    "Keys",
    "KnownKey",
    "NewKey",
    "NotifyKey",
    "Owner",
    "Profile",
    "RegisteredService",
    "Registration",
    "admit_token",
    "check_changes",
    "check_registration",
    "edit",
    "end_grant",
    "find_key",
    "find_profile",
    "find_profiles",
    "grant",
    "grants_to",
    "issue_key",
    "keys_of",
    "leads_to_allowed_host",
    "names_of_services",
    "note_change",
    "owner_of",
    "register",
    "register_again",
    "revoke_key",
    "rotate_key",
    "set_limits",
    "set_link_hosts",
    "set_receipt_token",
    "set_trusted_params",
]
