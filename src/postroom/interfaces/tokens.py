"""Signed tokens: whose each is, by what is configured, and whether it says what such a token must.

Three issuers can be trusted: the council's old sign-in and its makers of service tokens (HS256, a secret
each), and Cognito (RS256, by its key set); and we ourselves, for minutes, for the scripts of our own pages.
What a token says of itself only chooses among them; each has its own algorithm and its own key, and takes
nothing else.
"""

import math
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey, RSAKey
from joserfc.jwt import JWTClaimsRegistry

from postroom.domain.caller import Person
from postroom.domain.errors import Busy, Unauthenticated
from postroom.features.services import Consumer
from postroom.kit.clock import Clock
from postroom.kit.crypto import key_from
from postroom.kit.key_set import KeySet, NoKeys
from postroom.settings import Settings, Trust

LONGEST_TOKEN = 8_192
_LEEWAY_SECONDS = 5
_REMEMBERED_SECONDS = 600
"""A key that its issuer has withdrawn is not trusted for longer than this."""
_LONGEST_EMAIL = 320
_LONGEST_NAME = 200
_FAULTS = (JoseError, ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)

_ESSENTIAL: dict[str, Any] = {"essential": True}
_OF_PAGES = "postroom:pages"
_OF_PAGES_LAST_SECONDS = 300

Claims = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Verified:
    """Whom a token names, and until when that may be remembered and it holds, in seconds since 1970."""

    who: Person | Consumer
    until: float
    issued_at: float
    expires: float


class _Head(msgspec.Struct):
    """Of a token's header all that is read: where it says to find keys is nobody's business."""

    alg: str
    kid: str | None = None


_read_head = msgspec.json.Decoder(_Head).decode
_read_claims = msgspec.json.Decoder(Claims).decode


class Tokens:
    """Reads tokens, and makes those for our own pages.

    Behind a trusted gateway the signatures, which that has verified, are not looked at.
    """

    def __init__(self, settings: Settings, *, clock: Clock) -> None:
        trust = settings.trust
        self._clock = clock
        self._behind_gateway = trust.behind_gateway
        self._cognito_issuer = trust.cognito_issuer
        self._officers = _old_sign_in(settings)
        self._services = _Issuer(
            algorithm="HS256",
            key=OctKey.import_key(trust.service_token_secret) if trust.service_token_secret else None,
            # They need not expire: they are admitted one by one, and revoked here.
            wanted={"consumerName": _ESSENTIAL, "id": _ESSENTIAL},
            who=_consumer,
        )
        self._cognito = _cognito(trust, clock)
        self._pages = _of_pages(settings)

    async def verified(self, token: str) -> Verified:
        """Whom the token names; Unauthenticated where it is not right in every way.

        Busy where that cannot be known now, because the issuer's keys cannot be had.
        """
        try:
            head, told = _parts(token)
            issuer = self._issuer(told)
            claims = told if self._behind_gateway else await _signed(token, head, issuer)
            if claims != told:
                raise ValueError  # Whoever reads it otherwise than we did is not followed.
            now = self._clock().timestamp()
            JWTClaimsRegistry(now=int(now), leeway=_LEEWAY_SECONDS, **issuer.wanted).validate(claims)
            expires = float(claims.get("exp", math.inf))
            until = min(expires, now + _REMEMBERED_SECONDS)
            issued_at = _issued_at(claims, now)
            return Verified(who=issuer.who(claims), until=until, issued_at=issued_at, expires=expires)
        except NoKeys:
            raise Busy("The keys that this token is signed with cannot be fetched now.") from None
        except _FAULTS:
            raise Unauthenticated("This token is not valid, or not any more.") from None

    def for_a_page(self, verified: Verified) -> str:
        """A token for a page's own script: it says the same, for minutes, and never longer than the other.

        It was issued when that was: what that says of groups is not newer for being said again.
        """
        if not isinstance(verified.who, Person) or not isinstance(self._pages.key, OctKey):
            raise Unauthenticated("This is a service's token: the pages are for people.")
        claims = {
            "iss": _OF_PAGES,
            "email": verified.who.email,
            "groups": list(verified.who.groups),
            "iat": int(verified.issued_at),
            "exp": int(min(verified.expires, self._clock().timestamp() + _OF_PAGES_LAST_SECONDS)),
        }
        return jwt.encode({"typ": "JWT", "alg": self._pages.algorithm}, claims, self._pages.key)

    def _issuer(self, told: Claims) -> "_Issuer":
        if told.get("iss") == _OF_PAGES:
            return self._pages
        if self._cognito_issuer and told.get("iss") == self._cognito_issuer:
            return self._cognito
        return self._services if "consumerName" in told else self._officers


@dataclass(frozen=True, slots=True)
class _Issuer:
    """One that is trusted: how it signs, what its tokens must say, and whom they name."""

    algorithm: str
    key: OctKey | KeySet | None
    wanted: Mapping[str, Any]
    who: Callable[[Claims], Person | Consumer]


