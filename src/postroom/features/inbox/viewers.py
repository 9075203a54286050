"""Those who look: one for each person, with the streams to their pages and how much they have not read."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from postroom.domain.caller import Person
from postroom.domain.notification import Notification
from postroom.features.inbox.places import name_of
from postroom.features.notifications.find import Count
from postroom.features.notifications.seal import reader_index
from postroom.features.notifications.visibility import audiences_of
from postroom.kit.crypto import Vault


class Told(StrEnum):
    """What a stream tells."""

    NEW = "new"
    CHANGED = "changed"
    REMOVED = "removed"
    COUNT = "count"
    # Load everything anew: too much has changed, or nobody knows any more what has.
    RESET = "reset"
    # Nothing but the place, so that the connection is seen to live.
    PLACE = "place"


@dataclass(slots=True, eq=False)
class Event:
    """One thing to tell, for all whom it is told to. `wire` keeps what a door has made of it, once.

    `is_own` says that the notification stands there as this one person has it; otherwise as it is for
    anybody, and what each has done about it is theirs to keep.
    """

    kind: Told
    position: int
    notification_id: str | None = None
    notification: Notification | None = None
    is_own: bool = False
    count: Count | None = None
    wire: bytes | None = None


class Subscriber(Protocol):
    """A stream to one open page. It waits for nobody: what it cannot send soon, it ends with."""

    def tell(self, screens: str, events: Iterable[Event]) -> None: ...

    def end(self) -> None: ...


class Viewer:
    """One person, on the screens that their token opens."""

    def __init__(self, person: Person, vault: Vault) -> None:
        self.person = person
        self.reader = reader_index(vault, person.email)
        self.screens = tuple({self.reader, *audiences_of(person, vault)})
        self.name = name_of(self.screens)
        self.subscribers: set[Subscriber] = set()
        # Those that are still told what they missed, with what has happened meanwhile.
        self.joining: dict[Subscriber, list[Event]] = {}
        self.unread: Count | None = None
        self.counted = Counted()
        # What has come while a count is being taken; None while none is.
        self.appeared: list[tuple[int, str]] | None = None
        self.is_miscounted = True

    @property
    def is_gone(self) -> bool:
        return not self.subscribers and not self.joining

    def tell(self, events: list[Event]) -> None:
        for waiting in self.joining.values():
            waiting += events
        for subscriber in list(self.subscribers):
            subscriber.tell(self.name, events)

    def count_one_more(self, position: int, notification_id: str) -> bool:
        """Count a new notification, unless it is counted; whether the count is another now."""
        if self.appeared is not None:
            self.appeared.append((position, notification_id))
        if self.unread is None or self.counted.holds(position, notification_id) or not self.unread.is_exact:
            return False
        self.unread = Count(self.unread.number + 1, is_exact=True)
        return True

    def take_count(self, unread: Count, counted: "Counted") -> bool:
        """Take a count from the tables, with what has come since it was taken; whether it is another one."""
        since = [each for each in self.appeared or () if not counted.holds(*each)]
        before, self.appeared, self.counted = self.unread, None, counted
        self.unread = Count(unread.number + len(since), True) if unread.is_exact else unread
        return self.unread != before


@dataclass(frozen=True, slots=True)
class Counted:
    """What a count holds: all up to a place, and what was committed then and had no place yet."""

    position: int = 0
    ahead: frozenset[str] = field(default=frozenset())

    def holds(self, position: int, notification_id: str) -> bool:
        return position <= self.position or notification_id in self.ahead
