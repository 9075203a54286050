"""What an endpoint can do with the connection that its request came on, beside answering."""

import asyncio
from typing import Any, Protocol

from litestar.types import Scope

CONNECTION = "postroom.connection"
"""The extension by which the server gives it."""


class Connection(Protocol):
    """A client's connection."""

    def break_off(self) -> None:
        """End it at once, whatever is still to be sent."""

    def take_over(self, protocol: asyncio.Protocol) -> None:
        """Let that protocol have it from here on. The server forgets it, with all that the request was.

        The answer must have begun, and what follows is chunked. Where the client has left meanwhile, the
        protocol's connection is lost at once.
        """


def connection_of(scope: Scope) -> Connection:
    extensions: Any = scope["extensions"]
    found: Connection = extensions[CONNECTION]
    return found
