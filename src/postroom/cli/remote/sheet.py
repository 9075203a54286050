"""`postroom send --csv`: checked or sent, with progress, and what became of each row written down."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer

from postroom.cli import show
from postroom.cli.failure import CANNOT, REFUSED, CannotGoOn
from postroom.cli.remote.api import calling, run
from postroom.cli.remote.batches import Outcome, Progress, check_rows, send_rows
from postroom.cli.remote.record import Record
from postroom.cli.remote.results import write_results
from postroom.cli.remote.rows import BadSheet, Fault, Row, Sheet, read_sheet
from postroom.kit.clock import utc_now

_MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Job:
    """What is sent from where, and where what became of it is kept. `given` holds for every row."""

    csv: Path
    results: Path
    record: Path | None
    given: Mapping[str, Any] = field(repr=False)
    columns: Mapping[str, str]
    may_send_twice: bool


def send_sheet(job: Job, url: str, key_file: Path | None, *, check: bool, as_json: bool) -> None:
    """Do it. What became of each row is written down also where this is interrupted."""
    try:
        sheet = read_sheet(_content(job.csv), given=job.given, chosen=job.columns)
    except BadSheet as bad:
        _show_faults(bad.faults, as_json=as_json, rows=None)
        raise typer.Exit(CANNOT) from None
    if not sheet.rows:
        raise CannotGoOn(f"{job.csv} has no rows below its first line")
    if check:
        faults = run(_check(sheet, url, key_file))
        _show_faults(faults, as_json=as_json, rows=len(sheet.rows))
        raise typer.Exit(REFUSED if faults else 0)
    outcome = Outcome()
    try:
        run(_send(job, sheet, outcome, url, key_file))
    except CannotGoOn as error:
        write_results(job.results, sheet, outcome)
        left = len(sheet.rows) - len(outcome.told)
        text = f"{error} ({outcome.accepted} accepted, {left} not sent; the same command again goes on)"
        raise CannotGoOn(text, code=error.code) from None
    write_results(job.results, sheet, outcome)
    _show_outcome(job, sheet, outcome, as_json=as_json)
    raise typer.Exit(REFUSED if outcome.faults else 0)


async def _check(sheet: Sheet, url: str, key_file: Path | None) -> list[Fault]:
    async with calling(url, key_file) as api:
        named = await _named(api, sheet)
        with _progress("Checking", len(named.rows)) as progress:
            return await check_rows(api, named, progress=progress)


async def _send(job: Job, sheet: Sheet, outcome: Outcome, url: str, key_file: Path | None) -> None:
    record = Record(job.record)
    record.open()
    try:
        async with calling(url, key_file) as api:
            named = await _named(api, sheet)
            with _progress("Sending", len(named.rows)) as progress:
                await send_rows(
                    api,
                    named,
                    record,
                    outcome,
                    now=utc_now,
                    may_send_twice=job.may_send_twice,
                    progress=progress,
                )
    finally:
        record.close()


async def _named(api: Any, sheet: Sheet) -> Sheet:
    """With the service whose key this is, in rows that are for no screen. Their marks stay."""
    if all("serviceKey" in row.body or row.body.get("notificationType") == "Screen" for row in sheet.rows):
        return sheet
    name = await api.own_name()
    rows = tuple(Row(row.line, {"serviceKey": name} | dict(row.body), row.mark) for row in sheet.rows)
    return Sheet(rows, sheet.columns)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise CannotGoOn(f"{path} cannot be read") from None


@contextmanager
def _progress(doing: str, total: int) -> Iterator[Progress]:
    """A bar on a terminal; elsewhere nothing, so that a log is not filled with it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        task = bars.add_task(doing, total=total)
        yield lambda done: bars.advance(task, done)


def _show_faults(faults: Sequence[Fault], *, as_json: bool, rows: int | None) -> None:
    if as_json:
        show.as_json({"rows": rows, "sent": 0, "problems": [fault._asdict() for fault in faults]})
        return
    _show_table(faults)
    if rows is not None and not faults:
        show.line(f"All {rows:,} rows would be accepted. Nothing was sent.")
    elif rows is not None:
        at_fault = len({fault.line for fault in faults})
        show.line(f"{at_fault:,} of {rows:,} rows would be refused. Nothing was sent.")
    else:
        show.line("Nothing was sent.")


def _show_outcome(job: Job, sheet: Sheet, outcome: Outcome, *, as_json: bool) -> None:
    rows, new = len(sheet.rows), outcome.accepted - outcome.before
    refused = rows - outcome.accepted
    if as_json:
        show.as_json(
            {
                "rows": rows,
                "accepted": new,
                "acceptedBefore": outcome.before,
                "refused": refused,
                "results": str(job.results),
                "problems": [fault._asdict() for fault in outcome.faults],
            }
        )
        return
    _show_table(outcome.faults)
    before = f" {outcome.before:,} were accepted before." if outcome.before else ""
    show.line(f"{new:,} accepted, {refused:,} refused.{before} See {job.results}")
    if outcome.before == rows:
        show.line(f"To send all of it once more, remove {job.record}")


def _show_table(faults: Sequence[Fault]) -> None:
    if faults:
        show.table(["line", "column", "what is wrong"], [list(fault) for fault in faults[:_MOST_SHOWN]])
    if len(faults) > _MOST_SHOWN:
        show.line(f"and {len(faults) - _MOST_SHOWN:,} more")
