"""`postroom services`: who may call, and with which key they send."""

from typing import Annotated, Any

import msgspec
import typer

from postroom.cli import grants, keys, links, profiles, show
from postroom.cli.registered import registered, signed
from postroom.settings import Settings, read_settings

app = typer.Typer(help="The services that may call Postroom.", no_args_is_help=True)
app.add_typer(keys.app, name="key")
app.command("add")(profiles.add)
app.command("show")(profiles.show_service)
app.command("edit")(profiles.edit)
app.command("receipt-token")(profiles.receipt_token)
app.command("grant")(grants.grant_reading)
app.command("end-grant")(grants.end_reading)
app.command("links")(links.choose_hosts)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


@app.command("list")
def list_services(as_json: AsJson = False) -> None:
    """The registered services."""
    from postroom.run import run_async

    found = run_async(_list(read_settings()))
    if as_json:
        show.as_json(found)
        return
    rows = [
        [
            each["name"],
            each["environment"],
            "sends" if each["sends"] else "screens only",
            each["owner"],
            ", ".join(grant["service"] for grant in each["reads"]),
            "" if each["isActive"] else "switched off",
        ]
        for each in found
    ]
    show.table(["service", "environment", "sends", "owner", "reads", ""], rows)


Number = Annotated[int | None, typer.Option()]


@app.command()
def limits(
    name: profiles.Name,
    calls_a_minute: Annotated[int | None, typer.Option(help="Its calls to Postroom.")] = None,
    same_template_an_hour: Annotated[
        int | None, typer.Option(help="Messages of one template to one recipient; 0 sets no cap.")
    ] = None,
    notify_a_minute: Annotated[
        int | None, typer.Option(help="What its Notify takes from it, by each type of key.")
    ] = None,
    notify_emails_a_day: Number = None,
    notify_texts_a_day: Number = None,
    notify_international_texts_a_day: Number = None,
    notify_letters_a_day: Number = None,
    same_text_an_hour: Annotated[
        int | None, typer.Option(help="Texts of one content to one number; 0 sets no limit.")
    ] = None,
    texts_an_hour: Annotated[int | None, typer.Option(help="Texts to one number; 0 sets no limit.")] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Forget first what was chosen before.")] = False,
    as_json: AsJson = False,
) -> None:
    """Choose limits for one service. What is left out stays; what was never chosen is the deployment's."""
    from postroom.features.limits import ServiceLimits
    from postroom.run import run_async

    chosen = ServiceLimits(
        calls_a_minute=calls_a_minute,
        same_template_an_hour=same_template_an_hour,
        notify_a_minute=notify_a_minute,
        notify_emails_a_day=notify_emails_a_day,
        notify_texts_a_day=notify_texts_a_day,
        notify_international_texts_a_day=notify_international_texts_a_day,
        notify_letters_a_day=notify_letters_a_day,
        same_text_an_hour=same_text_an_hour,
        texts_an_hour=texts_an_hour,
    )
    now_chosen = run_async(_limits(read_settings(), name, chosen, reset=reset))
    if as_json:
        show.as_json({"service": name, "limits": now_chosen})
        return
    for limit, number in now_chosen.items():
        show.line(f"{limit:<32} {number}")
    if not now_chosen:
        show.line(f"Nothing is chosen for {name} alone: the deployment's limits hold.")


@app.command()
def trust(
    name: profiles.Name,
    params: Annotated[
        list[str] | None, typer.Argument(help="Names of values that may make links in its emails.")
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="Trust none from now on.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say which values are always trusted in a service's emails; they replace those of before."""
    from postroom.run import run_async

    if none == bool(params):
        raise typer.BadParameter("Name the values, or give --none.")
    trusted = run_async(_trust(read_settings(), name, params or []))
    if as_json:
        show.as_json({"service": name, "trustedParams": trusted})
    elif trusted:
        show.line(f"Trusted in every email of {name}: {', '.join(trusted)}")
    else:
        show.line(f"No value is trusted in every email of {name}; a request may still name some.")


async def _list(settings: Settings) -> list[dict[str, Any]]:
    from postroom.app import running_app
    from postroom.features.services import find_profiles, grants_to

    async with running_app(settings) as postroom, postroom.database.reading() as conn:
        return [
            {
                "name": each.name,
                "owner": each.owner,
                "environment": each.environment,
                "isActive": each.off_at is None,
                "sends": each.notify_key is not None,
                "defaultGroup": each.default_group,
                "limits": msgspec.to_builtins(each.limits),
                "reads": [
                    {"service": grant.owner, "withPersonalData": grant.with_personal_data}
                    for grant in await grants_to(conn, each.id)
                ],
                "trustedParams": list(each.trusted_params),
                "allowedLinkHosts": list(each.link_hosts),
            }
            for each in await find_profiles(conn, vault=postroom.vault)
        ]


async def _limits(settings: Settings, name: str, chosen: Any, *, reset: bool) -> dict[str, int]:
    from postroom.app import running_app
    from postroom.features.services import set_limits

    async with running_app(settings) as postroom:
        service = await registered(postroom, name)
        if not reset:
            chosen = service.limits.changed(chosen)
        async with postroom.database.transaction() as conn:
            await set_limits(conn, service_id=service.id, limits=chosen, by=signed(postroom))
    found: dict[str, int] = msgspec.to_builtins(chosen)
    return found


async def _trust(settings: Settings, name: str, params: list[str]) -> list[str]:
    from postroom.app import running_app
    from postroom.features.services import set_trusted_params

    async with running_app(settings) as postroom:
        service = await registered(postroom, name)
        async with postroom.database.transaction() as conn:
            await set_trusted_params(conn, service_id=service.id, names=params, by=signed(postroom))
    return list(dict.fromkeys(params))
