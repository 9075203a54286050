"""The floor of streams: connections that a bare ASGI application on the same server holds, and writes to.

    streams.py READY_FILE

Nobody is asked who they are, nothing is counted or kept: what is posted is written to every connection as
it came.
"""

import asyncio
import socket
import sys
from pathlib import Path
from typing import Any

import uvicorn
import uvloop

from bench.ready import say_ready

_HEADERS = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-store")]
_FIRST = b'id: 0\nevent: count\ndata: {"unread":0}\n\n'


class Board:
    """What is posted to it comes to all who hold a stream."""

    def __init__(self) -> None:
        self._held: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "POST":
            await self._tell_all((await receive())["body"])
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await send({"type": "http.response.body", "body": _FIRST, "more_body": True})
        self._held.append(send)
        while (await receive())["type"] != "http.disconnect":
            pass
        self._held.remove(send)

    async def _tell_all(self, body: bytes) -> None:
        for send in self._held:
            await send({"type": "http.response.body", "body": body, "more_body": True})


async def serve(ready: Path) -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    config = uvicorn.Config(
        Board(),
        interface="asgi3",
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
    )
    serving = asyncio.create_task(uvicorn.Server(config).serve(sockets=[listener]))
    say_ready(ready, port=listener.getsockname()[1])
    await serving


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1])))
