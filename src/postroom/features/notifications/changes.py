"""Changing deliveries: every change is a pure step on the row as it is, and many share one transaction."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import msgspec

from postroom.domain.delivery import Change, State, Step
from postroom.features import webhooks
from postroom.features.notifications import store
from postroom.features.notifications.news import news_of
from postroom.kit.database import AsyncConnection, Batch, Database, GroupCommit, Outdated
from postroom.kit.queue import Job, JobQueue

Apply = Callable[[State], Change | None]
"""A step from the state that the row has now; None where it changes nothing."""


class Held(NamedTuple):
    """A delivery's row, locked or as it was read.

    Blind indexes say to whom it goes and what it says. Only for claims its notification's sealed data and
    correlation id are read.
    """

    state: State
    recipient_index: bytes | None = None
    content_index: bytes | None = None
    international: bool | None = None
    personal: bytes | None = None
    correlation_id: str | None = None


class Gate(Protocol):
    """Of deliveries whose provider is about to be called, says what becomes of those that wait.

    It answers by their ids.
    """

    async def locked(self, conn: AsyncConnection, held: Sequence[Held]) -> Mapping[str, Change]:
        """Asked in the transaction that claims them, while their rows are locked."""

    async def at_once(self, batch: Batch, held: Sequence[Held]) -> Mapping[str, Change] | None:
        """Asked before a batch claims them, with which is written what was counted.

        None where they have to be locked first. Of a batch that was not written, nothing was counted.
        """


@dataclass(frozen=True, slots=True)
class Request:
    """One step for one delivery. A receipt's row is kept whether it changes anything or not.

    `claims` marks a claim: where its step calls the provider, the gate is asked. With a `service_id` only
    that service's delivery is found; where it has none of that id, nothing is kept. `known` is the state that
    the delivery most likely still has: it spares all but a claim, which reads more than that, a look.
    """

    delivery_id: str
    apply: Apply
    receipt: dict[str, Any] | None = None
    claims: bool = False
    service_id: str | None = None
    known: State | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a request. A step that sends has the notification's sealed data and correlation id.

    `found` says whether there is such a delivery.
    """

    change: Change | None
    personal: bytes | None = None
    found: bool = True
    correlation_id: str | None = None


Changes = GroupCommit[Request, Done]

_CALLS = frozenset({Step.SEND, Step.LOOK, Step.POLL})
_LOCKED_SECONDS = 1


def state_of(row: Sequence[Any]) -> State:
    """The state in a row that begins with its columns, in their order."""
    return msgspec.convert(dict(zip(store.STATE_COLUMNS, row, strict=False)), State)


class Writer:
    """Writes requests that came together, in one transaction.

    As a rule nobody else changes these deliveries meanwhile: they are read, if at all, without locks, and
    written in one statement where they still are as they were read. Only otherwise they are locked first,
    which costs three round trips more. Claims for which that had to be are locked at once for a while.
    """

    def __init__(self, *, database: Database, queue: JobQueue, gate: Gate) -> None:
        self._database = database
        self._queue = queue
        self._gate = gate
        self._lock_until = 0.0

    async def write(self, requests: Sequence[Request]) -> list[Done]:
        """Apply them in order, each to the state that those before it left."""
        claims = _any_claims(requests)
        if not claims or time.monotonic() >= self._lock_until:
            with suppress(Outdated):
                done = await self._write_at_once(requests)
                if done is not None:
                    return done
            if claims:
                self._lock_until = time.monotonic() + _LOCKED_SECONDS
        async with self._database.transaction() as conn:
            return await write_changes(conn, requests, queue=self._queue, gate=self._gate)

    async def _write_at_once(self, requests: Sequence[Request]) -> list[Done] | None:
        """None, or Outdated, where they have to be locked first; nothing is written then."""
        held = {each.known.id: Held(each.known) for each in requests if each.known is not None}
        held |= await self._read(requests)
        counted, batch = self._database.batch(), self._database.batch()
        calling = _about_to_call(requests, held)
        instead = await self._gate.at_once(counted, calling) if calling else {}
        if instead is None:
            return None
        decided = _decide(requests, held, calling, instead)
        # First the deliveries, then what is counted, as they are locked otherwise.
        store.add_moves(batch, decided.moves)
        batch.append(counted)
        _add_rest(batch, decided, self._queue)
        if batch:
            await self._database.write(batch)
        return decided.done

    async def _read(self, requests: Sequence[Request]) -> dict[str, Held]:
        ids = {each.delivery_id for each in requests if each.known is None or each.claims}
        if not ids:
            return {}
        return _held(await store.read_deliveries(self._database, ids, with_personal=_any_claims(requests)))


