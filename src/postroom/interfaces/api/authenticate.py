"""Who calls: an API key names a service, a signed token an officer, or a service by the council's own."""

from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from litestar import Request

from postroom.domain.caller import Caller, Person, ServiceCaller
from postroom.domain.errors import Forbidden, TooMany, Unauthenticated
from postroom.domain.role import Role
from postroom.domain.scope import Scope
from postroom.features.limits import CallerLimits
from postroom.features.recipients import Memberships
from postroom.features.services import Consumer, Directory, KnownKey
from postroom.interfaces.api.allowances import keep_allowance
from postroom.interfaces.tokens import Tokens, Verified
from postroom.kit.clock import Clock

_MOST_REMEMBERED = 5_000


class Authenticator:
    """Tells who calls from a request's headers. Verified tokens are remembered, for some minutes at most."""

    def __init__(
        self,
        *,
        directory: Directory,
        limits: CallerLimits,
        tokens: Tokens,
        memberships: Memberships,
        clock: Clock,
    ) -> None:
        self._directory = directory
        self._memberships = memberships
        self._limits = limits
        self._tokens = tokens
        self._clock = clock
        self._known: dict[bytes, Verified] = {}

    async def caller(self, request: Request[Any, Any, Any], *, scope: Scope) -> Caller:
        """The caller, or Unauthenticated; TooMany where it is a service that has called too often.

        Forbidden where its key has not the scope. A person needs none: they do what is theirs to do.
        """
        api_key = request.headers.get("x-api-key")
        if api_key is not None:
            return await self._service(await self._directory.by_api_key(api_key), scope, request)
        who = await self._token_holder(_bearer_token(request))
        if isinstance(who, Person):
            return await self._memberships.complete(who)
        return await self._service(await self._directory.by_consumer(who), scope, request)

    async def service(self, request: Request[Any, Any, Any], *, scope: Scope) -> ServiceCaller:
        """The calling service; Forbidden for a person."""
        caller = await self.caller(request, scope=scope)
        if not isinstance(caller, ServiceCaller):
            raise Forbidden("Only a service may do this, with its API key.")
        return caller

    async def administrator(self, request: Request[Any, Any, Any], *, scope: Scope) -> Caller:
        """A service whose key has the scope, or a person with the role admin; Forbidden for anybody else."""
        caller = await self.caller(request, scope=scope)
        if isinstance(caller, Person) and Role.ADMIN not in caller.roles:
            raise Forbidden(f"This needs the role {Role.ADMIN}.")
        return caller

    async def person(self, request: Request[Any, Any, Any]) -> tuple[Person, float]:
        """The calling person, and until when their token holds; Forbidden for a service."""
        caller = await self.caller(request, scope=Scope.READ)
        if not isinstance(caller, Person):
            raise Forbidden("Only a person may do this, with their token.")
        known = self._known.get(_digest(_bearer_token(request)))
        return caller, self._clock().timestamp() if known is None else known.expires

    async def take_more(self, request: Request[Any, Any, Any], caller: ServiceCaller, *, calls: int) -> None:
        """Count a request as so many calls more than the one that it is; TooMany where they are not left."""
        await self._take(caller.service_id, request, calls=calls, a_minute=None)

    async def _service(
        self, known: KnownKey | None, scope: Scope, request: Request[Any, Any, Any]
    ) -> ServiceCaller:
        if known is None:
            raise Unauthenticated("This API key is not known, or not valid any more.")
        chosen = known.service.limits.calls_a_minute
        a_minute = self._limits.calls_a_minute if chosen is None else chosen
        await self._take(known.service.id, request, calls=1, a_minute=a_minute)
        if scope not in known.caller.scopes:
            raise Forbidden(f"This key has not the scope {scope}.")
        return known.caller

    async def _take(
        self, service_id: str, request: Request[Any, Any, Any], *, calls: int, a_minute: int | None
    ) -> None:
        allowance = await self._limits.take(service_id, cost=calls, a_minute=a_minute)
        if not allowance.allowed:
            raise TooMany(allowance)
        keep_allowance(request.scope, allowance)

    async def _token_holder(self, token: str) -> Person | Consumer:
        digest = _digest(token)
        known = self._known.get(digest)
        if known is not None and self._clock().timestamp() < known.until:
            return known.who
        verified = await self._tokens.verified(token)
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        self._known[digest] = verified
        if isinstance(verified.who, Person):
            issued_at = datetime.fromtimestamp(verified.issued_at, UTC)
            await self._memberships.hear(verified.who, issued_at=issued_at)
        return verified.who


def _digest(token: str) -> bytes:
    """What a token is known by: it is long, and need not lie about."""
    return blake2b(token.encode(), digest_size=32).digest()


def _bearer_token(request: Request[Any, Any, Any]) -> str:
    """The token of the Authorization header. Some of the council's services leave the word Bearer out."""
    # As they came: not every request that we are given keeps two of one name.
    given = [value for name, value in request.scope["headers"] if name == b"authorization"]
    if not given:
        raise Unauthenticated("Send an x-api-key header, or Authorization: Bearer with a token.")
    if len(given) > 1:
        # Which of them a gateway before us has looked at, nobody knows.
        raise Unauthenticated("Send one Authorization header.")
    scheme, _, token = given[0].decode("latin-1").partition(" ")
    if not token and scheme.count(".") == 2:
        return scheme
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("The Authorization header must be: Bearer <token>.")
    return token.strip()
