"""Who is calling: the token of a request, checked in GOV.UK Notify's order and refused in its words."""

import json
import time
import uuid
from typing import NamedTuple

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from notify_sandbox.model import ApiKey, Service
from notify_sandbox.problems import NotifyError, not_authorised
from notify_sandbox.world import World

LEEWAY = 30
_EXAMPLE = "https://docs.notifications.service.gov.uk/rest-api.html#authorisation-header"
_MALFORMED = f"Invalid token: make sure your API token matches the example at {_EXAMPLE}"
_CLOCK = "Error: Your system clock must be accurate to within 30 seconds"
_REMEMBERED = 10_000


class Caller(NamedTuple):
    service: Service
    key: ApiKey


class _Token(NamedTuple):
    text: str
    algorithm: object
    claims: dict[str, object]


class Authentication:
    """Remembers the tokens it has verified: a client uses one for many requests."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._verified: dict[str, tuple[str, ApiKey, int]] = {}

    def caller(self, header: str | None) -> Caller:
        """The service and key behind an Authorization header."""
        text = _bearer_token(header)
        known = self._verified.get(text)
        if known is None:
            known = self._verify(_read(text))
            if len(self._verified) >= _REMEMBERED:
                self._verified.clear()
            self._verified[text] = known
        service_id, key, issued_at = known
        if abs(time.time() - issued_at) > LEEWAY:
            raise not_authorised(_CLOCK)
        service = self._service(service_id)
        if key.revoked_at is not None:
            raise not_authorised("Invalid token: API key revoked")
        return Caller(service, key)

    def _verify(self, token: _Token) -> tuple[str, ApiKey, int]:
        service = self._service(_issuer(token))
        if token.algorithm != "HS256":
            raise not_authorised("Invalid token: algorithm used is not HS256")
        for key in service.keys:
            if _is_signed_with(token.text, key.secret):
                return service.id, key, _issued_at(token)
        raise not_authorised("Invalid token: API key not found")

    def _service(self, service_id: str) -> Service:
        service = self._world.services.get(service_id)
        if service is None:
            raise not_authorised("Invalid token: service not found")
        if not service.keys:
            raise not_authorised("Invalid token: service has no API keys")
        if not service.active:
            raise not_authorised("Invalid token: service is archived")
        return service


def _bearer_token(header: str | None) -> str:
    if not header:
        raise not_authorised("Unauthorized: authentication token must be provided", status=401)
    if header[:7].title() != "Bearer ":
        raise not_authorised("Unauthorized: authentication bearer scheme must be used", status=401)
    return header[7:]


def _read(text: str) -> _Token:
    """What a token says, before anyone has vouched for it."""
    try:
        parts = jws.extract_compact(text.encode())
        claims = json.loads(parts.payload)
    except (JoseError, ValueError):
        raise not_authorised(_MALFORMED) from None
    if not isinstance(claims, dict):
        raise not_authorised(_MALFORMED)
    return _Token(text, parts.headers().get("alg"), claims)


def _issuer(token: _Token) -> str:
    if "iss" not in token.claims:
        raise not_authorised("Invalid token: iss field not provided")
    try:
        return str(uuid.UUID(token.claims["iss"]))  # type: ignore[arg-type]
    except (ValueError, TypeError, AttributeError):
        raise _wrong_issuer() from None


def _wrong_issuer() -> NotifyError:
    return not_authorised("Invalid token: service id is not the right data type")


def _is_signed_with(text: str, secret: str) -> bool:
    try:
        jws.deserialize_compact(text, OctKey.import_key(secret), algorithms=["HS256"])
    except JoseError:
        return False
    return True


def _issued_at(token: _Token) -> int:
    if "iat" not in token.claims:
        # Notify takes a token without a time for one of another key.
        raise not_authorised("Invalid token: API key not found")
    issued_at = token.claims["iat"]
    if isinstance(issued_at, bool) or not isinstance(issued_at, int | float):
        raise not_authorised(_CLOCK)
    return int(issued_at)
