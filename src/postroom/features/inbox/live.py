"""What changes, told to every open page as it happens: one reader of changes for all streams of a process."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Row

from postroom.domain.caller import Person
from postroom.domain.errors import Busy
from postroom.features.inbox.news import News, read_news
from postroom.features.inbox.places import Place
from postroom.features.inbox.viewers import Counted, Event, Subscriber, Told, Viewer
from postroom.features.notifications.find import Count, Filters, count_found
from postroom.features.screens import Kind, feed
from postroom.features.screens.publish import CHANNEL, MOST, publish
from postroom.kit.crypto import Vault
from postroom.kit.database import Database, DatabaseUnavailable, LockTimeout
from postroom.kit.database.listen import listen
from postroom.kit.log import get_logger
from postroom.kit.signal import Wakeup

log = get_logger(__name__)

MOST_AT_ONCE = 50
"""Of more than that a page is told to load anew."""

_LOOK_EVERY = timedelta(seconds=1)
_PAUSE_SECONDS = 0.01
"""What is recorded in between is told together."""
_BEAT_SECONDS = 15
_COUNTERS = 2
_WAIT_SECONDS = 0.5


class Live:
    """One process's streams. `ring` after a commit that recorded something; `run` tells of it."""

    def __init__(
        self, *, database: Database, vault: Vault, most: int, beat_seconds: int = _BEAT_SECONDS
    ) -> None:
        self._database = database
        self._vault = vault
        self._most = most
        self._wakeup = Wakeup()
        self._turning = asyncio.Lock()
        self._position = 0
        # Whether the position is kept up with: not while nobody looks.
        self._follows = False
        self._viewers: dict[tuple[bytes, str], Viewer] = {}
        self._by_screen: dict[bytes, set[Viewer]] = {}
        self._beats: list[dict[Subscriber, Viewer]] = [{} for _ in range(beat_seconds)]
        self._open = 0
        self._to_count: dict[Viewer, None] = {}
        self._counting = asyncio.Event()

    @property
    def open_streams(self) -> int:
        return self._open

    def ring(self) -> None:
        """Say, after a commit, that something may have changed on a screen."""
        self._wakeup.ring()

    async def run(self, *, stop: asyncio.Event) -> None:
        """Publish what is recorded and tell of it, until `stop`; then end every stream."""
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._follow()),
                group.create_task(self._beat()),
                *(group.create_task(self._count()) for _ in range(_COUNTERS)),
            ]
            if self._database.is_postgres:
                tasks.append(group.create_task(listen(self._database.url, CHANNEL, heard=self.ring)))
            await stop.wait()
            for task in tasks:
                task.cancel()
        for viewer in list(self._viewers.values()):
            for subscriber in [*viewer.subscribers, *viewer.joining]:
                subscriber.end()

    async def join(self, person: Person, subscriber: Subscriber, *, since: Place | None) -> None:
        """Tell the subscriber what has changed for the person since that place, and what changes from now.

        Busy where as many streams are open as there may be. `leave` ends it, however far this came.
        """
        if self._open >= self._most:
            raise Busy("As many streams are open as there may be. Ask for the count from time to time.")
        viewer = self._viewer_of(person)
        viewer.joining[subscriber] = []
        self._beats[self._open % len(self._beats)][subscriber] = viewer
        self._open += 1
        async with self._turning:
            if not self._follows or (since is not None and since.position > self._position):
                await self._turn()
            at = self._position
        missed = await self._missed(viewer, since, until=at)
        later = [event for event in viewer.joining.pop(subscriber, ()) if event.position > at]
        viewer.subscribers.add(subscriber)
        count = [] if viewer.unread is None else [_count_event(viewer, self._position)]
        subscriber.tell(viewer.name, [*missed, Event(Told.PLACE, at), *later, *count])
        if not count:
            self._count_soon(viewer)

    def leave(self, subscriber: Subscriber) -> None:
        """The page is closed, or the stream to it is over."""
        viewer = next((found for beat in self._beats if (found := beat.pop(subscriber, None))), None)
        if viewer is None:
            return
        self._open -= 1
        viewer.subscribers.discard(subscriber)
        viewer.joining.pop(subscriber, None)
        if not viewer.subscribers and not viewer.joining:
            self._forget(viewer)

    def _viewer_of(self, person: Person) -> Viewer:
        viewer = Viewer(person, self._vault)
        known = self._viewers.setdefault((viewer.reader, viewer.name), viewer)
        if known is viewer:
            for screen in viewer.screens:
                self._by_screen.setdefault(screen, set()).add(viewer)
        return known

    def _forget(self, viewer: Viewer) -> None:
        del self._viewers[viewer.reader, viewer.name]
        self._follows = self._follows and bool(self._viewers)
        self._to_count.pop(viewer, None)
        for screen in viewer.screens:
            self._by_screen[screen].discard(viewer)
            if not self._by_screen[screen]:
                del self._by_screen[screen]

    async def _follow(self) -> None:
        while True:
            try:
                while await publish(self._database) == MOST:
                    pass
                if self._viewers:
                    async with self._turning:
                        await self._turn()
            except (DatabaseUnavailable, LockTimeout):
                log.warning("what changes on screens waits for the database")
            except Exception as error:
                log.error("telling what changes on screens failed", exc_info=error)
            await self._wakeup.wait(at_most=_LOOK_EVERY)
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _turn(self) -> None:
        """Tell all that has changed since the last turn; for whoever has just come, nothing has yet."""
        if not self._follows:
            async with self._database.reading() as conn:
                self._position = await feed.last_position(conn)
            self._follows = True
            return
        is_more = True
        while is_more:
            async with self._database.reading() as conn:
                rows = await feed.read_changes(conn, since=self._position, most=MOST)
                told = self._by_viewer(rows)
                news = await read_news(conn, told, vault=self._vault)
            if rows:
                self._position = rows[-1].position
            for viewer, its in told.items():
                self._tell(viewer, its, news)
            is_more = len(rows) == MOST

    def _by_viewer(self, rows: Sequence[Row[Any]]) -> dict[Viewer, list[Row[Any]]]:
        told: dict[Viewer, list[Row[Any]]] = {}
        for row in rows:
            for viewer in self._by_screen.get(row.screen, ()):
                told.setdefault(viewer, []).append(row)
        return told

    def _tell(self, viewer: Viewer, rows: Sequence[Row[Any]], news: News) -> None:
        events = news.events(viewer, rows, most=MOST_AT_ONCE)
        is_other = False
        for row in rows:
            if row.kind != Kind.NEW:
                self._count_soon(viewer)
            elif news.is_there(row):
                is_other |= viewer.count_one_more(row.position, row.notification_id)
        if is_other:
            events.append(_count_event(viewer, self._position))
        viewer.tell(events)

    async def _missed(self, viewer: Viewer, since: Place | None, *, until: int) -> list[Event]:
        """What the person has missed between the two places; that all is to be loaded where nobody knows."""
        if since is None or since == Place(until, viewer.name):
            return []
        if since.screens == viewer.name and since.position < until:
            async with self._database.reading() as conn:
                rows = await feed.read_changes_of(
                    conn, viewer.screens, since=since.position, until=until, most=MOST_AT_ONCE + 1
                )
                # Looked at after them: what is forgotten in between is missed here too.
                if since.position >= await feed.first_position(conn) - 1:
                    news = await read_news(conn, {viewer: rows}, vault=self._vault)
                    return news.events(viewer, rows, most=MOST_AT_ONCE)
        return [Event(Told.RESET, until)]

    def _count_soon(self, viewer: Viewer) -> None:
        viewer.is_miscounted = True
        if viewer.appeared is None:
            self._to_count[viewer] = None
            self._counting.set()

    async def _count(self) -> None:
        """Count for one after the other whose count may be another."""
        while True:
            while not self._to_count:
                self._counting.clear()
                await self._counting.wait()
            viewer = next(iter(self._to_count))
            del self._to_count[viewer]
            viewer.appeared, viewer.is_miscounted = [], False
            try:
                unread, counted = await self._counted(viewer)
                is_other = viewer.take_count(unread, counted)
            except Exception as error:
                if not isinstance(error, DatabaseUnavailable | LockTimeout):
                    # One count that fails must end neither the others nor the process.
                    log.error("counting for live streams failed", exc_info=error)
                viewer.appeared, viewer.is_miscounted, is_other = None, True, False
                await asyncio.sleep(_WAIT_SECONDS)
            if is_other:
                viewer.tell([_count_event(viewer, self._position)])
            if viewer.is_miscounted and (viewer.reader, viewer.name) in self._viewers:
                self._count_soon(viewer)

    async def _counted(self, viewer: Viewer) -> tuple[Count, Counted]:
        """How much the person has not read, and what is in that."""
        async with self._database.snapshot() as conn:
            position = await feed.last_position(conn)
            ahead = await feed.without_place(conn, viewer.screens)
            unread = await count_found(conn, Filters(is_read=False), caller=viewer.person, vault=self._vault)
        return unread, Counted(position, frozenset(ahead))

    async def _beat(self) -> None:
        """Show every stream from time to time that it lives, a part of them each second."""
        while True:
            for beat in self._beats:
                await asyncio.sleep(1)
                place = Event(Told.PLACE, self._position)
                for subscriber, viewer in list(beat.items()):
                    if subscriber in viewer.subscribers:
                        subscriber.tell(viewer.name, [place])


def _count_event(viewer: Viewer, position: int) -> Event:
    return Event(Told.COUNT, position, count=viewer.unread)
