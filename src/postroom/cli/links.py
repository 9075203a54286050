"""`postroom services links`: where a service's follow-on links may lead."""

from typing import Annotated

import typer

from postroom.cli import show
from postroom.cli.completion import complete_service
from postroom.cli.registered import registered, signed
from postroom.settings import Settings, read_settings


def choose_hosts(
    name: Annotated[str, typer.Argument(help="The service's name.", autocompletion=complete_service)],
    hosts: Annotated[
        list[str] | None, typer.Argument(help="forms.hackney.gov.uk, or *.hackney.gov.uk for all below it.")
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="Allow none from now on.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Say to which hosts a service's follow-on links may lead; they replace those of before."""
    from postroom.run import run_async

    if none == bool(hosts):
        raise typer.BadParameter("Name the hosts, or give --none.")
    allowed = run_async(_choose(read_settings(), name, hosts or []))
    if as_json:
        show.as_json({"service": name, "allowedLinkHosts": allowed})
    elif allowed:
        show.line(f"Follow-on links of {name} may lead to {', '.join(allowed)}")
    else:
        show.line(f"Follow-on links of {name} may lead nowhere.")


async def _choose(settings: Settings, name: str, hosts: list[str]) -> list[str]:
    from postroom.app import running_app
    from postroom.features.services import set_link_hosts

    async with running_app(settings) as postroom:
        service = await registered(postroom, name)
        async with postroom.database.transaction() as conn:
            return list(await set_link_hosts(conn, service_id=service.id, hosts=hosts, by=signed(postroom)))
