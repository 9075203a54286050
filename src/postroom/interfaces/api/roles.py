"""Who may register services, and who may look at them."""

from postroom.domain.caller import Caller, ServiceCaller
from postroom.domain.errors import Forbidden, NotFound
from postroom.domain.role import SEES_EVERYTHING
from postroom.domain.scope import Scope
from postroom.features import audit
from postroom.interfaces.api.parts import AnyRequest, parts_of
from postroom.interfaces.edge import caller_ip_of, correlation_id_of


async def admin(request: AnyRequest) -> Caller:
    """The caller; Forbidden where it is not a person with the role."""
    _, authenticator = parts_of(request)
    caller = await authenticator.caller(request, scope=Scope.WRITE)
    if isinstance(caller, ServiceCaller) or not caller.administrates:
        raise Forbidden("This needs the role admin.")
    return caller


def signed(request: AnyRequest, caller: Caller) -> audit.By:
    """The caller as the audit knows who changes something of a service."""
    postroom, _ = parts_of(request)
    return audit.By(
        actor=caller.display_name,
        at=postroom.clock(),
        vault=postroom.vault,
        ip=caller_ip_of(request.scope, behind_gateway=postroom.settings.trust.behind_gateway),
        correlation_id=correlation_id_of(request.scope),
    )


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
