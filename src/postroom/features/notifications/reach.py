"""Whose notifications a list is of, where a caller asks for more than their own."""

from postroom.domain.caller import Caller, Person, ServiceCaller
from postroom.domain.errors import FieldError, Forbidden, Invalid
from postroom.domain.role import SEES_EVERYTHING
from postroom.features.notifications.visibility import Reach
from postroom.features.services import Directory

EVERY = "All"
"""No service has a name with a capital."""


async def reach(service: str, *, caller: Caller, directory: Directory) -> Reach:
    """The reach of a list over the service of that name, or over all that the caller may read.

    Forbidden where they may not; to a service that is the same, whether there is one of that name or not.
    """
    wanted = service.strip()
    if isinstance(caller, ServiceCaller):
        return _of_service(wanted, caller)
    return await _of_person(wanted, caller, directory)


def _of_service(wanted: str, caller: ServiceCaller) -> Reach:
    readable = {caller.name: caller.service_id} | {grant.owner: grant.owner_id for grant in caller.grants}
    if wanted == EVERY:
        return Reach(tuple(readable.values()))
    if wanted not in readable:
        raise Forbidden("Your service may not read the notifications of this one.")
    return Reach((readable[wanted],))


async def _of_person(wanted: str, caller: Person, directory: Directory) -> Reach:
    if not caller.sees_everything:
        roles = ", ".join(sorted(SEES_EVERYTHING))
        raise Forbidden(f"This needs one of the roles {roles}.")
    if wanted == EVERY:
        return Reach(tuple(each.id for each in await directory.every()), every=True)
    found = await directory.by_name(wanted)
    if found is None:
        raise Invalid([FieldError("service", "There is no service of this name: give one, or All.")])
    return Reach((found.id,))