async def write_changes(
    conn: AsyncConnection, requests: Sequence[Request], *, queue: JobQueue, gate: Gate | None
) -> list[Done]:
    """As a Writer does, in the caller's transaction, with the deliveries locked.

    Without a `gate` none may be claimed.
    """
    ids = {each.delivery_id for each in requests}
    held = _held(await store.lock_deliveries(conn, ids, with_personal=_any_claims(requests)))
    calling = _about_to_call(requests, held)
    if calling and gate is None:
        raise AssertionError("what is claimed passes the gate")
    instead = await gate.locked(conn, calling) if calling and gate is not None else {}
    decided = _decide(requests, held, calling, instead)
    batch = Batch(conn.dialect.name)
    store.add_moves(batch, decided.moves)
    _add_rest(batch, decided, queue)
    await batch.run(conn)
    return decided.done


def _any_claims(requests: Sequence[Request]) -> bool:
    return any(each.claims for each in requests)


def _held(rows: Iterable[Sequence[Any]]) -> dict[str, Held]:
    held = (Held(state_of(row), *row[len(store.STATE_COLUMNS) :]) for row in rows)
    return {each.state.id: each for each in held}


class _Decided(NamedTuple):
    """What is to be written: the states before and after of what changes, and what comes with it."""

    done: list[Done]
    moves: list[tuple[State, State]]
    changes: list[Change]
    receipts: list[dict[str, Any]]
    news: list[webhooks.Event]


def _decide(
    requests: Sequence[Request],
    held: Mapping[str, Held],
    calling: Sequence[Held],
    instead: Mapping[str, Change],
) -> _Decided:
    """`instead` is what the gate said of those that are `calling`."""
    asked = {each.state.id for each in calling}
    states = {key: each.state for key, each in held.items()}
    done: list[Done] = []
    receipts: list[dict[str, Any]] = []
    news: list[webhooks.Event] = []
    for request in requests:
        is_there = _is_found(request, states)
        state = states[request.delivery_id] if is_there else None
        change = None if state is None else _apply(request, state, asked, instead)
        if change is not None and state is not None:
            news += news_of(state, change.state)
            states[request.delivery_id] = change.state
        if request.receipt is not None and (is_there or request.service_id is None):
            receipts.append(request.receipt | {"applied": change is not None})
        done.append(_done(change, held.get(request.delivery_id), is_found=is_there))
    moves = [(held[key].state, state) for key, state in states.items() if state != held[key].state]
    changes = [each.change for each in done if each.change is not None]
    return _Decided(done, moves, changes, receipts, news)


def _add_rest(batch: Batch, decided: _Decided, queue: JobQueue) -> None:
    """All but the states."""
    _add_attempts(batch, decided.changes)
    store.add_receipts(batch, decided.receipts)
    webhooks.add(batch, decided.news)
    queue.add(
        batch,
        [
            Job(state.id, state.due_at, state.lane)
            for _, state in decided.moves
            if state.due_at is not None and state.lease_until is None
        ],
    )


def _is_found(request: Request, states: Mapping[str, State]) -> bool:
    state = states.get(request.delivery_id)
    return state is not None and request.service_id in (None, state.service_id)


def _about_to_call(requests: Sequence[Request], held: Mapping[str, Held]) -> list[Held]:
    """The deliveries for which a claim among the requests would call the provider, by their ids."""
    ids = {
        request.delivery_id
        for request in requests
        if request.claims
        and (one := held.get(request.delivery_id)) is not None
        and (change := request.apply(one.state)) is not None
        and change.step in _CALLS
    }
    return [held[delivery_id] for delivery_id in sorted(ids)]


def _apply(
    request: Request, state: State, asked: Collection[str], instead: Mapping[str, Change]
) -> Change | None:
    change = request.apply(state)
    if not request.claims or change is None or change.step not in _CALLS:
        return change
    if state.id not in asked:
        # It is due only since the request before it: its own turn comes, and the gate is asked then.
        return Change(state)
    return instead.get(state.id, change)


def _add_attempts(batch: Batch, changes: Sequence[Change]) -> None:
    store.add_attempts(
        batch,
        [
            {
                "id": change.began,
                "delivery_id": change.state.id,
                "number": change.state.attempts,
                "started_at": change.state.open_attempt_at,
            }
            for change in changes
            if change.began is not None
        ],
    )
    ended = [change.ended for change in changes if change.ended is not None]
    # Of several ends of an attempt the first stays.
    ends = {end.attempt_id: end for end in reversed(ended)}.values()
    store.add_ends(
        batch,
        [
            {
                "id": end.attempt_id,
                "ended_at": end.at,
                "outcome": end.outcome.value,
                "status_code": end.status_code,
                "reason": end.reason,
            }
            for end in ends
        ],
    )


def _done(change: Change | None, held: Held | None, *, is_found: bool) -> Done:
    if held is None or change is None or change.step is not Step.SEND:
        return Done(change, found=is_found)
    return Done(change, held.personal, is_found, held.correlation_id)
