"""`postroom groups` and `postroom patches`: who is in them."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from postroom.cli import show
from postroom.domain.audience import Audience, AudienceKind, audience_named
from postroom.domain.errors import FieldError, Invalid
from postroom.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Callable

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
Name = Annotated[str, typer.Argument(help="Its name, without the kind.")]
Emails = Annotated[list[str], typer.Argument(help="Email addresses of members.")]
_ALL_AT_ONCE = 1_000


def commands_for(kind: AudienceKind, *, help_text: str) -> typer.Typer:
    """The commands about one kind of audience."""
    app = typer.Typer(help=help_text, no_args_is_help=True)

    @app.command("list")
    def list_them(as_json: AsJson = False) -> None:
        """Show which have members, and how many."""
        from postroom.run import run_async

        found = run_async(_audiences(kind))
        if as_json:
            show.as_json(found)
            return
        show.table(["name", "members"], [[each["name"], each["members"]] for each in found])

    @app.command()
    def members(name: Name, as_json: AsJson = False) -> None:
        """Show who is in it, and whether that was said here or by their token."""
        from postroom.run import run_async

        found = run_async(_members(_named(kind, name)))
        if as_json:
            show.as_json(found)
            return
        rows = [[each["email"], each["registeredAt"], each["toldAt"]] for each in found]
        show.table(["email", "registered", "told by token"], rows)

    @app.command()
    def add(name: Name, emails: Emails, as_json: AsJson = False) -> None:
        """Register members, beside those that it has."""
        _change(kind, name, emails, _add)
        _say(f"registered in {_named(kind, name)}", "registered", len(emails), as_json=as_json)

    @app.command()
    def remove(name: Name, emails: Emails, as_json: AsJson = False) -> None:
        """End what was registered. Whom their token makes a member stays one."""
        _change(kind, name, emails, _remove)
        _say(f"removed from {_named(kind, name)}", "removed", len(emails), as_json=as_json)

    return app


def _named(kind: AudienceKind, name: str) -> Audience:
    audience = audience_named(kind, name)
    if audience is None:
        raise Invalid([FieldError("name", "Use up to 120 characters, without commas and colons.")])
    return audience


def _change(kind: AudienceKind, name: str, emails: list[str], change: "Callable[..., Any]") -> None:
    from postroom.run import run_async

    run_async(change(_named(kind, name), emails))


def _say(words: str, what: str, number: int, *, as_json: bool) -> None:
    if as_json:
        show.as_json({what: number})
    else:
        show.line(f"{number} {words}.")


async def _audiences(kind: AudienceKind) -> list[dict[str, Any]]:
    from postroom.app import running_app
    from postroom.features.recipients import audiences

    found, after = list[dict[str, Any]](), None
    async with running_app(read_settings()) as postroom, postroom.database.reading() as conn:
        while True:
            some, after = await audiences(conn, kind, after=after, limit=_ALL_AT_ONCE)
            found += [{"name": each.name, "members": each.members} for each in some]
            if after is None:
                return found


async def _members(audience: Audience) -> list[dict[str, Any]]:
    from postroom.app import running_app
    from postroom.features.recipients import members_of

    found, after = list[Any](), None
    async with running_app(read_settings()) as postroom, postroom.database.reading() as conn:
        while True:
            some, after = await members_of(
                conn, audience, vault=postroom.vault, after=after, limit=_ALL_AT_ONCE
            )
            found += some
            if after is None:
                break
    return [
        {
            "email": each.email,
            "registeredAt": each.registered_at and each.registered_at.isoformat(timespec="seconds"),
            "toldAt": each.told_at and each.told_at.isoformat(timespec="seconds"),
        }
        for each in sorted(found, key=lambda member: member.email)
    ]


async def _add(audience: Audience, emails: list[str]) -> None:
    from postroom.app import running_app
    from postroom.features.recipients import add_members

    async with running_app(read_settings()) as postroom, postroom.database.transaction() as conn:
        await add_members(conn, audience, emails, vault=postroom.vault, now=postroom.clock())


async def _remove(audience: Audience, emails: list[str]) -> None:
    from postroom.app import running_app
    from postroom.features.recipients import remove_member

    async with running_app(read_settings()) as postroom, postroom.database.transaction() as conn:
        for email in emails:
            await remove_member(conn, audience, email, vault=postroom.vault)
