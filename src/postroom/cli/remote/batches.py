"""Sending rows in batches: each with a key of its own that makes it count once, however often it leaves."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from postroom.cli.failure import CannotGoOn
from postroom.cli.remote.api import Answer, Api, Unreachable
from postroom.cli.remote.record import Begun, Record
from postroom.cli.remote.rows import Fault, Row, Sheet

BATCH = 200
KEYS_ARE_KEPT = timedelta(hours=23)
"""Postroom remembers a batch for 24 hours, unless it was told otherwise: beyond that it would count anew."""

_TRIES = 8
_LONGEST_WAIT = 30.0
_AGAIN = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.CONFLICT)
Sleep = Callable[[float], Awaitable[None]]
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of a row: that it was accepted, with the notification's id, or what is wrong with it."""

    row: Row
    notification_id: str | None = None
    faults: tuple[Fault, ...] = ()


@dataclass(slots=True)
class Outcome:
    """What became of each row, by its mark. `before` were accepted by an earlier run."""

    told: dict[str, Told] = field(default_factory=dict)
    before: int = 0

    @property
    def accepted(self) -> int:
        return sum(each.notification_id is not None for each in self.told.values())

    @property
    def faults(self) -> list[Fault]:
        return sorted(fault for each in self.told.values() for fault in each.faults)


async def check_rows(
    api: Api, sheet: Sheet, *, progress: Progress, sleep: Sleep = asyncio.sleep
) -> list[Fault]:
    """What would be refused. Nothing is kept or sent."""
    faults: list[Fault] = []
    for rows in _cut(sheet.rows):
        answer = await _answered(api, rows, {}, {"validateOnly": "true"}, sleep=sleep)
        for row, result in zip(rows, answer.body, strict=True):
            faults += _faults(sheet, row, result)
        progress(len(rows))
    return sorted(faults)


async def send_rows(
    api: Api,
    sheet: Sheet,
    record: Record,
    outcome: Outcome,
    *,
    now: Callable[[], datetime],
    may_send_twice: bool,
    progress: Progress,
    sleep: Sleep = asyncio.sleep,
) -> None:
    """Send what was not accepted before. `outcome` is right at any moment, also where this is interrupted."""
    by_mark = {row.mark: row for row in sheet.rows}
    for row in sheet.rows:
        if row.mark in record.accepted:
            outcome.told[row.mark] = Told(row, record.accepted[row.mark])
    outcome.before = len(outcome.told)
    progress(outcome.before)
    unsure = _unsure(record, by_mark, now())
    if unsure and not may_send_twice:
        raise CannotGoOn(_words(unsure, by_mark))
    for begun in unsure:
        record.end(begun.key, {})
    waiting = {mark for begun in record.begun.values() for mark in begun.marks}
    batches: list[tuple[str, Sequence[Row]]] = [
        (key, [by_mark[mark] for mark in begun.marks]) for key, begun in record.begun.items()
    ]
    left = [row for row in sheet.rows if row.mark not in outcome.told and row.mark not in waiting]
    batches += [(_key(rows), rows) for rows in _cut(left)]
    for key, rows in batches:
        if key not in record.begun:
            record.begin(key, [row.mark for row in rows], now=now())
        for told in await _send(api, sheet, rows, key, record, sleep=sleep):
            outcome.told[told.row.mark] = told
        progress(len(rows))


def _unsure(record: Record, by_mark: Mapping[str, Row], now: datetime) -> list[Begun]:
    """Batches that left, were not answered, and cannot be sent again as they were."""
    return [
        begun
        for begun in record.begun.values()
        if now - begun.at > KEYS_ARE_KEPT or any(mark not in by_mark for mark in begun.marks)
    ]


def _words(unsure: Sequence[Begun], by_mark: Mapping[str, Row]) -> str:
    marks = [mark for begun in unsure for mark in begun.marks]
    lines = sorted(by_mark[mark].line for mark in marks if mark in by_mark)
    where = f"lines {lines[0]} to {lines[-1]}" if lines else "rows that are not in the file any more"
    return (
        f"{len(marks)} rows ({where}) may have been sent when this was interrupted, and have changed or are "
        "more than a day old: look for them with `postroom status`, and send again with --may-send-twice"
    )


async def _send(
    api: Api, sheet: Sheet, rows: Sequence[Row], key: str, record: Record, *, sleep: Sleep
) -> list[Told]:
    """What became of each row, once that is known of all of them."""
    for attempt in range(_TRIES):
        answer = await _answered(api, rows, {"Idempotency-Key": key}, {}, sleep=sleep)
        if all(_is_definite(result["status"]) for result in answer.body):
            break
        await sleep(_wait(attempt, answer))
    else:
        raise CannotGoOn("Postroom is too busy to take them all: run the same command again in a while")
    told = [_told(sheet, row, result) for row, result in zip(rows, answer.body, strict=True)]
    ids = {each.row.mark: each.notification_id for each in told}
    record.end(key, {mark: made for mark, made in ids.items() if made is not None})
    return told


async def _answered(
    api: Api, rows: Sequence[Row], headers: Mapping[str, str], params: Mapping[str, str], *, sleep: Sleep
) -> Answer:
    """The answer to the batch as a whole, asked for again while Postroom is busy or does not answer."""
    bodies = [dict(row.body) for row in rows]
    for attempt in range(_TRIES):
        try:
            answer = await api.try_to(
                "POST", "/notifications/bulk", body=bodies, headers=headers, params=params
            )
        except Unreachable:
            if attempt == _TRIES - 1:
                raise
            await sleep(_wait(attempt, None))
            continue
        if answer.status == HTTPStatus.MULTI_STATUS:
            return answer
        if answer.status < HTTPStatus.INTERNAL_SERVER_ERROR and answer.status not in _AGAIN:
            break
        await sleep(_wait(attempt, answer))
    return await api.ask("POST", "/notifications/bulk", body=bodies, headers=headers, params=params)


def _is_definite(status: int) -> bool:
    return status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in _AGAIN


def _wait(attempt: int, answer: Answer | None) -> float:
    asked = None if answer is None else answer.retry_after
    return min(asked if asked is not None else 0.5 * 2**attempt, _LONGEST_WAIT)


def _told(sheet: Sheet, row: Row, result: Mapping[str, Any]) -> Told:
    if result["status"] == HTTPStatus.CREATED:
        return Told(row, str(result["notification"]["id"]))
    return Told(row, faults=tuple(_faults(sheet, row, result)))


def _faults(sheet: Sheet, row: Row, result: Mapping[str, Any]) -> list[Fault]:
    problem = result.get("problem")
    if problem is None:
        return []
    errors = problem.get("errors") or [{"field": None, "message": problem["detail"]}]
    return [Fault(row.line, _column(sheet, error["field"]), str(error["message"])) for error in errors]


def _column(sheet: Sheet, named: str | None) -> str | None:
    """The column of the file, or the field that the file does not have."""
    return None if named is None else sheet.column_of(named) or named


def _cut(rows: Sequence[Row]) -> list[Sequence[Row]]:
    return [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]


def _key(rows: Sequence[Row]) -> str:
    """Drawn from the rows: the same batch again has the same key, also where no record was kept."""
    return "csv-" + hashlib.sha256(" ".join(row.mark for row in rows).encode()).hexdigest()
