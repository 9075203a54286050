"""Only public addresses are dialled, however an inner one is written or named."""

import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from postroom.kit.dialling import AddressRefused, PatientResolver, is_public, public_socket

REFUSED = {
    "this host": "0.0.0.0",
    "this network": "0.1.2.3",
    "private, 10": "10.1.2.3",
    "private, 172": "172.31.255.255",
    "private, 192": "192.168.1.1",
    "loopback": "127.0.0.1",
    "loopback, another": "127.255.0.9",
    "carrier's NAT": "100.64.0.1",
    "carrier's NAT, last": "100.127.255.255",
    "link-local": "169.254.1.1",
    "metadata": "169.254.169.254",
    "metadata of a container": "169.254.170.2",
    "protocol assignments": "192.0.0.8",
    "documentation": "192.0.2.1",
    "AS112": "192.31.196.1",
    "AMT": "192.52.193.1",
    "6to4 relay": "192.88.99.1",
    "direct delegation": "192.175.48.1",
    "benchmarks": "198.19.255.255",
    "documentation, second": "198.51.100.7",
    "documentation, third": "203.0.113.7",
    "multicast": "224.0.0.1",
    "multicast, last": "239.255.255.255",
    "reserved": "240.0.0.1",
    "broadcast": "255.255.255.255",
    "v6 unspecified": "::",
    "v6 loopback": "::1",
    "v6 mapped loopback": "::ffff:127.0.0.1",
    "v6 mapped metadata": "::ffff:169.254.169.254",
    "v6 mapped public": "::ffff:8.8.8.8",
    "v6 compatible": "::127.0.0.1",
    "v6 translated": "::ffff:0:127.0.0.1",
    "NAT64": "64:ff9b::7f00:1",
    "NAT64, local": "64:ff9b:1::a00:1",
    "discard": "100::1",
    "Teredo": "2001::1",
    "ORCHID": "2001:20::1",
    "v6 benchmarks": "2001:2::1",
    "v6 documentation": "2001:db8::1",
    "v6 documentation, second": "3fff::1",
    "6to4 loopback": "2002:7f00:1::",
    "6to4 metadata": "2002:a9fe:a9fe::1",
    "segment routing": "5f00::1",
    "unique local": "fd12:3456::1",
    "metadata by v6": "fd00:ec2::254",
    "v6 link-local": "fe80::1",
    "v6 link-local with a zone": "fe80::1%eth0",
    "public with a zone": "2a00:1450::1%eth0",
    "site-local": "fec0::1",
    "v6 multicast": "ff02::1",
}
PUBLIC = {
    "a public one": "8.8.8.8",
    "beside 10": "11.0.0.1",
    "beside 172": "172.32.0.1",
    "beside the carrier's": "100.128.0.1",
    "beside link-local": "169.253.255.255",
    "the last before multicast": "223.255.255.255",
    "a public v6": "2a00:1450:4009:81f::200e",
    "another public v6": "2606:4700::1111",
    "v6 beside the protocols": "2001:200::1",
}


def info(address: str) -> tuple[object, ...]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return (family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, 443))


@pytest.mark.parametrize("address", REFUSED.values(), ids=REFUSED)
def test_an_inner_address_is_refused_when_it_is_dialled(address: str) -> None:
    assert is_public(address) is False
    with pytest.raises(AddressRefused):
        public_socket(info(address))


@pytest.mark.parametrize("address", PUBLIC.values(), ids=PUBLIC)
def test_a_public_address_is_dialled(address: str) -> None:
    assert is_public(address) is True
    public_socket(info(address)).close()


def test_other_families_are_refused() -> None:
    with pytest.raises(AddressRefused):
        public_socket((socket.AF_UNIX, socket.SOCK_STREAM, 0, "", "/run/some.socket"))


@pytest.fixture
async def inner_port() -> AsyncIterator[int]:
    """A server that must not be reached."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="inner")

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield runner.addresses[0][1]
    await runner.cleanup()


class Rebinding(AbstractResolver):
    """A name that is public when it is looked at, and leads inside when it is dialled."""

    def __init__(self) -> None:
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked += 1
        return [
            ResolveResult(hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0)
        ]

    async def close(self) -> None:
        pass


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "named.example", "127.1", "2130706433", "0x7f.0.0.1", "[::ffff:127.0.0.1]"],
)
async def test_nothing_inside_is_reached(host: str, inner_port: int) -> None:
    resolver = Rebinding() if host == "named.example" else PatientResolver()
    connector = aiohttp.TCPConnector(resolver=resolver, socket_factory=public_socket)
    async with aiohttp.ClientSession(connector=connector) as session:
        with pytest.raises(aiohttp.ClientError):
            await session.get(f"http://{host}:{inner_port}/")
    await resolver.close()


async def test_the_server_of_these_tests_can_be_reached_otherwise(inner_port: int) -> None:
    resolver = PatientResolver()
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=resolver)) as session,
        session.get(f"http://localhost:{inner_port}/") as response,
    ):
        assert await response.text() == "inner"
    await resolver.close()
