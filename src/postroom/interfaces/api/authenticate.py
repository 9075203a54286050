"""Who calls: an API key names a service, a signed token an officer."""

from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from joserfc.jwt import JWTClaimsRegistry
from litestar import Request

from postroom.domain.caller import Caller, Person, ServiceCaller
from postroom.domain.errors import Forbidden, TooMany, Unauthenticated
from postroom.features.limits import CallerLimits
from postroom.features.services import Directory
from postroom.interfaces.api.allowances import keep_allowance
from postroom.kit.clock import Clock

_MOST_REMEMBERED = 5_000
_LONGEST_TOKEN = 8_192
_LEEWAY_SECONDS = 5


class Authenticator:
    """Tells who calls from a request's headers. Verified tokens are remembered until they expire."""

    def __init__(
        self, *, directory: Directory, limits: CallerLimits, officer_token_secret: str, clock: Clock
    ) -> None:
        self._directory = directory
        self._limits = limits
        self._key = OctKey.import_key(officer_token_secret)
        self._clock = clock
        self._known: dict[str, tuple[float, Person]] = {}

    async def caller(self, request: Request[Any, Any, Any]) -> Caller:
        """The caller, or Unauthenticated; TooMany where it is a service that has called too often."""
        api_key = request.headers.get("x-api-key")
        if api_key is not None:
            return await self._service(api_key, request)
        header = request.headers.get("authorization")
        if header is None:
            raise Unauthenticated(
                "Send an x-api-key header, or Authorization: Bearer with an officer's token."
            )
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("The Authorization header must be: Bearer <token>.")
        return self._person(token.strip())

    async def service(self, request: Request[Any, Any, Any]) -> ServiceCaller:
        """The calling service; Forbidden for a person."""
        caller = await self.caller(request)
        if not isinstance(caller, ServiceCaller):
            raise Forbidden("Only a service may do this, with its API key.")
        return caller

    async def take_more(self, request: Request[Any, Any, Any], caller: ServiceCaller, *, calls: int) -> None:
        """Count a request as so many calls more than the one that it is; TooMany where they are not left."""
        await self._take(caller.service_id, request, calls=calls, a_minute=None)

    async def _service(self, api_key: str, request: Request[Any, Any, Any]) -> ServiceCaller:
        found = await self._directory.by_api_key(api_key)
        if found is None:
            raise Unauthenticated("This API key is not known, or not valid any more.")
        chosen = found.limits.calls_a_minute
        a_minute = self._limits.calls_a_minute if chosen is None else chosen
        await self._take(found.id, request, calls=1, a_minute=a_minute)
        return ServiceCaller(service_id=found.id, name=found.name)

    async def _take(
        self, service_id: str, request: Request[Any, Any, Any], *, calls: int, a_minute: int | None
    ) -> None:
        allowance = await self._limits.take(service_id, cost=calls, a_minute=a_minute)
        if not allowance.allowed:
            raise TooMany(allowance)
        keep_allowance(request.scope, allowance)

    def _person(self, token: str) -> Person:
        now = self._clock().timestamp()
        known = self._known.get(token)
        if known is not None and now < known[0]:
            return known[1]
        expires_at, person = self._verified(token, now)
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        self._known[token] = (expires_at, person)
        return person

    def _verified(self, token: str, now: float) -> tuple[float, Person]:
        if len(token) > _LONGEST_TOKEN:
            raise Unauthenticated("This token is not valid.")
        registry = JWTClaimsRegistry(
            now=int(now), leeway=_LEEWAY_SECONDS, exp={"essential": True}, email={"essential": True}
        )
        try:
            claims = jwt.decode(token, self._key, algorithms=["HS256"]).claims
            registry.validate(claims)
        except (JoseError, ValueError, TypeError):
            raise Unauthenticated("This token is not valid, or not any more.") from None
        email, groups = claims["email"], claims.get("groups") or []
        if not isinstance(email, str) or not isinstance(groups, list):
            raise Unauthenticated("This token has not the claims of an officer's.")
        names = tuple(group for group in groups if isinstance(group, str))
        return float(claims["exp"]), Person(email=email.strip().lower(), groups=names)


def issue_officer_token(
    *, secret: str, email: str, groups: list[str], issued_at: int, valid_for_seconds: int
) -> str:
    """A token as the council's old sign-in makes it; for the demo and for tests."""
    claims = {
        "sub": email,
        "email": email,
        "name": email.partition("@")[0].replace(".", " ").title(),
        "groups": groups,
        "iat": issued_at,
        "nbf": issued_at,
        "exp": issued_at + valid_for_seconds,
    }
    return jwt.encode({"typ": "JWT", "alg": "HS256"}, claims, OctKey.import_key(secret))
