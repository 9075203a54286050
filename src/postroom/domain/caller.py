"""Who calls: a service by its key, or a person by their token."""

from dataclasses import dataclass

from postroom.domain.role import SEES_EVERYTHING, Role
from postroom.domain.scope import EVERY_SCOPE, Scope


@dataclass(frozen=True, slots=True)
class Grant:
    """Leave to read another service's notifications. Personal data is masked unless it is part of it."""

    owner_id: str
    owner: str
    with_personal_data: bool = False


@dataclass(frozen=True, slots=True)
class ServiceCaller:
    """A registered service, known by one of its API keys."""

    service_id: str
    name: str
    scopes: frozenset[Scope] = EVERY_SCOPE
    grants: tuple[Grant, ...] = ()

    @property
    def display_name(self) -> str:
        return self.name

    def grant_of(self, owner_id: str) -> Grant | None:
        """What lets it read that service's notifications."""
        return next((grant for grant in self.grants if grant.owner_id == owner_id), None)


@dataclass(frozen=True, slots=True)
class Person:
    """An officer, known by a verified token. `email` is lower case; groups and patches are without prefix."""

    email: str
    groups: tuple[str, ...] = ()
    roles: frozenset[Role] = frozenset()
    may_reopen: bool = False
    patches: tuple[str, ...] = ()

    @property
    def display_name(self) -> str:
        return self.email

    @property
    def audiences(self) -> tuple[str, ...]:
        """Every `user` value of a notification that addresses this person."""
        groups = (f"group:{name}" for name in self.groups)
        return (self.email, *groups, *(f"patch:{name}" for name in self.patches))

    @property
    def sees_everything(self) -> bool:
        """Whether a role lets them read what is not addressed to them."""
        return not SEES_EVERYTHING.isdisjoint(self.roles)

    @property
    def administrates(self) -> bool:
        """Whether a role lets them register services, and issue and revoke their keys."""
        return Role.ADMIN in self.roles


Caller = ServiceCaller | Person
