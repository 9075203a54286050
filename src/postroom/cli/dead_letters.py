"""`postroom dead-letters`: what was given up or needs a decision, and taking it up again."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from postroom.cli import show
from postroom.cli.completion import complete_service
from postroom.cli.registered import registered
from postroom.domain.channel import channel_named
from postroom.domain.errors import FieldError, Invalid, NotFound
from postroom.kit.ids import is_id
from postroom.settings import Settings, read_settings

if TYPE_CHECKING:
    from postroom.app import App

app = typer.Typer(
    help="Deliveries that were given up, or of which somebody has to decide.", no_args_is_help=True
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
Service = Annotated[
    str | None,
    typer.Option(help="Of one service, by its name.", autocompletion=complete_service),
]
Channel = Annotated[str | None, typer.Option(help="Email, Text or Letter.")]
Template = Annotated[str | None, typer.Option(help="Of one template, by its id.")]
Reference = Annotated[str | None, typer.Option(help="The service's own reference.")]
Cause = Annotated[str | None, typer.Option(help="given-up, may-have-been-sent or taken.")]
DiedFrom = Annotated[datetime | None, typer.Option(help="Given up then or later, in UTC.")]
DiedTo = Annotated[datetime | None, typer.Option(help="Given up before, in UTC.")]


@app.command("list")
def list_dead(
    service: Service = None,
    channel: Channel = None,
    template: Template = None,
    reference: Reference = None,
    cause: Cause = None,
    died_from: DiedFrom = None,
    died_to: DiedTo = None,
    most: Annotated[int, typer.Option(help="How many are shown.", min=1, max=10_000)] = 50,
    as_json: AsJson = False,
) -> None:
    """Those that there are, newest first."""
    from postroom.run import run_async

    chosen = _chosen(channel, template, reference, cause, died_from, died_to) | {"limit": most}
    found = run_async(_list(read_settings(), service, chosen))
    if as_json:
        show.as_json(found)
        return
    rows = [
        [each["id"], each["diedAt"], each["channel"], each["cause"], len(each["attempts"]), each["reason"]]
        for each in found
    ]
    show.table(["delivery", "died", "channel", "cause", "tries", "reason"], rows)
    show.line(f"{len(found)} shown. `postroom dead-letters show DELIVERY` explains one.")


@app.command("show")
def show_dead(
    delivery: Annotated[str, typer.Argument(help="The delivery's id.")], as_json: AsJson = False
) -> None:
    """One of them, with every try and what a replay would do."""
    from postroom.run import run_async

    found = run_async(_list(read_settings(), None, {"delivery_id": _checked(delivery)}))
    if not found:
        raise NotFound("There is no such dead letter: `postroom dead-letters list` shows them all.")
    (one,) = found
    if as_json:
        show.as_json(one)
        return
    show.line(f"{one['channel']} {one['id']} of notification {one['notificationId']}")
    show.line(f"accepted {one['createdAt']}, dead since {one['diedAt']}: {one['reason']}")
    show.line(one["explanation"])
    tries = [
        [each["number"], each["startedAt"], each["endedAt"], each["outcome"], each["reason"]]
        for each in one["attempts"]
    ]
    show.table(["try", "began", "ended", "outcome", "reason"], tries)


@app.command()
def replay(
    delivery: Annotated[str | None, typer.Argument(help="One of them; or choose by options.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All that there are.")] = False,
    service: Service = None,
    channel: Channel = None,
    template: Template = None,
    reference: Reference = None,
    cause: Cause = None,
    died_from: DiedFrom = None,
    died_to: DiedTo = None,
    may_send_twice: Annotated[
        bool, typer.Option("--may-send-twice", help="Take up also what may have been sent.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take them up again: one, or all that the options choose."""
    from postroom.run import run_async

    chosen = _chosen(channel, template, reference, cause, died_from, died_to)
    if delivery is not None:
        chosen["delivery_id"] = _checked(delivery)
    if not chosen and service is None and not every:
        raise Invalid([FieldError("delivery", "Name one, choose by options, or give --all.")])
    replayed = run_async(_replay(read_settings(), service, chosen, may_send_twice=may_send_twice))
    if as_json:
        show.as_json({"replayed": replayed})
    else:
        show.line(f"{replayed} taken up again.")
    if delivery is not None and not replayed:
        raise typer.Exit(1)


def _chosen(
    channel: str | None,
    template: str | None,
    reference: str | None,
    cause: str | None,
    died_from: datetime | None,
    died_to: datetime | None,
) -> dict[str, Any]:
    """What is chosen, in the words of the filters; Invalid with all that cannot be."""
    from postroom.features.notifications.dead_letters import Cause as Causes

    faults = []
    if channel is not None and channel_named(channel) is None:
        faults.append(FieldError("channel", "Use Email, Text or Letter."))
    if cause is not None and cause not in set(Causes):
        faults.append(FieldError("cause", f"Use one of {', '.join(Causes)}."))
    if template is not None and not is_id(template):
        faults.append(FieldError("template", "Use the id of a template."))
    if faults:
        raise Invalid(faults)
    chosen = {
        "channel": None if channel is None else channel_named(channel),
        "template_id": template,
        "reference": reference,
        "cause": None if cause is None else Causes(cause),
        "died_from": None if died_from is None else died_from.replace(tzinfo=UTC),
        "died_to": None if died_to is None else died_to.replace(tzinfo=UTC),
    }
    return {name: value for name, value in chosen.items() if value is not None}


def _checked(delivery: str) -> str:
    if not is_id(delivery):
        raise Invalid([FieldError("delivery", "Use the id of a delivery.")])
    return delivery.lower()


async def _list(settings: Settings, service: str | None, chosen: dict[str, Any]) -> list[dict[str, Any]]:
    import msgspec

    from postroom.app import running_app
    from postroom.features.notifications.dead_letters import Filters, find_dead
    from postroom.interfaces.api.dead_letters import to_item

    async with running_app(settings) as postroom:
        service_id = await _service_id(postroom, service)
        async with postroom.database.reading() as conn:
            page = await find_dead(conn, Filters(service_id=service_id, **chosen))
    return [msgspec.to_builtins(to_item(each)) for each in page.items]


async def _replay(
    settings: Settings, service: str | None, chosen: dict[str, Any], *, may_send_twice: bool
) -> int:
    from postroom.app import running_app
    from postroom.features.notifications.dead_letters import Filters, Replayer, replay_all

    async with running_app(settings) as postroom:
        service_id = await _service_id(postroom, service)
        replayer = Replayer(
            vault=postroom.vault,
            queue=postroom.queue,
            now=postroom.clock(),
            although_unsure=may_send_twice,
            actor="postroom dead-letters replay",
        )
        filters = Filters(service_id=service_id, **chosen)
        return await replay_all(postroom.database, filters, replayer=replayer)


async def _service_id(postroom: "App", name: str | None) -> str | None:
    return None if name is None else (await registered(postroom, name)).id
