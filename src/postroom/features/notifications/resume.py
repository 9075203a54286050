"""A provider answers again: what waited for it is due at once, what came alone before what came in bulk."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from postroom.domain import delivery as steps
from postroom.domain.delivery import State
from postroom.domain.lane import Lane
from postroom.features.notifications import store
from postroom.features.notifications.changes import Changes, Request, state_of
from postroom.features.notifications.circuits import FURTHEST, WAITS, Circuits, way_of
from postroom.features.services import Credentials
from postroom.kit.clock import Clock
from postroom.kit.database import Database

_MOST = 500
_BEFORE_ALL = "00000000-0000-0000-0000-000000000000"


async def resume_waiting(
    *, database: Database, changes: Changes, circuits: Circuits, credentials: Credentials, clock: Clock
) -> int:
    """Make due what waits for a provider that answers; how many. Where none has come back, nothing is read.

    What waits for another, or was put off further by another process, keeps its moment.
    """
    if not circuits.take_news():
        return 0
    began = clock()
    try:
        return sum(
            [await _resume_lane(lane, began, database, changes, circuits, credentials) for lane in Lane]
        )
    except BaseException:
        circuits.keep_news()
        raise


async def _resume_lane(
    lane: Lane,
    began: datetime,
    database: Database,
    changes: Changes,
    circuits: Circuits,
    credentials: Credentials,
) -> int:
    resumed, last = 0, (began, _BEFORE_ALL)
    while True:
        async with database.reading() as conn:
            rows = await store.waiting(
                conn, reason=WAITS, after=last, until=began + FURTHEST, limit=_MOST, lane=lane
            )
        if not rows:
            return resumed
        last = (rows[-1].due_at, rows[-1].id)
        states = map(state_of, rows)
        back = [state for state in states if await _is_back(state, circuits, credentials)]
        resumed += await _make_due(changes, back, now=began)


async def _is_back(state: State, circuits: Circuits, credentials: Credentials) -> bool:
    way = await way_of(state, credentials)
    return way is not None and circuits.is_closed(way)


async def _make_due(changes: Changes, states: Sequence[State], *, now: datetime) -> int:
    apply = partial(steps.resume, now=now, reason=WAITS)
    requests = [Request(state.id, apply, known=state) for state in states]
    done = await asyncio.gather(*map(changes.submit, requests))
    return sum(each.change is not None for each in done)
