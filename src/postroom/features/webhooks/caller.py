"""Making a call: one POST, without redirects, cookies or proxies, and nothing of the answer is kept."""

import asyncio
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta

import aiohttp

from postroom.features.webhooks.retry import Answer
from postroom.kit.dialling import AddressRefused, PatientResolver, public_socket

_CALL_SECONDS = 10
_READ_AT_MOST = 64 * 1024
_READ_SECONDS = 0.5
_HEADERS = {"Content-Type": "application/json", "User-Agent": "Postroom"}


class Caller:
    """One session for all endpoints, whose slots bound its connections. `private` dials any address."""

    def __init__(self, *, private: bool, call_seconds: float = _CALL_SECONDS) -> None:
        self._private = private
        self._call_seconds = call_seconds
        self._session: aiohttp.ClientSession | None = None

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """What the endpoint answered, or why it did not: never an exception for what is its fault."""
        began = time.monotonic()
        try:
            status, retry_after = await self._post(url, body, headers)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return Answer(error=_word_for(error), took=_since(began))
        return Answer(status_code=status, retry_after=retry_after, took=_since(began))

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str | None]:
        async with self._open().post(
            url, data=body, headers={**_HEADERS, **headers}, allow_redirects=False
        ) as response:
            await _read_away(response)
            return response.status, response.headers.get("Retry-After")

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=0,
                resolver=PatientResolver(),
                socket_factory=None if self._private else public_socket,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=self._call_seconds),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
            )
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


async def _read_away(response: aiohttp.ClientResponse) -> None:
    """Read a short answer to its end, so that its connection serves again; a long one is cut off."""
    left = _READ_AT_MOST
    with suppress(TimeoutError, aiohttp.ClientError):
        async with asyncio.timeout(_READ_SECONDS):
            while left > 0 and (chunk := await response.content.readany()):
                left -= len(chunk)


def _since(began: float) -> timedelta:
    return timedelta(seconds=time.monotonic() - began)


def _word_for(error: BaseException) -> str:
    """A word that says what went wrong, and nothing of the address."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, AddressRefused):
            return "address-refused"
        cause = getattr(cause, "os_error", None) or cause.__cause__
    if isinstance(error, aiohttp.InvalidURL | UnicodeError):
        return "address-wrong"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "name-not-found"
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return "tls"
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "no-connection"
    return "broken-connection"
