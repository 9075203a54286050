"""What a deployment chooses, read once from the environment."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple
from urllib.parse import urlsplit

from postroom.domain.action import NOTE_REQUIRED, ActionType
from postroom.domain.circuit import CircuitPolicy
from postroom.domain.retry import RetryPolicy
from postroom.domain.role import Role
from postroom.features.limits import LimitDefaults, ServiceLimits, check_limits
from postroom.kit.crypto import SHORTEST_SECRET

_MOST_DAYS = 3_650
_OF_THIS_MACHINE = (("http", "127.0.0.1"), ("http", "localhost"))
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5}|:\*)?")
_CONTACT = re.compile(r"mailto:[!-~]+@[!-~]+|https://[!-~]+")
_COOKIE_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]*")
GOVUK_NOTIFY = "https://api.notifications.service.gov.uk"


class BadSettings(Exception):
    """The environment cannot be run with; the text says which variable, and what to do."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose tokens are taken beside the old sign-in's, and what groups make of a person. Empty is off."""

    officer_issuer: str = ""
    officer_audience: str = ""
    service_token_secret: str = field(default="", repr=False)
    cognito_issuer: str = ""
    cognito_client_ids: tuple[str, ...] = ()
    cognito_keys_url: str = ""
    unverified_emails: bool = False
    behind_gateway: bool = False
    # By a group's name in lower case.
    roles: Mapping[str, frozenset[Role]] = field(default_factory=dict)
    reopening: frozenset[Role] = frozenset({Role.MANAGER})


class ReadyOfficer(NamedTuple):
    """Somebody whom the demo lets anybody be. `told` says what there is to try as them."""

    email: str
    groups: tuple[str, ...]
    told: str


