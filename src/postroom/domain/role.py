"""What a person's groups make them, beside one whom notifications are addressed to."""

from enum import StrEnum


class Role(StrEnum):
    ADMIN = "admin"
    DEVELOPER = "developer"
    MANAGER = "manager"
    AUDITOR = "auditor"


SEES_EVERYTHING = frozenset({Role.ADMIN, Role.DEVELOPER, Role.AUDITOR})
"""They may read what is not addressed to them, of every service, with personal data masked."""
