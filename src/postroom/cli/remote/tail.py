"""`postroom tail`: what happens to a service's notifications, as it happens."""

import asyncio
import json
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

import typer

from postroom.cli import show
from postroom.cli.failure import STOPPED, CannotGoOn
from postroom.cli.remote.api import (
    DEFAULT_URL,
    Answer,
    Api,
    KeyFile,
    Unreachable,
    Url,
    calling,
    run,
    succeeded,
)
from postroom.kit.local_time import LONDON

_EVERY_SECONDS = 1.0
_LONGEST_WAIT = 30.0
_PAGE = "200"
_BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


def tail(
    since: Annotated[
        str,
        typer.Option(help="A cursor to go on after; 0 begins with all that is kept."),
    ] = "now",
    types: Annotated[
        list[str] | None, typer.Option("--type", help="Only these, as in failed; again for more.")
    ] = None,
    most: Annotated[int | None, typer.Option(help="End after so many.", min=1)] = None,
    url: Url = DEFAULT_URL,
    key_file: KeyFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a line of JSON for each.")] = False,
) -> None:
    """Follow what happens to your notifications, until Ctrl-C."""
    try:
        run(_follow(since, frozenset(types or ()), most, url, key_file, as_json=as_json))
    except CannotGoOn as error:
        # Ctrl-C is how this ends.
        if error.code != STOPPED:
            raise


async def _follow(
    since: str,
    types: frozenset[str],
    most: int | None,
    url: str,
    key_file: Path | None,
    *,
    as_json: bool,
) -> None:
    shown = 0
    async with calling(url, key_file) as api:
        cursor = since
        while True:
            answer = await _page(api, cursor)
            for event in answer.body:
                if not types or event["type"] in types:
                    show.at_once(json.dumps(event) if as_json else _line(event))
                    shown += 1
                if shown == most:
                    return
            cursor = _after(answer, cursor)
            if answer.next_url is None or not answer.body:
                await asyncio.sleep(_EVERY_SECONDS)


async def _page(api: Api, cursor: str) -> Answer:
    """The next events. A Postroom that starts anew or is busy is waited for, however long."""
    wait = _EVERY_SECONDS
    while True:
        try:
            answer = await api.try_to("GET", "/feedback", params={"since": cursor, "limit": _PAGE})
            if answer.status not in _BUSY:
                return succeeded(answer)
        except Unreachable:
            if cursor == "now":
                raise
        await asyncio.sleep(wait)
        wait = min(2 * wait, _LONGEST_WAIT)


def _after(answer: Answer, cursor: str) -> str:
    """Where to read on: after the last event, or where an empty answer says."""
    if answer.body:
        return str(answer.body[-1]["cursor"])
    if answer.next_url is not None:
        return parse_qs(urlsplit(answer.next_url).query)["since"][0]
    return cursor


def _line(event: dict[str, Any]) -> str:
    data = event["data"]
    at = datetime.fromisoformat(event["timestamp"]).astimezone(LONDON)
    more = [data["channel"], data["action"], data["status"] if data["status"] != event["type"] else None]
    known = [str(each) for each in more if each]
    about = data["reference"] or data["targetId"]
    said = f"{at:%H:%M:%S}  {event['type']:<11} {' '.join(known):<24} {data['notificationId']}"
    said += f"  {about}" if about else ""
    return f"{said}  {data['reason']}" if data["reason"] else said
