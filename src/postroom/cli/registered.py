"""Finding a service by the name that a command was given."""

from typing import TYPE_CHECKING

from postroom.domain.errors import NotFound

if TYPE_CHECKING:
    from postroom.app import App
    from postroom.features.services import RegisteredService


async def registered(postroom: "App", name: str) -> "RegisteredService":
    """The service; NotFound with what shows the right names."""
    service = await postroom.directory.by_name(name)
    if service is None:
        raise NotFound(f"There is no service named {name}: `postroom services list` shows them all.")
    return service
