"""The command `notify-sandbox`."""

import asyncio
import http.client
import json
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer
import uvloop

from notify_sandbox.seed import SeedError
from notify_sandbox.server import RemoteHostError, serve
from notify_sandbox.settings import SandboxSettings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
template = typer.Typer(no_args_is_help=True, help="Templates of a running sandbox.")
app.add_typer(template, name="template")

Url = Annotated[str, typer.Option(help="Where the sandbox is, as its ready file says.")]


@app.callback()
def about() -> None:
    """A GOV.UK Notify on your desk."""


@app.command("serve")
def serve_command(
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 0,
    data: Annotated[Path | None, typer.Option(help="A folder for the record; without it, memory.")] = None,
    config: Annotated[Path | None, typer.Option(help="Services, keys and templates: YAML or JSON.")] = None,
    ready: Annotated[Path | None, typer.Option(help="A file to write once it answers.")] = None,
    speed: Annotated[float, typer.Option(min=0.001, help="How fast the courses run.")] = 1.0,
    exit_with_parent: Annotated[bool, typer.Option(help="Stop when standard input ends.")] = False,
    allow_remote: Annotated[bool, typer.Option(help="Listen to other machines too.")] = False,
) -> None:
    """Runs a sandbox until it is stopped."""
    settings = SandboxSettings(
        host=host,
        port=port,
        data=data,
        config=config,
        ready=ready,
        speed=speed,
        exit_with_parent=exit_with_parent,
        allow_remote=allow_remote,
    )
    try:
        uvloop.run(serve(settings, on_ready=_say_where))
    except (RemoteHostError, SeedError, OSError) as error:
        typer.echo(f"notify-sandbox: {error}", err=True)
        raise typer.Exit(1) from None
    except (KeyboardInterrupt, asyncio.CancelledError):
        pass


def _say_where(url: str) -> None:
    typer.echo(f"The sandbox listens at {url}")


@template.command("list")
def list_templates(url: Url) -> None:
    """Each service's templates: alias and id."""
    for name, service in _ask(url, "GET", "/sandbox/services")["services"].items():
        for alias, template_id in service["templates"].items():
            typer.echo(f"{name}\t{alias}\t{template_id}")


@template.command("show")
def show_template(template_id: str, url: Url) -> None:
    typer.echo(json.dumps(_ask(url, "GET", f"/sandbox/templates/{template_id}"), indent=2))


@template.command("edit")
def edit_template(
    template_id: str,
    url: Url,
    name: Annotated[str | None, typer.Option()] = None,
    subject: Annotated[str | None, typer.Option()] = None,
    body: Annotated[typer.FileText | None, typer.Option(help="A file with the message; - reads it.")] = None,
) -> None:
    """Makes a new version. What is left out stays."""
    changes = {"name": name, "subject": subject, "body": body.read() if body else None}
    given = {key: value for key, value in changes.items() if value is not None}
    made = _ask(url, "PUT", f"/sandbox/templates/{template_id}", given)
    typer.echo(f"version {made['version']}")


@template.command("archive")
def archive_template(template_id: str, url: Url) -> None:
    _ask(url, "DELETE", f"/sandbox/templates/{template_id}")
    typer.echo("archived")


def _ask(url: str, method: str, path: str, body: object = None) -> Any:
    at = urlsplit(url)
    connection = http.client.HTTPConnection(at.hostname or "127.0.0.1", at.port, timeout=10)
    try:
        connection.request(method, path, json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        read = json.loads(answer.read())
    except OSError as error:
        typer.echo(f"notify-sandbox: {url}: {error}", err=True)
        raise typer.Exit(1) from None
    finally:
        connection.close()
    if answer.status != 200:
        typer.echo(f"notify-sandbox: {read.get('message')}", err=True)
        raise typer.Exit(1)
    return read


def main() -> None:
    app()
