"""Live streams, where nothing happens: each is shown all the same that it lives."""

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

from postroom.domain.caller import Person
from postroom.features.inbox.live import Live
from postroom.features.inbox.viewers import Event, Told

if TYPE_CHECKING:
    from tests.features.conftest import Office


class Page:
    """An open page, and what it was told."""

    def __init__(self) -> None:
        self.told: list[Event] = []
        self.is_over = False
        self.has_beaten = asyncio.Event()

    def tell(self, screens: str, events: Iterable[Event]) -> None:
        self.told += events
        # The first says where it begins.
        if self.places() > 2:
            self.has_beaten.set()

    def end(self) -> None:
        self.is_over = True

    def places(self) -> int:
        return [event.kind for event in self.told].count(Told.PLACE)


async def test_a_stream_beats_while_nothing_happens_and_not_after_it_is_left(
    office: "Office", joe: Person, amala: Person
) -> None:
    live = Live(database=office.app.database, vault=office.app.vault, most=5, beat_seconds=2)
    stop, stays, leaves = asyncio.Event(), Page(), Page()
    running = asyncio.create_task(live.run(stop=stop))
    await live.join(joe, stays, since=None)
    await live.join(amala, leaves, since=None)
    live.leave(leaves)

    async with asyncio.timeout(20):
        await stays.has_beaten.wait()
    stop.set()
    await running

    assert {event.kind for event in stays.told} == {Told.PLACE, Told.COUNT}
    assert (stays.is_over, leaves.places(), live.open_streams) == (True, 1, 1)
