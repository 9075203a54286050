"""The command line: `postroom …`."""

from postroom.cli.commands import main

__all__ = ["main"]
