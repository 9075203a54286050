"""What holds for every command."""

from collections.abc import Iterator
from typing import Any

import typer

from postroom.cli.commands import app

RUN_UNTIL_THEY_ARE_STOPPED = {"api", "demo", "sandbox", "serve", "worker"}


def commands(of: Any, *before: str) -> Iterator[tuple[str, Any]]:
    """Every command below a group, by the words that call it."""
    for name, each in of.commands.items():
        if hasattr(each, "commands"):
            yield from commands(each, *before, name)
        else:
            yield " ".join([*before, name]), each


def test_every_command_that_ends_prints_json_for_scripts() -> None:
    every = dict(commands(typer.main.get_command(app)))
    without = {
        name
        for name, command in every.items()
        if not any("--json" in parameter.opts for parameter in command.params)
    }

    assert without == RUN_UNTIL_THEY_ARE_STOPPED
    assert len(every) > 40


def test_every_command_says_what_it_does() -> None:
    assert [name for name, command in commands(typer.main.get_command(app)) if not command.help] == []
