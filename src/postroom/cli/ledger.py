"""`postroom ledger`: where all that was accepted stands."""

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import typer

from postroom.cli import show
from postroom.settings import Settings, read_settings


def ledger(
    since: Annotated[
        datetime | None, typer.Option(help="Only what was accepted since, in UTC; else all that is kept.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Count what was accepted, and show where all of it stands; exit code 1 where some is unaccounted for."""
    from postroom.run import run_async

    moment = None if since is None else since.replace(tzinfo=UTC)
    book = run_async(_take_stock(read_settings(), moment))
    if as_json:
        show.as_json(msgspec.to_builtins(book))
    else:
        _show(book)
    if book.unaccounted.total:
        raise typer.Exit(1)


def _show(book: Any) -> None:
    rows = [
        ["accepted", book.accepted, "notifications"],
        ["", book.on_screen_only, "of them on screens only"],
        ["deliveries", book.deliveries, ""],
        *(["ended", number, status] for status, number in sorted(book.ended.items())),
        *(["next step", number, step] for step, number in book.open.steps.items()),
        ["overdue", book.open.overdue, "of these steps: no worker runs, or they cannot keep up"],
        ["unaccounted", book.unaccounted.total, "must be 0"],
    ]
    show.table(["", "number", ""], rows)


async def _take_stock(settings: Settings, since: datetime | None) -> Any:
    from postroom.app import running_app
    from postroom.features.notifications.ledger import take_stock

    async with running_app(settings) as postroom, postroom.database.reading() as conn:
        return await take_stock(conn, now=postroom.clock(), since=since)
