"""Where a service's follow-on links may lead: hosts by name, and `*.` before a name for all below it."""

import re
from collections.abc import Collection, Sequence
from urllib.parse import urlsplit

import msgspec

from postroom.domain.errors import FieldError, Invalid
from postroom.features import audit
from postroom.features.services import store
from postroom.features.services.noted import note_change
from postroom.kit.database import AsyncConnection

MOST_HOSTS = 50
LONGEST_URL = 2_000

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?:\*\.)?(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?", re.ASCII)
_URL = re.compile(r"https://[!#-;=?-\[\]_a-z~]+", re.IGNORECASE | re.ASCII)
"""What may stand in an address: printable ASCII without blanks, quotes, backslashes and angles."""


async def set_link_hosts(
    conn: AsyncConnection, *, service_id: str, hosts: Sequence[str], by: audit.By | None = None
) -> tuple[str, ...]:
    """The hosts that the service's follow-on links may lead to from now on; Invalid where one is no name."""
    kept = to_hosts(hosts)
    if faults := check_hosts(kept):
        raise Invalid(faults)
    await store.update_service(conn, service_id, {"link_hosts": msgspec.json.encode(kept).decode()})
    await note_change(conn, service_id, "link_hosts", by=by)
    return kept


def to_hosts(names: Sequence[str]) -> tuple[str, ...]:
    """The names as they are kept: in lower case, each once."""
    return tuple(dict.fromkeys(name.strip().lower() for name in names))


def check_hosts(hosts: Sequence[str]) -> list[FieldError]:
    """What is wrong with names that `to_hosts` has made."""
    if len(hosts) > MOST_HOSTS:
        return [FieldError("allowedLinkHosts", f"Use up to {MOST_HOSTS} hosts.")]
    if any(len(host) > 253 or not _HOST.fullmatch(host) for host in hosts):
        words = "Use names of hosts, as in forms.hackney.gov.uk, or *.hackney.gov.uk for all below it."
        return [FieldError("allowedLinkHosts", words)]
    return []


def leads_to_allowed_host(url: str, hosts: Collection[str]) -> bool:
    """Whether it is an address by https, without a user or a port, of one of the hosts."""
    if len(url) > LONGEST_URL or not _URL.fullmatch(url):
        return False
    try:
        parts = urlsplit(url)
        host, is_plain = (parts.hostname or "").lower(), parts.port in (None, 443)
    except ValueError:
        return False
    return is_plain and "@" not in parts.netloc and any(_allows(each, host) for each in hosts)


def _allows(pattern: str, host: str) -> bool:
    if pattern.startswith("*."):
        return host.endswith(pattern[1:]) and len(host) > len(pattern) - 1
    return host == pattern
