"""What changed, with the notifications as they are now: read once for all whom it is told to."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row

from postroom.domain.notification import Notification
from postroom.features.inbox.viewers import Event, Told, Viewer
from postroom.features.notifications.find import find_as_new, find_some
from postroom.features.screens import Kind
from postroom.kit.crypto import Vault
from postroom.kit.database import AsyncConnection

_SHOWN = frozenset({Kind.NEW, Kind.CHANGED})
_WITH_ALL = frozenset({Told.NEW, Told.CHANGED})
_TOLD = {
    Kind.NEW: Told.NEW,
    Kind.CHANGED: Told.CHANGED,
    Kind.REMOVED: Told.REMOVED,
    Kind.MANY: Told.RESET,
}


class News:
    """What was read for some changes."""

    def __init__(
        self,
        shared: Mapping[str, Notification],
        own: Mapping[Viewer, Mapping[str, Notification]],
    ) -> None:
        self._shared = shared
        self._own = own
        self._events: dict[int, Event] = {}

    def is_there(self, row: Row[Any]) -> bool:
        """Whether what appeared is there still."""
        return row.notification_id in self._shared

    def events(self, viewer: Viewer, rows: Sequence[Row[Any]], *, most: int) -> list[Event]:
        """What the viewer is told of those changes: of too many, that all is to be loaded anew."""
        if len(rows) > most:
            return [Event(Told.RESET, rows[-1].position)]
        events = []
        for row in rows:
            event = self._event(viewer, row)
            if event.notification is not None or event.kind not in _WITH_ALL:
                events.append(event)
        return events

    def _event(self, viewer: Viewer, row: Row[Any]) -> Event:
        if row.screen == viewer.reader:
            found = self._own.get(viewer, {}).get(row.notification_id)
            # Put away in another tab, it is off the list that this one shows.
            told = Told.REMOVED if found is None and row.kind == Kind.CHANGED else _TOLD[row.kind]
            return Event(told, row.position, row.notification_id, found, is_own=True)
        event = self._events.get(row.position)
        if event is None:
            found = self._shared.get(row.notification_id)
            event = Event(_TOLD[row.kind], row.position, row.notification_id, found)
            self._events[row.position] = event
        return event


async def read_news(
    conn: AsyncConnection, told: Mapping[Viewer, Sequence[Row[Any]]], *, vault: Vault
) -> News:
    """Read what those changes are about: what many see at once, and apart for each who did something."""
    shared: set[str] = set()
    own: dict[Viewer, set[str]] = {}
    for viewer, rows in told.items():
        for row in rows:
            if row.kind in _SHOWN:
                ids = own.setdefault(viewer, set()) if row.screen == viewer.reader else shared
                ids.add(row.notification_id)
    return News(
        shared=await find_as_new(conn, shared, vault=vault) if shared else {},
        own={
            viewer: await find_some(conn, ids, caller=viewer.person, vault=vault)
            for viewer, ids in own.items()
        },
    )
