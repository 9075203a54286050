"""Who may register services, and who may look at them."""

from postroom.domain.caller import Caller, ServiceCaller
from postroom.domain.errors import Forbidden, NotFound
from postroom.domain.role import SEES_EVERYTHING
from postroom.domain.scope import Scope
from postroom.interfaces.api.parts import AnyRequest, parts_of


async def admin(request: AnyRequest) -> Caller:
    """The caller; Forbidden where it is not a person with the role."""
    _, authenticator = parts_of(request)
    caller = await authenticator.caller(request, scope=Scope.WRITE)
    if isinstance(caller, ServiceCaller) or not caller.administrates:
        raise Forbidden("This needs the role admin.")
    return caller


async def reader_of_services(request: AnyRequest, *, of: str | None = None) -> Caller:
    """The caller: a person who sees everything, or the service itself. To another service there is none."""
    _, authenticator = parts_of(request)
    caller = await authenticator.caller(request, scope=Scope.READ)
    if isinstance(caller, ServiceCaller):
        if of not in (None, caller.name):
            raise NotFound("There is no service of this name.")
    elif not caller.sees_everything:
        raise Forbidden(f"This needs one of the roles {', '.join(sorted(SEES_EVERYTHING))}.")
    return caller
