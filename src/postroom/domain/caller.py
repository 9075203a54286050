"""Who calls: a service by its key, or a person by their token."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServiceCaller:
    """A registered service, known by one of its API keys."""

    service_id: str
    name: str

    @property
    def display_name(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Person:
    """An officer, known by a verified token. `email` is lower case; groups are names without prefix."""

    email: str
    groups: tuple[str, ...] = ()

    @property
    def display_name(self) -> str:
        return self.email

    @property
    def audiences(self) -> tuple[str, ...]:
        """Every `user` value of a notification that addresses this person."""
        return (self.email, *(f"group:{name}" for name in self.groups))


Caller = ServiceCaller | Person
