"""The service whose name a command was given, and who gave the command."""

import getpass
from typing import TYPE_CHECKING

from postroom.domain.errors import NotFound

if TYPE_CHECKING:
    from postroom.app import App
    from postroom.features.audit import By
    from postroom.features.services import RegisteredService


async def registered(postroom: "App", name: str) -> "RegisteredService":
    """The service; NotFound with what shows the right names."""
    service = await postroom.directory.by_name(name)
    if service is None:
        raise unknown(name)
    return service


def signed(postroom: "App") -> "By":
    """Who gave the command, as the audit knows them: by the name that they have on this machine."""
    from postroom.features.audit import By

    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "somebody without a name"
    return By(actor=f"command line: {name}", at=postroom.clock(), vault=postroom.vault)


def unknown(name: str) -> NotFound:
    """What is no name is not said again: a key may have been typed in its place, and terminals are logged."""
    from postroom.features.services.names import is_name

    named = f"named {name}" if is_name(name) else "of that name"
    return NotFound(f"There is no service {named}: `postroom services list` shows them all.")
