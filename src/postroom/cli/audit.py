"""`postroom audit`: whether the record is whole, and the record itself for whoever has to see it."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from postroom.cli import show
from postroom.domain.errors import FieldError, Invalid
from postroom.kit.ids import is_id
from postroom.settings import Settings, read_settings

app = typer.Typer(help="The lasting record of who did what, when.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
_MOST_SHOWN = 50
_AT_ONCE = 500


@app.command()
def verify(
    head: Annotated[
        str | None, typer.Option(help="A head that this command printed before: number:hash.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Look whether an entry was changed, removed, added or swapped since; exit code 1 where one was."""
    from postroom.run import run_async

    report = run_async(_verify(read_settings(), _read_head(head)))
    if as_json:
        show.as_json(_described(report))
    else:
        _show(report)
    if not report.is_whole:
        raise typer.Exit(1)


@app.command()
def export(
    target: Annotated[str | None, typer.Option(help="About the notifications of a target.")] = None,
    user: Annotated[str | None, typer.Option(help="By who did it: an email address.")] = None,
    service: Annotated[str | None, typer.Option(help="Of one service, by its name.")] = None,
    notification: Annotated[str | None, typer.Option(help="About one notification, by its id.")] = None,
    since: Annotated[datetime | None, typer.Option("--from", help="Not before this, in UTC.")] = None,
    until: Annotated[datetime | None, typer.Option("--to", help="Before this, in UTC.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a line, not CSV.")] = False,
    out: Annotated[Path | None, typer.Option(help="A file to write, readable by you alone.")] = None,
) -> None:
    """Write entries as CSV, the newest first, with who did it and from where."""
    from postroom.features.notifications.trail import TrailQuery
    from postroom.run import run_async

    if notification is not None and not is_id(notification):
        raise Invalid([FieldError("notification", "Use the id of a notification.")])
    query = TrailQuery(
        notification_id=None if notification is None else notification.lower(),
        target_id=target,
        user=user,
        service=service,
        since=None if since is None else since.replace(tzinfo=UTC),
        until=None if until is None else until.replace(tzinfo=UTC),
        limit=_AT_ONCE,
    )
    with _opened(out) as written:
        run_async(_export(read_settings(), query, written, as_json=as_json))


def _opened(out: Path | None) -> Any:
    if out is None:
        return open(sys.stdout.fileno(), "w", encoding="utf-8", newline="", closefd=False)
    out.touch(mode=0o600)
    return out.open("w", encoding="utf-8", newline="")


def _read_head(text: str | None) -> Any:
    from postroom.features.audit.report import Head

    if text is None:
        return None
    try:
        return Head.of(text)
    except ValueError:
        raise Invalid([FieldError("head", "Use a head as this command prints it, number:hash.")]) from None


def _described(report: Any) -> dict[str, Any]:
    return {
        "isWhole": report.is_whole,
        "entries": report.entries,
        "seals": report.seals,
        "unsealed": report.unsealed,
        "valuesGivenUp": report.values_given_up,
        "head": report.head,
        "findings": [
            {"fault": each.fault.value, "entryId": each.entry_id, "seal": each.seal, "what": each.what}
            for each in report.findings
        ],
    }


def _show(report: Any) -> None:
    show.line(
        f"{report.entries} entries in {report.seals} seals were looked at; {report.unsealed} are not sealed "
        f"yet. {report.values_given_up} personal values were given up."
    )
    for each in report.findings[:_MOST_SHOWN]:
        place = f"seal {each.seal}" if each.entry_id is None else f"entry {each.entry_id} in seal {each.seal}"
        show.line(f"{each.fault.upper()}  {place}: {each.what}")
    if len(report.findings) > _MOST_SHOWN:
        show.line(f"… and {len(report.findings) - _MOST_SHOWN} more: --json shows them all.")
    if report.is_whole:
        show.line("Nothing was changed, removed, added or swapped.")
    if report.head is not None:
        show.line(f"Head, to be kept elsewhere for --head: {report.head}")


async def _verify(settings: Settings, head: Any) -> Any:
    from postroom.app import running_app
    from postroom.features.audit.verify import verify as look

    async with running_app(settings) as postroom:
        return await look(postroom.database, vault=postroom.vault, head=head)


async def _export(settings: Settings, query: Any, written: Any, *, as_json: bool) -> None:
    from dataclasses import replace

    import msgspec

    from postroom.app import running_app
    from postroom.features.notifications.trail import every_service, find_trail, names_of
    from postroom.interfaces.api.audit import COLUMNS, as_row, to_item
    from postroom.kit.csv_text import csv_text

    if not as_json:
        written.write(csv_text([COLUMNS]))
    async with running_app(settings) as postroom:
        scope = await every_service(query, directory=postroom.directory)
        while True:
            async with postroom.database.reading() as conn:
                page = await find_trail(conn, query, scope, in_full=True, vault=postroom.vault)
            names = await names_of(page.items, directory=postroom.directory)
            items = [to_item(each, names) for each in page.items]
            if as_json:
                written.writelines(f"{msgspec.json.encode(each).decode()}\n" for each in items)
            else:
                written.write(csv_text(map(as_row, items)))
            if page.next_before is None:
                return
            query = replace(query, before=page.next_before)
