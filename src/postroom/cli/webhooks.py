"""`postroom webhooks`: where services are called back, with which secret, and what came of the calls."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from postroom.cli import show
from postroom.cli.completion import complete_service
from postroom.cli.registered import registered, signed
from postroom.domain.errors import FieldError, Invalid
from postroom.kit.ids import is_id
from postroom.settings import read_settings

app = typer.Typer(help="Where services are called back, and what came of it.", no_args_is_help=True)

Service = Annotated[str, typer.Argument(help="The service's name.", autocompletion=complete_service)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
Event = Annotated[str | None, typer.Option(help="Of one event, by its id.")]
Work = Callable[[Any, str], Awaitable[Any]]
"""What is done with the running app for a service's id."""


@app.command("set")
def set_url(
    service: Service,
    url: Annotated[str, typer.Argument(help="The address to call, https://…")],
    as_json: AsJson = False,
) -> None:
    """Call the service there from now on; a new webhook's secret is shown, once."""

    async def work(postroom: Any, service_id: str) -> dict[str, Any]:
        from postroom.features.webhooks.endpoints import set_endpoint

        async with postroom.database.transaction() as conn:
            secret = await set_endpoint(
                conn,
                service_id,
                url,
                vault=postroom.vault,
                private=postroom.settings.private_webhooks,
                now=postroom.clock(),
                by=signed(postroom),
            )
            return await _described(conn, postroom, service_id, secret)

    _show(_run(service, work), as_json=as_json)


@app.command("show")
def show_one(service: Service, as_json: AsJson = False) -> None:
    """Where the service is called, and whether that works."""

    async def work(postroom: Any, service_id: str) -> dict[str, Any]:
        async with postroom.database.reading() as conn:
            return await _described(conn, postroom, service_id, None)

    _show(_run(service, work), as_json=as_json)


@app.command()
def rotate(service: Service, as_json: AsJson = False) -> None:
    """A new secret, shown once; for 24 hours calls are signed with the former one too."""

    async def work(postroom: Any, service_id: str) -> dict[str, Any]:
        from postroom.features.webhooks.endpoints import rotate_secret

        async with postroom.database.transaction() as conn:
            secret = await rotate_secret(
                conn, service_id, vault=postroom.vault, now=postroom.clock(), by=signed(postroom)
            )
            return await _described(conn, postroom, service_id, secret)

    _show(_run(service, work), as_json=as_json)


@app.command()
def off(service: Service, as_json: AsJson = False) -> None:
    """Call the service no more, and forget its secret. Its feed stays."""

    async def work(postroom: Any, service_id: str) -> None:
        from postroom.features.webhooks.endpoints import remove_endpoint

        async with postroom.database.transaction() as conn:
            await remove_endpoint(conn, service_id, by=signed(postroom))

    _run(service, work)
    if as_json:
        show.as_json({"removed": True})
    else:
        show.line("It is called no more.")


@app.command("log")
def show_log(
    service: Service,
    event: Event = None,
    outcome: Annotated[str | None, typer.Option(help="delivered, try-again, given-up or gone.")] = None,
    most: Annotated[int, typer.Option(help="How many are shown.", min=1, max=10_000)] = 50,
    as_json: AsJson = False,
) -> None:
    """Every try to call the service, newest first."""
    chosen = {"event_id": _checked(event), "outcome": _outcome(outcome), "limit": most}

    async def work(postroom: Any, service_id: str) -> list[dict[str, Any]]:
        import msgspec

        from postroom.features.webhooks.attempts import AttemptFilters, find_attempts
        from postroom.interfaces.api.webhook import to_attempt_item

        async with postroom.database.reading() as conn:
            found, _ = await find_attempts(conn, AttemptFilters(service_id=service_id, **chosen))
        return [msgspec.to_builtins(to_attempt_item(each)) for each in found]

    found = _run(service, work)
    if as_json:
        show.as_json(found)
        return
    rows = [
        [each["at"], each["eventId"], each["number"], each["outcome"], each["statusCode"] or each["error"]]
        for each in found
    ]
    show.table(["at", "event", "try", "outcome", "answer"], rows)


@app.command()
def resend(
    service: Service,
    event: Event = None,
    since: Annotated[datetime | None, typer.Option(help="All since then, in UTC.")] = None,
    as_json: AsJson = False,
) -> None:
    """Call again with one event, or with all since a moment; their ids stay."""
    event_id = _checked(event)
    if (event_id is None) is (since is None):
        raise Invalid([FieldError("event", "Give --event ID, or --since TIME.")])

    async def work(postroom: Any, service_id: str) -> int:
        from postroom.features.webhooks.resend import resend_one, resend_since

        now = postroom.clock()
        if since is not None:
            moment = since.replace(tzinfo=UTC)
            return await resend_since(postroom.database, moment, service_id=service_id, now=now)
        async with postroom.database.transaction() as conn:
            await resend_one(conn, event_id or "", service_id=service_id, now=now)
        return 1

    resent = _run(service, work)
    if as_json:
        show.as_json({"resent": resent})
    else:
        show.line(f"{resent} will be sent again.")


def _run(service: str, work: Work) -> Any:
    from postroom.run import run_async

    return run_async(_with_app(service, work))


async def _with_app(service: str, work: Work) -> Any:
    from postroom.app import running_app

    async with running_app(read_settings()) as postroom:
        found = await registered(postroom, service)
        return await work(postroom, found.id)


async def _described(conn: Any, postroom: Any, service_id: str, secret: str | None) -> dict[str, Any]:
    import msgspec

    from postroom.features.webhooks.endpoints import find_endpoint
    from postroom.interfaces.api.webhook import to_webhook_item

    endpoint = await find_endpoint(conn, service_id, vault=postroom.vault)
    described: dict[str, Any] = msgspec.to_builtins(to_webhook_item(endpoint, secret))
    return described


def _show(webhook: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show.as_json(webhook)
        return
    if webhook["url"] is None:
        show.line("Its address cannot be read: `set` it again. Nobody is called until then.")
    else:
        show.line(f"Called at {webhook['url']}, {webhook['waiting']} waiting.")
    if webhook["secret"] is not None:
        show.line(f"Secret, shown this once: {webhook['secret']}")
    if webhook["formerSecretUntil"] is not None:
        show.line(f"The former secret signs too until {webhook['formerSecretUntil']}.")
    if webhook["failingSince"] is not None:
        show.line(f"Every call has failed since {webhook['failingSince']}.")
    if not webhook["isOn"]:
        show.line(f"Switched off at {webhook['offAt']} ({webhook['offReason']}): `set` switches it on again.")


def _checked(event: str | None) -> str | None:
    if event is not None and not is_id(event):
        raise Invalid([FieldError("event", "Use the id of an event.")])
    return None if event is None else event.lower()


def _outcome(name: str | None) -> Any:
    from postroom.features.webhooks.retry import Outcome

    if name is not None and name not in set(Outcome):
        raise Invalid([FieldError("outcome", f"Use one of {', '.join(Outcome)}.")])
    return None if name is None else Outcome(name)
