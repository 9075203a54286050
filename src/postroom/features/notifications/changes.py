"""Changing deliveries: every change is a pure step on the locked row, and many share one transaction."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.domain.channel import Channel
from postroom.domain.delivery import Change, State, Step
from postroom.domain.lane import Lane
from postroom.domain.status import Status
from postroom.features import webhooks
from postroom.features.notifications import store
from postroom.features.notifications.news import news_of
from postroom.kit.database import Batch, GroupCommit
from postroom.kit.queue import Job, JobQueue

Apply = Callable[[State], Change | None]
"""A step from the state that the row has now; None where it changes nothing."""


Gate = Callable[[AsyncConnection, Sequence[Row[Any]]], Awaitable[Mapping[str, Change]]]
"""Of deliveries whose provider is about to be called, what becomes of those that wait, by their ids.

It is asked in the transaction that claims them, while their rows are locked.
"""


@dataclass(frozen=True, slots=True)
class Request:
    """One step for one delivery. A receipt's row is kept whether it changes anything or not.

    `claims` marks a claim: where its step calls the provider, the gate is asked. With a `service_id` only
    that service's delivery is found; where it has none of that id, nothing is kept.
    """

    delivery_id: str
    apply: Apply
    receipt: dict[str, Any] | None = None
    claims: bool = False
    service_id: str | None = None


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


_CHANNELS = {each.value: each for each in Channel}
_STATUSES = {each.value: each for each in Status}


def state_of(row: Row[Any]) -> State:
    return State(
        id=row.id,
        notification_id=row.notification_id,
        service_id=row.service_id,
        credential_id=row.credential_id,
        channel=_CHANNELS[row.channel],
        template_id=row.template_id,
        status=_STATUSES[row.status],
        created_at=row.created_at,
        due_at=row.due_at,
        lease_until=row.lease_until,
        notify_id=row.notify_id,
        attempts=row.attempts,
        open_attempt=row.open_attempt,
        open_attempt_at=row.open_attempt_at,
        looks=row.looks,
        polls=row.polls,
        sent_at=row.sent_at,
        completed_at=row.completed_at,
        reason=row.reason,
        lane=Lane(row.lane),
        replayed_at=row.replayed_at,
        used_version=row.used_version,
    )


async def write_changes(
    conn: AsyncConnection, requests: Sequence[Request], *, queue: JobQueue, gate: Gate | None
) -> list[Done]:
    """Apply the requests in order, each to the state that those before it left.

    Without a `gate` nothing may be claimed.
    """
    locked = await store.lock_deliveries(
        conn,
        {each.delivery_id for each in requests},
        with_personal=any(each.claims for each in requests),
    )
    rows = {row.id: row for row in locked}
    before = {key: state_of(row) for key, row in rows.items()}
    calling = [rows[key] for key in sorted(_about_to_call(requests, before))]
    if calling and gate is None:
        raise AssertionError("what is claimed passes the gate")
    instead = await gate(conn, calling) if calling and gate is not None else {}
    states = dict(before)
    changes: list[Change | None] = []
    news: list[webhooks.Event] = []
    found = [_is_found(request, states) for request in requests]
    for request, is_there in zip(requests, found, strict=True):
        state = states[request.delivery_id] if is_there else None
        change = None if state is None else _apply(request, state, instead)
        if change is not None and state is not None:
            news += news_of(state, change.state)
            states[request.delivery_id] = change.state
        changes.append(change)
    changed = [state for key, state in states.items() if state != before[key]]
    batch = Batch(conn.dialect.name)
    store.add_states(batch, [_to_row(state) for state in changed])
    _add_attempts(batch, [change for change in changes if change is not None])
    store.add_receipts(batch, _receipts(requests, changes, found))
    webhooks.add(batch, news)
    queue.add(
        batch,
        [
            Job(state.id, state.due_at, state.lane)
            for state in changed
            if state.due_at is not None and state.lease_until is None
        ],
    )
    await batch.run(conn)
    return [
        _done(change, rows.get(request.delivery_id), is_found=is_there)
        for request, change, is_there in zip(requests, changes, found, strict=True)
    ]


def _is_found(request: Request, states: Mapping[str, State]) -> bool:
    state = states.get(request.delivery_id)
    return state is not None and request.service_id in (None, state.service_id)


def _about_to_call(requests: Sequence[Request], states: Mapping[str, State]) -> set[str]:
    """The deliveries for which a claim among the requests would call the provider."""
    return {
        request.delivery_id
        for request in requests
        if request.claims
        and (state := states.get(request.delivery_id)) is not None
        and (change := request.apply(state)) is not None
        and change.step in _CALLS
    }


def _apply(request: Request, state: State, instead: Mapping[str, Change]) -> Change | None:
    change = request.apply(state)
    if request.claims and change is not None and change.step in _CALLS:
        return instead.get(request.delivery_id, change)
    return change


def _to_row(state: State) -> dict[str, Any]:
    return {
        "id": state.id,
        "status": state.status.value,
        "due_at": state.due_at,
        "lease_until": state.lease_until,
        "notify_id": state.notify_id,
        "attempts": state.attempts,
        "open_attempt": state.open_attempt,
        "open_attempt_at": state.open_attempt_at,
        "looks": state.looks,
        "polls": state.polls,
        "sent_at": state.sent_at,
        "completed_at": state.completed_at,
        "reason": state.reason,
        "replayed_at": state.replayed_at,
        "used_version": state.used_version,
    }


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


def _receipts(
    requests: Sequence[Request], changes: Sequence[Change | None], found: Sequence[bool]
) -> list[dict[str, Any]]:
    return [
        request.receipt | {"applied": change is not None}
        for request, change, is_there in zip(requests, changes, found, strict=True)
        if request.receipt is not None and (is_there or request.service_id is None)
    ]


def _done(change: Change | None, row: Row[Any] | None, *, is_found: bool) -> Done:
    if row is None or change is None or change.step is not Step.SEND:
        return Done(change, found=is_found)
    return Done(change, row.personal, is_found, row.correlation_id)