@dataclass(frozen=True, slots=True)
class PageSettings:
    """The pages for officers and developers."""

    on: bool = True
    sso_cookie: str = "hackneyToken"
    """The cookie of the council's own sign-in, which holds a token; empty for none."""
    sign_in_url: str = ""
    """Where the council's own sign-in is."""
    origin: str = ""
    """The origin that browsers see, where that is not the Host of the requests that arrive here."""
    insecure_cookies: bool = False
    """For pages over http, as on a developer's machine."""
    ready_officers: tuple[ReadyOfficer, ...] = ()
    ready_service: str = ""
    """The service by which the demo sends them something."""


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """Follow-on links: where people reach Postroom, its prefix included; without that there are none."""

    public_url: str = ""
    placeholder: str = "follow_on_link"
    last: timedelta = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that is chosen from outside. Secrets are kept out of the text form."""

    database_url: str
    secret: str = field(repr=False)
    officer_token_secret: str = field(repr=False)
    raw_notify_keys: bool = False
    notify_base_url: str = GOVUK_NOTIFY
    host: str = "127.0.0.1"
    port: int = 8000
    api_prefix: str = ""
    allowed_origins: tuple[str, ...] = ()
    log_level: str = "INFO"
    at_once: int = 64
    keep_idempotency_keys: timedelta = timedelta(hours=24)
    private_webhooks: bool = False
    push_contact: str = ""
    """Whom a push service turns to, as an address of mailto: or https:."""
    need_note: frozenset[ActionType] = NOTE_REQUIRED
    """The actions that say why."""
    links: LinkSettings = field(default_factory=LinkSettings)
    most_streams: int = 10_000
    overdue_after: timedelta = timedelta(days=3)
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    circuit: CircuitPolicy = field(default_factory=CircuitPolicy)
    limits: LimitDefaults = field(default_factory=LimitDefaults)
    trust: Trust = field(default_factory=Trust)
    pages: PageSettings = field(default_factory=PageSettings)


def read_settings(environment: Mapping[str, str] | None = None, **given: object) -> Settings:
    """Settings from the environment, with `given` ones in their place. BadSettings names every fault."""
    variables = os.environ if environment is None else environment
    faults: list[str] = []
    values: dict[str, object] = {
        "database_url": database_url(variables),
        "secret": variables.get("POSTROOM_SECRET", ""),
        "officer_token_secret": variables.get("OFFICER_TOKEN_SECRET", ""),
        "raw_notify_keys": _flag(variables, "RAW_NOTIFY_KEYS", faults),
        "notify_base_url": variables.get("NOTIFY_BASE_URL", GOVUK_NOTIFY).rstrip("/"),
        "host": variables.get("POSTROOM_HOST", "127.0.0.1"),
        "port": _whole(variables, "POSTROOM_PORT", 8000, faults),
        "api_prefix": variables.get("POSTROOM_API_PREFIX", "").rstrip("/"),
        "allowed_origins": _origins(variables, faults),
        "log_level": variables.get("POSTROOM_LOG_LEVEL", "INFO"),
        "at_once": _whole(variables, "POSTROOM_AT_ONCE", 64, faults),
        "keep_idempotency_keys": timedelta(
            hours=_whole(variables, "POSTROOM_KEEP_IDEMPOTENCY_KEYS_HOURS", 24, faults)
        ),
        "overdue_after": timedelta(days=_whole(variables, "POSTROOM_OVERDUE_AFTER_DAYS", 3, faults)),
        "private_webhooks": _flag(variables, "POSTROOM_PRIVATE_WEBHOOKS", faults),
        "push_contact": _push_contact(variables, faults),
        "most_streams": _whole(variables, "POSTROOM_MOST_STREAMS", 10_000, faults),
        "policy": _policy(variables, faults),
        "circuit": _circuit(variables, faults),
        "limits": _limits(variables, faults),
        "need_note": NOTE_REQUIRED
        if _flag(variables, "POSTROOM_REJECT_NEEDS_NOTE", faults, default="on")
        else NOTE_REQUIRED - {ActionType.REJECTED},
        "links": _links(variables, faults),
        "trust": _trust(variables, faults),
        "pages": _pages(variables, faults),
    }
    values.update({name: value for name, value in given.items() if value is not None})
    for name, variable in (("secret", "POSTROOM_SECRET"), ("officer_token_secret", "OFFICER_TOKEN_SECRET")):
        if len(str(values[name])) < SHORTEST_SECRET:
            faults.append(f"{variable} must be set, to at least {SHORTEST_SECRET} random characters")
    if values["at_once"] == 0:
        faults.append("POSTROOM_AT_ONCE must be at least 1")
    if not str(values["database_url"]).startswith(("sqlite:///", "postgresql://")):
        faults.append("DATABASE_URL must begin with sqlite:/// or postgresql://")
    if faults:
        raise BadSettings("; ".join(faults))
    return Settings(**values)  # type: ignore[arg-type]


def database_url(variables: Mapping[str, str] | None = None) -> str:
    """Where the database is: all that a command needs which only looks something up."""
    return (os.environ if variables is None else variables).get("DATABASE_URL", "sqlite:///postroom.db")


def _policy(variables: Mapping[str, str], faults: list[str]) -> RetryPolicy:
    """The retry policy; each of its times can be set in seconds, as in POSTROOM_LEASE_SECONDS."""
    default = RetryPolicy()
    policy = RetryPolicy(
        **{
            name: _seconds(variables, f"POSTROOM_{name.upper()}_SECONDS", getattr(default, name), faults)
            for name in RetryPolicy.__slots__
        }
    )
    if not policy.call_timeout < policy.lease:
        faults.append("POSTROOM_LEASE_SECONDS must be more than POSTROOM_CALL_TIMEOUT_SECONDS")
    if not policy.call_timeout < policy.quiet:
        faults.append("POSTROOM_QUIET_SECONDS must be more than POSTROOM_CALL_TIMEOUT_SECONDS")
    return policy


def _circuit(variables: Mapping[str, str], faults: list[str]) -> CircuitPolicy:
    """When a provider that does not answer is called no more, and how often it is tried then."""
    default = CircuitPolicy()
    first, longest = "POSTROOM_CIRCUIT_FIRST_WAIT_SECONDS", "POSTROOM_CIRCUIT_LONGEST_WAIT_SECONDS"
    policy = CircuitPolicy(
        opens_after=_whole(variables, "POSTROOM_CIRCUIT_OPENS_AFTER", default.opens_after, faults),
        first_wait=_seconds(variables, first, default.first_wait, faults),
        longest_wait=_seconds(variables, longest, default.longest_wait, faults),
    )
    if policy.opens_after == 0:
        faults.append("POSTROOM_CIRCUIT_OPENS_AFTER must be at least 1")
    if not timedelta(0) < policy.first_wait <= policy.longest_wait:
        faults.append(f"{first} must be more than 0, and no more than {longest}")
    return policy


def _limits(variables: Mapping[str, str], faults: list[str]) -> LimitDefaults:
    """What holds for a service that nothing else was chosen for, as in POSTROOM_NOTIFY_A_MINUTE."""
    default, numbers = LimitDefaults(), {}
    for name in LimitDefaults.__slots__:
        variable = f"POSTROOM_{name.upper()}"
        number = _whole(variables, variable, getattr(default, name), faults)
        faults += [f"{variable}: {fault.message}" for fault in check_limits(ServiceLimits(**{name: number}))]
        numbers[name] = number
    return LimitDefaults(**numbers)


def _links(variables: Mapping[str, str], faults: list[str]) -> LinkSettings:
    default = LinkSettings()
    days = _whole(variables, "POSTROOM_LINKS_LAST_DAYS", default.last.days, faults)
    settings = LinkSettings(
        public_url=variables.get("POSTROOM_PUBLIC_URL", "").rstrip("/"),
        placeholder=variables.get("POSTROOM_LINK_PLACEHOLDER", default.placeholder),
        last=timedelta(days=min(days, _MOST_DAYS)),
    )
    if settings.public_url and not _is_safe(settings.public_url):
        faults.append("POSTROOM_PUBLIC_URL must begin with https://")
    if not 1 <= days <= _MOST_DAYS:
        faults.append(f"POSTROOM_LINKS_LAST_DAYS must be 1 to {_MOST_DAYS}")
    if not settings.placeholder.strip() or "(" in settings.placeholder or ")" in settings.placeholder:
        faults.append("POSTROOM_LINK_PLACEHOLDER must be the name of a placeholder, without brackets")
    return settings


def _push_contact(variables: Mapping[str, str], faults: list[str]) -> str:
    public_url = variables.get("POSTROOM_PUBLIC_URL", "").rstrip("/")
    contact = variables.get("POSTROOM_VAPID_SUBJECT", "")
    if contact and not _CONTACT.fullmatch(contact):
        faults.append("POSTROOM_VAPID_SUBJECT must be like mailto:team@hackney.gov.uk, or an https address")
    return contact or (public_url if public_url.startswith("https://") else "")


def _trust(variables: Mapping[str, str], faults: list[str]) -> Trust:
    issuer = variables.get("COGNITO_ISSUER", "").rstrip("/")
    client_ids = _names(variables, "COGNITO_CLIENT_IDS")
    keys_url = variables.get("COGNITO_KEYS_URL", "") or (issuer and f"{issuer}/.well-known/jwks.json")
    secret = variables.get("SERVICE_TOKEN_SECRET", "")
    if issuer:
        faults += [
            f"{name} must begin with https://"
            for name, url in (("COGNITO_ISSUER", issuer), ("COGNITO_KEYS_URL", keys_url))
            if not _is_safe(url)
        ]
    if issuer and not client_ids:
        faults.append("COGNITO_CLIENT_IDS must name the app clients whose tokens are taken")
    if not issuer and (client_ids or "COGNITO_KEYS_URL" in variables):
        faults.append("COGNITO_ISSUER must be set where another COGNITO_ variable is")
    if secret and len(secret) < SHORTEST_SECRET:
        faults.append(f"SERVICE_TOKEN_SECRET must have at least {SHORTEST_SECRET} random characters")
    return Trust(
        officer_issuer=variables.get("OFFICER_TOKEN_ISSUER", ""),
        officer_audience=variables.get("OFFICER_TOKEN_AUDIENCE", ""),
        service_token_secret=secret,
        cognito_issuer=issuer,
        cognito_client_ids=client_ids,
        cognito_keys_url=keys_url,
        unverified_emails=_flag(variables, "COGNITO_UNVERIFIED_EMAILS", faults),
        behind_gateway=_flag(variables, "POSTROOM_BEHIND_GATEWAY", faults),
        roles=_roles(variables),
        reopening=_reopening(variables, faults),
    )


def _origins(variables: Mapping[str, str], faults: list[str]) -> tuple[str, ...]:
    """The origins whose pages may call, as a browser names them."""
    origins = tuple(name.lower() for name in _names(variables, "POSTROOM_ALLOWED_ORIGINS"))
    wrong = [name for name in origins if name != "*" and not _ORIGIN.fullmatch(name)]
    if wrong:
        faults.append(
            f"POSTROOM_ALLOWED_ORIGINS: {', '.join(wrong)} must be an origin without a path, "
            "as https://front-end.example, http://localhost:* for any port, or * for any origin"
        )
    return origins


def _pages(variables: Mapping[str, str], faults: list[str]) -> PageSettings:
    default = PageSettings()
    origin = variables.get("POSTROOM_PAGES_ORIGIN", "").rstrip("/")
    sign_in_url = variables.get("POSTROOM_SIGN_IN_URL", "")
    sso_cookie = variables.get("POSTROOM_SSO_COOKIE", default.sso_cookie)
    parts = urlsplit(origin)
    if origin and (parts.scheme not in ("https", "http") or not parts.netloc or parts.path or parts.query):
        faults.append("POSTROOM_PAGES_ORIGIN must be like https://postroom.hackney.gov.uk")
    if sign_in_url and not _is_safe(sign_in_url):
        faults.append("POSTROOM_SIGN_IN_URL must begin with https://")
    if not _COOKIE_NAME.fullmatch(sso_cookie):
        faults.append("POSTROOM_SSO_COOKIE must be the name of a cookie, or empty")
    return PageSettings(
        on=_flag(variables, "POSTROOM_PAGES", faults, default="on"),
        sso_cookie=sso_cookie,
        sign_in_url=sign_in_url,
        origin=origin,
        insecure_cookies=_flag(variables, "POSTROOM_INSECURE_COOKIES", faults),
    )


def _is_safe(url: str) -> bool:
    """Whether nobody on the way can change what comes from there."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme, parts.hostname) in _OF_THIS_MACHINE