def _old_sign_in(settings: Settings) -> _Issuer:
    trust = settings.trust
    wanted: dict[str, Any] = {"exp": _ESSENTIAL, "email": _ESSENTIAL}
    if trust.officer_issuer:
        wanted["iss"] = _ESSENTIAL | {"value": trust.officer_issuer}
    if trust.officer_audience:
        wanted["aud"] = _ESSENTIAL | {"value": trust.officer_audience}

    def who(claims: Claims) -> Person:
        if "aud" in claims and not trust.officer_audience:
            raise ValueError  # It is meant for somebody, and nobody has said that we are that.
        return _person(claims, claims.get("groups") or [], trust)

    key = OctKey.import_key(settings.officer_token_secret)
    return _Issuer(algorithm="HS256", key=key, wanted=wanted, who=who)


def _of_pages(settings: Settings) -> _Issuer:
    """We ourselves, for the scripts of our own pages."""
    return _Issuer(
        algorithm="HS256",
        key=OctKey.import_key(key_from(settings.secret, purpose="tokens of the pages")),
        wanted={"iss": _ESSENTIAL | {"value": _OF_PAGES}, "exp": _ESSENTIAL, "email": _ESSENTIAL},
        who=lambda claims: _person(claims, claims.get("groups") or [], settings.trust),
    )


def _cognito(trust: Trust, clock: Clock) -> _Issuer:
    wanted = {
        "iss": _ESSENTIAL | {"value": trust.cognito_issuer},
        "aud": _ESSENTIAL | {"values": list(trust.cognito_client_ids)},
        "exp": _ESSENTIAL,
        "email": _ESSENTIAL,
        # Where it says what it is for: an access token is for other doors.
        "token_use": {"value": "id"},
    }
    return _Issuer(
        algorithm="RS256",
        key=KeySet(trust.cognito_keys_url, clock=clock),
        wanted=wanted,
        who=lambda claims: _person(_proved(claims, trust), _cognitos_groups(claims), trust),
    )


def _proved(claims: Claims, trust: Trust) -> Claims:
    """The claims, unless they say themselves that nobody has proved the address to be the person's."""
    verified = claims.get("email_verified", True)
    if verified is not True and verified != "true" and not trust.unverified_emails:
        raise ValueError
    return claims


async def _signed(token: str, head: _Head, issuer: _Issuer) -> Claims:
    """What the issuer has said: by its own algorithm, with its own key."""
    if head.alg != issuer.algorithm:
        raise ValueError
    key: OctKey | RSAKey | None
    if isinstance(issuer.key, KeySet):
        key = None if head.kid is None else await issuer.key.key(head.kid)
    else:
        key = issuer.key
    if key is None:
        raise ValueError
    return jwt.decode(token, key, algorithms=[issuer.algorithm]).claims


def _parts(token: str) -> tuple[_Head, Claims]:
    """What the token says of itself, before anything is believed; ValueError where it is no token."""
    if len(token) > LONGEST_TOKEN:
        raise ValueError
    head, claims, _ = token.split(".")
    return _read_head(_decoded(head)), _read_claims(_decoded(claims))


def _issued_at(claims: Claims, now: float) -> float:
    """When it was issued, as far as it says so; no later than now."""
    issued_at = claims.get("iat", now)
    return max(0.0, min(float(issued_at), now))


def _decoded(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _cognitos_groups(claims: Claims) -> Any:
    """`custom:groups` is one text, with semicolons between."""
    told = claims.get("custom:groups") or []
    return [name.strip() for name in told.split(";") if name.strip()] if isinstance(told, str) else told


def _person(claims: Claims, groups: Any, trust: Trust) -> Person:
    email = claims["email"].strip().lower()
    if not isinstance(groups, list) or not _is_email(email):
        raise ValueError
    names = tuple(group for group in groups if isinstance(group, str))
    roles = frozenset(role for name in names for role in trust.roles.get(name.strip().lower(), ()))
    return Person(email=email, groups=names, roles=roles, may_reopen=not trust.reopening.isdisjoint(roles))


def _is_email(email: str) -> bool:
    """Whether it can be whom a notification addresses. With a colon it could pass for group:<name>."""
    name, at, host = email.partition("@")
    return bool(
        name and at and host and ":" not in email and email.isprintable() and len(email) <= _LONGEST_EMAIL
    )


def _consumer(claims: Claims) -> Consumer:
    name, token_id = claims["consumerName"], claims["id"]
    if not isinstance(name, str) or isinstance(token_id, bool) or not isinstance(token_id, int | str):
        raise ValueError
    if len(name) > _LONGEST_NAME or len(str(token_id)) > _LONGEST_NAME:
        raise ValueError
    return Consumer(name=name, token_id=str(token_id))


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
