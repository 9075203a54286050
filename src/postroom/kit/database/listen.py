"""Hearing what PostgreSQL's NOTIFY says, on a connection of its own, for as long as the process lives."""

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg
from sqlalchemy import URL

from postroom.kit.database.direct import connect_options
from postroom.kit.log import get_logger

log = get_logger(__name__)

_AWAY_SECONDS = 1


async def listen(url: URL, channel: str, *, heard: Callable[[], None]) -> None:
    """Call `heard` for each NOTIFY on the channel, until cancelled; and once after each connecting.

    While the connection is lost nothing is heard: whoever listens looks for itself from time to time.
    """
    options = connect_options(url)
    while True:
        try:
            await _listen_once(options, channel, heard)
        except Exception as error:
            # The driver's errors have no common base, and none of them may end the process.
            log.warning("listening to the database broke off", channel=channel, error=type(error).__name__)
        await asyncio.sleep(_AWAY_SECONDS)


async def _listen_once(options: dict[str, Any], channel: str, heard: Callable[[], None]) -> None:
    settings = {"application_name": f"postroom {channel}"}
    connection = await asyncpg.connect(**options, timeout=5, command_timeout=5, server_settings=settings)
    lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    connection.add_termination_listener(lambda _: None if lost.done() else lost.set_result(None))
    try:
        await connection.add_listener(channel, lambda *_: heard())
        heard()
        await lost
    finally:
        connection.terminate()
