"""Calling addresses that somebody else chose: only public ones are dialled.

The address is looked at when its socket is made, after every resolution of a name: what was checked is what
is dialled, whatever the name says a moment later.
"""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

_LOOKUPS_AT_ONCE = 32

_REFUSED_IPV4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
"""All that is public in IPv6 is in here; loopback, mapped, NAT64, local and multicast addresses are not."""
_REFUSED_IPV6 = tuple(
    IPv6Network(text)
    for text in (
        # Teredo, ORCHID and other assignments for protocols.
        "2001::/23",
        "2001:db8::/32",
        # 6to4: an IPv4 address in disguise.
        "2002::/16",
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)


class AddressRefused(OSError):
    """The address is not a public one. The text does not name it."""


def is_public(address: str) -> bool:
    """Whether an IP address belongs to a host on the public internet, in whatever form it is written."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv4Address):
        return not any(found in network for network in _REFUSED_IPV4)
    return _is_public_ipv6(found) and "%" not in address


def is_address(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def public_socket(addr_info: tuple[Any, ...]) -> socket.socket:
    """A socket for an address as `getaddrinfo` gives it; AddressRefused where it is not public."""
    family, kind, protocol, _, address = addr_info
    if family not in (socket.AF_INET, socket.AF_INET6) or not is_public(str(address[0])):
        raise AddressRefused("not a public address")
    return socket.socket(family=family, type=kind, proto=protocol)


def _is_public_ipv6(address: IPv6Address) -> bool:
    return address in _GLOBAL_UNICAST and not any(address in network for network in _REFUSED_IPV6)


class PatientResolver(AbstractResolver):
    """Looks names up in threads of its own: a name that nobody answers for holds up nothing else."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(max_workers=_LOOKUPS_AT_ONCE, thread_name_prefix="webhook-names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, _look_up, host, port, family)
        return [
            ResolveResult(
                hostname=host, host=str(address[0]), port=port, family=family, proto=protocol, flags=0
            )
            for family, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str, port: int, family: int) -> list[tuple[Any, ...]]:
    return [
        *socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    ]
