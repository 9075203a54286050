"""`postroom services grant` and `end-grant`: which service may read another's notifications."""

from typing import Annotated

import typer

from postroom.cli import show
from postroom.cli.completion import complete_service
from postroom.cli.registered import registered, signed
from postroom.domain.errors import NotFound
from postroom.settings import Settings, read_settings

Reader = Annotated[str, typer.Argument(help="The service that may read.", autocompletion=complete_service)]
Owner = Annotated[
    str,
    typer.Argument(help="The service whose notifications it reads.", autocompletion=complete_service),
]

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


def grant_reading(
    reader: Reader,
    owner: Owner,
    with_personal_data: Annotated[
        bool, typer.Option("--with-personal-data", help="Numbers, addresses and texts are not masked.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Let one service read another's notifications, and change nothing of them."""
    from postroom.run import run_async

    run_async(_grant(read_settings(), reader, owner, with_personal_data=with_personal_data))
    if as_json:
        show.as_json({"reader": reader, "owner": owner, "withPersonalData": with_personal_data})
        return
    seen = "with personal data" if with_personal_data else "with personal data masked"
    show.line(f"{reader} may read the notifications of {owner}, {seen}.")


def end_reading(reader: Reader, owner: Owner, as_json: AsJson = False) -> None:
    """Take that leave back. It ends within five seconds."""
    from postroom.run import run_async

    run_async(_end_grant(read_settings(), reader, owner))
    if as_json:
        show.as_json({"reader": reader, "owner": owner, "ended": True})
        return
    show.line(f"{reader} may not read the notifications of {owner} any more.")


async def _grant(settings: Settings, reader: str, owner: str, *, with_personal_data: bool) -> None:
    from postroom.app import running_app
    from postroom.features.services import grant

    async with running_app(settings) as postroom:
        reads, owns = await registered(postroom, reader), await registered(postroom, owner)
        async with postroom.database.transaction() as conn:
            await grant(
                conn,
                reader_id=reads.id,
                owner_id=owns.id,
                with_personal_data=with_personal_data,
                now=postroom.clock(),
                by=signed(postroom),
            )


async def _end_grant(settings: Settings, reader: str, owner: str) -> None:
    from postroom.app import running_app
    from postroom.features.services import end_grant

    async with running_app(settings) as postroom:
        reads, owns = await registered(postroom, reader), await registered(postroom, owner)
        async with postroom.database.transaction() as conn:
            if not await end_grant(conn, reader_id=reads.id, owner_id=owns.id, by=signed(postroom)):
                raise NotFound(f"{reader} may not read the notifications of {owner} anyway.")
