"""`postroom send`: one notification, or one for each row of a CSV."""

from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer

from postroom.cli import show
from postroom.cli.completion import complete_service
from postroom.cli.remote.api import DEFAULT_URL, Api, KeyFile, Unreachable, Url, calling, run
from postroom.cli.remote.sheet import Job, send_sheet

_TRIES = 3
_ONE, _MANY = "One notification", "A CSV"
_KINDS = (("email", "Email"), ("mobileNumber", "Text"), ("message", "Screen"))


def _pair(text: str) -> tuple[str, str]:
    name, mark, value = text.partition("=")
    if not mark or not name:
        raise typer.BadParameter("use NAME=VALUE")
    return name, value


def _option(help_text: str, *names: str, panel: str | None = None, **more: Any) -> Any:
    return typer.Option(*names, help=help_text, rich_help_panel=panel, **more)


Pairs = list[Any] | None
Text = str | None
Csv = Annotated[Path | None, _option("Send one for each row of this file.", "--csv", panel=_MANY)]
Kind = Annotated[Text, _option("Email, Text, Letter or Screen, where it is not plain.", "--type")]
Template = Annotated[Text, _option("Its id, or the name that it is registered by.")]
Values = Annotated[
    Pairs, _option("For a placeholder; again for more.", "--value", parser=_pair, metavar="NAME=VALUE")
]
Service = Annotated[
    Text,
    _option("Your service; else the key's.", envvar="POSTROOM_SERVICE", autocompletion=complete_service),
]
Email = Annotated[Text, _option("An email address.", panel=_ONE)]
Mobile = Annotated[Text, _option("A mobile number.", panel=_ONE)]
Address = Annotated[list[str] | None, _option("A line of an address; again for more.", panel=_ONE)]
Message = Annotated[Text, _option("What a screen shows.")]
User = Annotated[Text, _option("Whose screen: an officer, group:NAME or patch:ID.")]
TargetId = Annotated[Text, _option("What it is about.")]
TargetType = Annotated[Text, _option("The kind of thing that it is about.")]
Reference = Annotated[Text, _option("Your own, to find it by.")]
RequireAction = Annotated[bool, _option("Somebody has to act on it.", "--require-action")]
Check = Annotated[bool, _option("Say what is wrong, and send nothing.", "--check")]
Columns = Annotated[
    Pairs,
    _option(
        "What a column is: a field, value:NAME, or - to leave it out.",
        "--column",
        parser=_pair,
        metavar="NAME=FIELD",
        panel=_MANY,
    ),
]
Results = Annotated[
    Path | None, _option("Where to say what became of each row. [FILE.results.csv]", panel=_MANY)
]
State = Annotated[Path | None, _option("The record of what was sent. [FILE.postroom]", panel=_MANY)]
NoState = Annotated[bool, _option("Keep no record: it goes on for a day.", "--no-state", panel=_MANY)]
Twice = Annotated[bool, _option("Send also what may have been sent.", "--may-send-twice", panel=_MANY)]
AsJson = Annotated[bool, _option("Print JSON, for scripts.", "--json")]


def send(
    csv: Csv = None,
    kind: Kind = None,
    template: Template = None,
    values: Values = None,
    service: Service = None,
    email: Email = None,
    mobile: Mobile = None,
    address: Address = None,
    message: Message = None,
    user: User = None,
    target_id: TargetId = None,
    target_type: TargetType = None,
    reference: Reference = None,
    require_action: RequireAction = False,
    check: Check = False,
    columns: Columns = None,
    results: Results = None,
    state: State = None,
    no_state: NoState = False,
    may_send_twice: Twice = False,
    url: Url = DEFAULT_URL,
    key_file: KeyFile = None,
    as_json: AsJson = False,
) -> None:
    """Send one notification, or one for each row of a CSV. The same CSV again goes on where it stopped.

    Exit code 1 where something was refused.
    """
    lines = {f"addressLine{number}": line for number, line in enumerate(address or [], start=1)}
    body = _body(notificationType=kind, templateId=template, serviceKey=service, email=email)
    body |= _body(mobileNumber=mobile, message=message, user=user, reference=reference)
    body |= _body(targetId=target_id, targetType=target_type, requireAction=require_action or None)
    body |= _body(personalisationParams=(dict(values or []) | lines) or None)
    if csv is None:
        run(_send_one(url, key_file, body, check=check, as_json=as_json))
        return
    kept = None if no_state else state or csv.with_name(f"{csv.name}.postroom")
    job = Job(
        csv, results or csv.with_suffix(".results.csv"), kept, body, dict(columns or []), may_send_twice
    )
    send_sheet(job, url, key_file, check=check, as_json=as_json)


def _body(**given: Any) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}


async def _send_one(
    url: str, key_file: Path | None, body: dict[str, Any], *, check: bool, as_json: bool
) -> None:
    async with calling(url, key_file) as api:
        whole = await complete(api, body)
        made = await _posted(api, whole, check=check)
    if as_json:
        show.as_json(made)
    elif check:
        for warning in made["warnings"]:
            show.line(f"note: {warning}")
        show.line("It would be accepted. Nothing was sent.")
    else:
        show.line(f"Accepted: {made['notificationType']} {made['id']}")
        show.line(f"`postroom status {made['id']}` tells what becomes of it.")


async def complete(api: Api, body: dict[str, Any]) -> dict[str, Any]:
    """With the channel, where one alone can be meant, and the service whose key this is."""
    found = [kind for name, kind in _KINDS if name in body]
    if not found and "addressLine1" in body.get("personalisationParams", {}):
        found = ["Letter"]
    guessed = {"notificationType": found[0]} if len(found) == 1 else {}
    whole = guessed | body
    needs_service = str(whole.get("notificationType", "")).lower() != "screen"
    if needs_service and "serviceKey" not in whole:
        whole["serviceKey"] = await api.own_name()
    return whole


async def _posted(api: Api, body: dict[str, Any], *, check: bool) -> Any:
    """The answer. It is asked for again where none came: with its key it counts once."""
    headers = {"Idempotency-Key": str(uuid4())}
    params = {"validateOnly": "true"} if check else {}
    for _ in range(_TRIES - 1):
        try:
            return (await api.ask("POST", "/notifications", body=body, headers=headers, params=params)).body
        except Unreachable:
            continue
    return (await api.ask("POST", "/notifications", body=body, headers=headers, params=params)).body
