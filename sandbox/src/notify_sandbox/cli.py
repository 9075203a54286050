"""The command `notify-sandbox`."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from notify_sandbox.seed import SeedError
from notify_sandbox.server import RemoteHostError, serve
from notify_sandbox.settings import SandboxSettings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


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
        uvloop.run(serve(settings))
    except (RemoteHostError, SeedError, OSError) as error:
        typer.echo(f"notify-sandbox: {error}", err=True)
        raise typer.Exit(1) from None
    except (KeyboardInterrupt, asyncio.CancelledError):
        pass


def main() -> None:
    app()
