"""Every command of `postroom`. They read the settings, call one thing, and say what to do where it fails."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from postroom.cli import audit, dead_letters, members, services, show, webhooks
from postroom.cli.failure import CANNOT, CannotGoOn
from postroom.cli.ledger import ledger
from postroom.cli.remote.send import send
from postroom.cli.remote.status import status
from postroom.cli.remote.tail import tail
from postroom.domain.audience import AudienceKind
from postroom.domain.errors import Invalid, PostroomError
from postroom.kit.database import DatabaseUnavailable
from postroom.settings import BadSettings, read_settings

app = typer.Typer(
    name="postroom",
    help="A council's notifications service.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(services.app, name="services")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(audit.app, name="audit")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(
    members.commands_for(AudienceKind.GROUP, help_text="Groups, and who is in them."), name="groups"
)
app.add_typer(
    members.commands_for(AudienceKind.PATCH, help_text="Patches, and who looks after them."), name="patches"
)
app.command()(ledger)
app.command()(send)
app.command()(status)
app.command()(tail)

Host = Annotated[str | None, typer.Option(help="Where to listen. [POSTROOM_HOST, 127.0.0.1]")]
Port = Annotated[int | None, typer.Option(help="0 takes a free one. [POSTROOM_PORT, 8000]", min=0, max=65535)]


@app.command()
def demo(
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one.", min=0, max=65535)] = 8000,
    data: Annotated[Path, typer.Option(help="A folder for everything that is kept.")] = Path("data"),
    ready: Annotated[Path | None, typer.Option(help="A file to write once it answers.")] = None,
) -> None:
    """Everything together, with the sandbox of GOV.UK Notify and a service to try it with."""
    from postroom.demo import run_demo

    run_demo(host=host, port=port, data=data, ready=ready, announce=show.demo)


@app.command()
def serve(host: Host = None, port: Port = None) -> None:
    """API and worker in one process."""
    from postroom.run import run_serve

    run_serve(read_settings(host=host, port=port))


@app.command()
def api(host: Host = None, port: Port = None) -> None:
    """The API alone, any number of times. Needs PostgreSQL."""
    from postroom.run import run_api

    run_api(read_settings(host=host, port=port))


@app.command()
def worker() -> None:
    """A worker alone, any number of times. Needs PostgreSQL."""
    from postroom.run import run_worker_alone

    run_worker_alone(read_settings())


@app.command()
def migrate(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Bring the database's tables to the current version. Every other command does so when it starts."""
    from postroom.run import run_migrate

    changed = run_migrate(read_settings())
    if as_json:
        show.as_json({"changed": changed})
    else:
        show.line("The tables were brought up to date." if changed else "The tables are up to date.")


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True}, add_help_option=False
)
def sandbox(context: typer.Context) -> None:
    """A GOV.UK Notify on your desk, with all the options of `notify-sandbox serve`."""
    from notify_sandbox.cli import app as sandbox_app

    sandbox_app(args=["serve", *context.args], prog_name="postroom sandbox")


def main(arguments: list[str] | None = None) -> None:
    """Run a command; what the user can mend is said in a line, with exit code 2."""
    try:
        outcome: Any = app(args=arguments, standalone_mode=True)
    except BadSettings as error:
        _fail(str(error))
    except Invalid as error:
        _fail("; ".join(f"{fault.field}: {fault.message}" for fault in error.errors))
    except PostroomError as error:
        _fail(str(error))
    except CannotGoOn as error:
        _fail(str(error), code=error.code)
    except DatabaseUnavailable:
        _fail("the database does not answer: look at DATABASE_URL, and whether it runs")
    else:
        sys.exit(outcome)


def _fail(text: str, *, code: int = CANNOT) -> None:
    show.error(f"postroom: {text}")
    sys.exit(code)
