"""A CSV is sent once, however often it is interrupted: rows, records and keys over a service that fails."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from postroom.cli.failure import CannotGoOn
from postroom.cli.remote.api import Answer, Unreachable
from postroom.cli.remote.batches import BATCH, Outcome, check_rows, send_rows
from postroom.cli.remote.record import Record
from postroom.cli.remote.rows import Sheet, read_sheet

NOW = datetime(2026, 11, 12, 9, 0, tzinfo=UTC)
ROWS = 2 * BATCH + 50
FATES = ("well", "lost before", "lost after", "busy", "some busy", "killed before", "killed after")


class Killed(BaseException):
    """What `kill -9` does."""


class Service:
    """Postroom as a sender meets it: a batch with a key counts once, and each of its rows by itself."""

    def __init__(self, fates: Iterator[str]) -> None:
        self.accepted: Counter[str] = Counter()
        self._fates = fates
        self._batches: dict[str, str] = {}
        self._made: dict[tuple[str, int], str] = {}

    async def try_to(self, _: str, __: str, *, body: Any, headers: Any, params: Any) -> Answer:
        fate = next(self._fates, "well")
        if fate in ("lost before", "killed before"):
            raise Unreachable("lost") if fate == "lost before" else Killed
        if fate == "busy":
            return Answer(503, {"retry-after": "1"}, {"detail": "busy"})
        checks = "validateOnly" in params
        results = [
            self._take(i, row, headers.get("Idempotency-Key"), body, fate, checks)
            for i, row in enumerate(body)
        ]
        if fate in ("lost after", "killed after"):
            raise Unreachable("lost") if fate == "lost after" else Killed
        return Answer(207, {}, results)

    async def ask(self, method: str, path: str, **how: Any) -> Answer:
        answer = await self.try_to(method, path, **how)
        if answer.status >= 400:
            raise CannotGoOn(answer.body["detail"])
        return answer

    def _take(self, index: int, row: Any, key: str, body: Any, fate: str, checks: bool) -> dict[str, Any]:
        if row["email"].startswith("wrong"):
            errors = [{"field": "email", "message": "Not a valid email address."}]
            return {"index": index, "status": 400, "problem": {"detail": "1", "errors": errors}}
        if checks:
            return {"index": index, "status": 200}
        assert self._batches.setdefault(key, json.dumps(body)) == json.dumps(body), (
            "the key came with another"
        )
        if fate == "some busy" and index % 3 == 0:
            return {"index": index, "status": 503, "problem": {"detail": "busy"}}
        if (key, index) not in self._made:
            self._made[key, index] = f"id-{len(self._made)}"
            self.accepted[row["email"]] += 1
        return {"index": index, "status": 201, "notification": {"id": self._made[key, index]}}


def sheet_of(emails: list[str]) -> Sheet:
    return read_sheet("\n".join(["email", *emails, ""]).encode(), given={}, chosen={})


EMAILS = [f"joe{number}@example.com" if number % 97 else f"wrong{number}" for number in range(ROWS)]


async def send(
    service: Service, sheet: Sheet, path: Path | None, *, now: datetime = NOW, twice: bool = False
) -> Outcome:
    record, outcome = Record(path), Outcome()
    record.open()

    async def at_once(_: float) -> None:
        return

    try:
        await send_rows(
            service,  # type: ignore[arg-type]
            sheet,
            record,
            outcome,
            now=lambda: now,
            may_send_twice=twice,
            progress=lambda _: None,
            sleep=at_once,
        )
    finally:
        record.close()
    return outcome


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fates=st.lists(st.sampled_from(FATES), max_size=25), keeps=st.booleans())
async def test_every_right_row_is_accepted_once_whatever_happens(
    fates: list[str], keeps: bool, tmp_path: Path
) -> None:
    path = tmp_path / f"record-{uuid4()}" if keeps else None
    service, sheet = Service(iter(fates)), sheet_of(EMAILS)
    for _ in range(len(fates) + 1):
        try:
            outcome = await send(service, sheet, path)
        except (Killed, CannotGoOn):
            continue
        break
    else:
        pytest.fail("it never ended")

    right = [email for email in EMAILS if not email.startswith("wrong")]
    assert service.accepted == Counter(right)
    assert outcome.accepted == len(right)
    assert [fault.line for fault in outcome.faults] == [
        line for line, email in enumerate(EMAILS, start=2) if email.startswith("wrong")
    ]
    assert {each.column for each in outcome.faults} == {"email"}


async def test_a_row_that_was_mended_goes_out_and_the_others_do_not_again(tmp_path: Path) -> None:
    service = Service(iter(()))
    await send(service, sheet_of(EMAILS), tmp_path / "record")
    mended = [
        email.replace("wrong", "kim@example.com.") if email.startswith("wrong") else email for email in EMAILS
    ]
    outcome = await send(service, sheet_of([*reversed(mended), "new@example.com"]), tmp_path / "record")

    assert service.accepted == Counter([*mended, "new@example.com"])
    assert outcome.before == len([email for email in EMAILS if not email.startswith("wrong")])


@pytest.mark.parametrize("reason", ["a day later", "changed"])
async def test_what_may_have_been_sent_is_sent_again_only_where_that_is_said(
    reason: str, tmp_path: Path
) -> None:
    path, service = tmp_path / "record", Service(iter(["killed after"]))
    with pytest.raises(Killed):
        await send(service, sheet_of(EMAILS[1:50]), path)
    later = NOW + timedelta(hours=25) if reason == "a day later" else NOW
    again = sheet_of(EMAILS[1:50] if reason == "a day later" else EMAILS[2:50])

    with pytest.raises(CannotGoOn, match="--may-send-twice"):
        await send(service, again, path, now=later)
    outcome = await send(service, again, path, now=later, twice=True)
    assert outcome.accepted == len(again.rows)
    assert (await send(service, again, path, now=later)).before == len(again.rows)


async def test_two_at_once_on_one_file_are_kept_apart(tmp_path: Path) -> None:
    first, second = Record(tmp_path / "record"), Record(tmp_path / "record")
    first.open()
    with pytest.raises(CannotGoOn, match="another"):
        second.open()
    first.close()


async def test_a_record_whose_last_line_was_cut_is_read(tmp_path: Path) -> None:
    path, service = tmp_path / "record", Service(iter(()))
    sheet = sheet_of(EMAILS[1:50])
    await send(service, sheet, path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    outcome = await send(service, sheet, path)

    assert (outcome.before, outcome.accepted) == (0, len(sheet.rows))
    assert set(service.accepted.values()) == {1}
    assert (await send(service, sheet, path)).before == len(sheet.rows)


async def test_the_record_says_nothing_of_people(tmp_path: Path) -> None:
    await send(Service(iter(["lost after"])), sheet_of(EMAILS[1:50]), tmp_path / "record")
    kept = (tmp_path / "record").read_text()
    assert ("joe" in kept, "example" in kept, "id-0" in kept) == (False, False, True)


async def test_a_check_names_rows_and_keeps_nothing() -> None:
    service = Service(iter(["busy"]))

    async def at_once(_: float) -> None:
        return

    faults = await check_rows(service, sheet_of(EMAILS), progress=lambda _: None, sleep=at_once)  # type: ignore[arg-type]
    assert [fault.line for fault in faults] == [
        line for line, email in enumerate(EMAILS, start=2) if email.startswith("wrong")
    ]
    assert service.accepted == Counter()
