"""`postroom services key`: the keys that a service calls with. A key is shown once, where it is made."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from postroom.cli import show
from postroom.cli.completion import complete_service
from postroom.cli.registered import registered, signed
from postroom.cli.span import span
from postroom.domain.errors import FieldError, Invalid
from postroom.domain.scope import EVERY_SCOPE, Scope
from postroom.settings import read_settings

if TYPE_CHECKING:
    from postroom.app import App
    from postroom.features.services import ApiKey, NewKey, RegisteredService
    from postroom.kit.database import AsyncConnection

app = typer.Typer(help="The keys that a service calls with.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The service's name.", autocompletion=complete_service)]
KeyId = Annotated[str, typer.Argument(help="The key's id, as `list` shows it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
Scopes = Annotated[
    list[Scope] | None, typer.Option("--scope", help="What it may be used for; again for more. All if none.")
]
ExpiresIn = Annotated[
    timedelta | None, typer.Option(parser=span, metavar="SPAN", help="As in 90d. Never, if left out.")
]


@app.command()
def add(
    name: Name,
    label: Annotated[str, typer.Option(help="To know it by in the list.")] = "added",
    scopes: Scopes = None,
    expires_in: ExpiresIn = None,
    as_json: AsJson = False,
) -> None:
    """Give a service one more API key. It is shown once, now."""
    from postroom.features.services import issue_key

    async def work(conn: "AsyncConnection", postroom: "App", service: "RegisteredService") -> "NewKey":
        now = postroom.clock()
        return await issue_key(
            conn,
            vault=postroom.vault,
            service_id=service.id,
            name=label,
            now=now,
            expires_at=_after(now, expires_in),
            scopes=scopes or EVERY_SCOPE,
            by=signed(postroom),
        )

    _show_new(name, _run(name, work), as_json=as_json)


@app.command()
def rotate(
    name: Name,
    key_id: KeyId,
    overlap: Annotated[
        timedelta | None,
        typer.Option(parser=span, metavar="SPAN", help="The old one ends then. By revoking, if left out."),
    ] = None,
    expires_in: Annotated[
        timedelta | None, typer.Option(parser=span, metavar="SPAN", help="As the old one, if left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Issue a key in the place of another, with its scopes. The old one works on for a while."""
    from postroom.features.services import rotate_key

    async def work(conn: "AsyncConnection", postroom: "App", service: "RegisteredService") -> "NewKey":
        now = postroom.clock()
        return await rotate_key(
            conn,
            key_id,
            vault=postroom.vault,
            service_id=service.id,
            now=now,
            expires_at=_after(now, expires_in),
            old_expires_at=_after(now, overlap),
            by=signed(postroom),
        )

    _show_new(name, _run(name, work), as_json=as_json)


@app.command()
def admit(
    name: Name,
    consumer: Annotated[str, typer.Option(help="The consumerName in the token.")],
    token_id: Annotated[str, typer.Option(help="The id in the token.")],
    scopes: Scopes = None,
    expires_in: ExpiresIn = None,
    as_json: AsJson = False,
) -> None:
    """Let a service call with a token of the council's own (consumerName and id), as if it were a key."""
    from postroom.features.services import Consumer, admit_token

    async def work(conn: "AsyncConnection", postroom: "App", service: "RegisteredService") -> "ApiKey":
        now = postroom.clock()
        return await admit_token(
            conn,
            Consumer(name=consumer, token_id=token_id),
            vault=postroom.vault,
            service_id=service.id,
            now=now,
            expires_at=_after(now, expires_in),
            scopes=scopes or EVERY_SCOPE,
            by=signed(postroom),
        )

    _show_keys(_run(name, work), as_json=as_json)


@app.command()
def revoke(name: Name, key_id: KeyId, as_json: AsJson = False) -> None:
    """End a key. It is refused within five seconds, everywhere."""
    from postroom.features.services import revoke_key

    async def work(conn: "AsyncConnection", postroom: "App", service: "RegisteredService") -> "ApiKey":
        return await revoke_key(
            conn, key_id, service_id=service.id, now=postroom.clock(), by=signed(postroom)
        )

    _show_keys(_run(name, work), as_json=as_json)


@app.command("list")
def list_keys(name: Name, as_json: AsJson = False) -> None:
    """A service's keys, never the keys themselves. Last use is right to the hour."""
    from postroom.features.services import keys_of

    async def work(conn: "AsyncConnection", postroom: "App", service: "RegisteredService") -> "list[ApiKey]":
        return await keys_of(conn, service.id)

    _show_keys(*_run(name, work), as_json=as_json, as_list=True)


Work = Callable[["AsyncConnection", "App", "RegisteredService"], Awaitable[Any]]


def _run(name: str, work: Work) -> Any:
    """Do the work for the service of that name, in one transaction."""
    from postroom.app import running_app
    from postroom.run import run_async

    async def in_transaction() -> Any:
        async with running_app(read_settings()) as postroom:
            service = await registered(postroom, name)
            async with postroom.database.transaction() as conn:
                return await work(conn, postroom, service)

    return run_async(in_transaction())


def _after(now: datetime, wait: timedelta | None) -> datetime | None:
    try:
        return None if wait is None else now + wait
    except OverflowError:
        raise Invalid([FieldError("expiresIn", "This is too far off.")]) from None


def _show_new(name: str, made: "NewKey", *, as_json: bool) -> None:
    if as_json:
        show.as_json(
            {"service": name, "id": made.id, "apiKey": made.key, "expiresAt": _moment(made.expires_at)}
        )
        return
    until = "" if made.expires_at is None else f", valid until {_moment(made.expires_at)}"
    show.line(f"API key of {name}, shown once: {made.key}")
    show.line(f"Its id is {made.id}{until}.")


def _show_keys(*keys: "ApiKey", as_json: bool, as_list: bool = False) -> None:
    from postroom.kit.clock import utc_now

    now = utc_now()
    if as_json:
        shown = [_told(each, now) for each in keys]
        show.as_json(shown if as_list else shown[0])
        return
    rows = []
    for each in keys:
        told = _told(each, now)
        scopes = "all" if each.scopes == EVERY_SCOPE else " ".join(told["scopes"])
        ends = told["expiresAt"] or ""
        rows.append([told["id"], told["name"], told["state"], ends, scopes, told["lastUsedAt"] or "never"])
    show.table(["key", "name", "state", "ends", "scopes", "last used"], rows)


def _told(key: "ApiKey", now: datetime) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "state": key.state(now),
        "scopes": sorted(key.scopes),
        "createdAt": _moment(key.created_at),
        "expiresAt": _moment(key.expires_at),
        "revokedAt": _moment(key.revoked_at),
        "lastUsedAt": _moment(key.last_used_at),
    }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds").replace("+00:00", "Z")
