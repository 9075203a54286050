"""Where the API listens."""

import asyncio
import socket

from postroom.run import listen


class _Kept(asyncio.Protocol):
    def __init__(self, made: "asyncio.Future[asyncio.BaseTransport]") -> None:
        self._made = made

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._made.set_result(transport)


async def test_no_part_of_an_answer_waits_for_the_part_before_it_to_be_acknowledged() -> None:
    """Where one did, each answer to a client that keeps its connection came 40 ms late."""
    loop = asyncio.get_running_loop()
    made: asyncio.Future[asyncio.BaseTransport] = loop.create_future()
    listener = listen("127.0.0.1", 0)
    async with await loop.create_server(lambda: _Kept(made), sock=listener):
        with socket.create_connection(listener.getsockname()):
            transport = await made
            accepted = transport.get_extra_info("socket")
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            transport.close()
