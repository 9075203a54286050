"""`postroom status`: the life of one notification, in plain English."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from postroom.cli import show
from postroom.cli.failure import CannotGoOn
from postroom.cli.remote.api import DEFAULT_URL, Api, KeyFile, Url, calling, run
from postroom.kit.ids import is_id
from postroom.kit.local_time import LONDON

_MOST = 20


def status(
    wanted: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="Of a notification, a delivery or a message at Notify; or a reference."
        ),
    ],
    url: Url = DEFAULT_URL,
    key_file: KeyFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Tell what happened to a notification, and what is still to come; times are London's."""
    found, lines = run(_look_up(wanted, url, key_file))
    if as_json:
        show.as_json([each | {"timeline": lines.get(each["id"])} for each in found])
        return
    if len(found) > 1:
        show.table(
            ["notification", "created", "type", "status"],
            [
                [each["id"], _local(each["createdDate"]), each["notificationType"], _state(each)]
                for each in found
            ],
        )
        show.line("Give one of these ids to see its life.")
        return
    _show(found[0], lines[found[0]["id"]])


def _show(notification: dict[str, Any], lines: list[dict[str, Any]]) -> None:
    show.line(f"{_kind(notification)} {notification['id']}: {_state(notification)}")
    rows = [
        ["in time" if line["isAhead"] else _local(line["at"]), line["channel"] or "", _said(line)]
        for line in lines
    ]
    show.table(["when", "channel", "what"], rows)


def _kind(notification: dict[str, Any]) -> str:
    return str(notification["notificationType"])


def _said(line: dict[str, Any]) -> str:
    note = f" “{line['note']}”" if line["note"] else ""
    return f"{line['text']}{note}"


def _state(notification: dict[str, Any]) -> str:
    states = [f"{each['channel']} {each['status']}" for each in notification["deliveries"]]
    if not states:
        return "read" if notification["isReadStatus"] else "on screens, not read yet"
    return ", ".join(states)


def _local(text: str) -> str:
    return f"{datetime.fromisoformat(text).astimezone(LONDON):%d %b %Y %H:%M:%S}"


async def _look_up(
    wanted: str, url: str, key_file: Path | None
) -> tuple[list[dict[str, Any]], dict[str, list[dict[str, Any]]]]:
    """What is found, and the timeline where it is one alone."""
    async with calling(url, key_file) as api:
        found = await _find(api, wanted)
        if not found:
            raise CannotGoOn(f"your service has no notification of this id or reference: {wanted}")
        if len(found) > 1:
            return found, {}
        lines = await api.ask("GET", f"/notifications/{found[0]['id']}/timeline")
    return found, {found[0]["id"]: lines.body}


async def _find(api: Api, wanted: str) -> list[dict[str, Any]]:
    if is_id(wanted):
        one = await api.try_to("GET", f"/notifications/{wanted}")
        if one.status == 200:
            return [one.body]
        of_message = await api.ask("GET", "/notifications", params={"messageId": wanted})
        if of_message.body:
            return list(of_message.body)
    by_reference = await api.ask("GET", "/notifications", params={"reference": wanted, "limit": str(_MOST)})
    return list(by_reference.body)