def _roles(variables: Mapping[str, str]) -> dict[str, frozenset[Role]]:
    """What each group's members are, as in POSTROOM_AUDITOR_GROUPS="internal audit;data protection"."""
    roles: dict[str, frozenset[Role]] = {}
    for role in Role:
        for group in _names(variables, f"POSTROOM_{role.upper()}_GROUPS"):
            roles[group.lower()] = roles.get(group.lower(), frozenset()) | {role}
    return roles


def _reopening(variables: Mapping[str, str], faults: list[str]) -> frozenset[Role]:
    if "POSTROOM_REOPEN_ROLES" not in variables:
        return Trust().reopening
    names = _names(variables, "POSTROOM_REOPEN_ROLES")
    if any(name not in set(Role) for name in names):
        faults.append(f"POSTROOM_REOPEN_ROLES must name some of {', '.join(Role)}")
        return frozenset()
    return frozenset(Role(name) for name in names)


def _names(variables: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Names with semicolons between."""
    return tuple(each.strip() for each in variables.get(name, "").split(";") if each.strip())


def _flag(variables: Mapping[str, str], name: str, faults: list[str], *, default: str = "off") -> bool:
    text = variables.get(name, default).lower()
    if text not in ("on", "off", "true", "false", "1", "0"):
        faults.append(f"{name} must be on or off")
    return text in ("on", "true", "1")


def _seconds(variables: Mapping[str, str], name: str, default: timedelta, faults: list[str]) -> timedelta:
    if name not in variables:
        return default
    try:
        return timedelta(seconds=float(variables[name]))
    except (ValueError, OverflowError):
        faults.append(f"{name} must be a number of seconds")
        return default


def _whole(variables: Mapping[str, str], name: str, default: int, faults: list[str]) -> int:
    text = variables.get(name, str(default))
    if not text.isdigit():
        faults.append(f"{name} must be a whole number")
        return default
    return int(text)
