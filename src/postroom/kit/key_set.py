"""The public keys that an issuer signs tokens with (a JWKS): fetched when needed, kept while it is away."""

import asyncio
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from postroom.kit.clock import Clock
from postroom.kit.log import get_logger

log = get_logger(__name__)

_CURRENT_FOR = timedelta(hours=1)
_USED_FOR = timedelta(hours=24)
"""An issuer that is away for longer than this has issued no token that still holds."""
_BETWEEN_FETCHES = timedelta(seconds=30)
"""Whatever key ids tokens name, the issuer is not asked more often; where it did not answer, soon again."""
_AFTER_A_FAILURE = timedelta(seconds=5)
_PATIENCE_SECONDS = 3
_LARGEST_BYTES = 64 * 1024
_MOST_KEYS = 32
_FEWEST_BITS = 2048


class NoKeys(Exception):
    """The issuer does not answer, and no key of it is known."""


class KeySet:
    """The keys of one issuer by their ids, from one address that the configuration names, and no other."""

    def __init__(self, url: str, *, clock: Clock) -> None:
        self._url = url
        self._clock = clock
        self._keys: dict[str, RSAKey] = {}
        self._fetched_at: datetime | None = None
        self._asked_at: datetime | None = None
        self._asking = asyncio.Lock()
        self._refreshing: asyncio.Task[None] | None = None

    async def key(self, key_id: str) -> RSAKey | None:
        """The key of that id, None where the issuer has none such; NoKeys where it has not been heard of."""
        now = self._clock()
        known = self._keys.get(key_id) if self._is_younger(now, _USED_FOR) else None
        if known is None:
            await self._refresh()
            if not self._is_younger(now, _USED_FOR):
                raise NoKeys
            return self._keys.get(key_id)
        if not self._is_younger(now, _CURRENT_FOR) and self._may_ask(now) and not self._asking.locked():
            # Who has a key that still serves does not wait for the next ones.
            self._refreshing = asyncio.create_task(self._refresh())
        return known

    def _is_younger(self, now: datetime, age: timedelta) -> bool:
        return self._fetched_at is not None and now - self._fetched_at < age

    def _may_ask(self, now: datetime) -> bool:
        answered = self._fetched_at is not None and self._fetched_at == self._asked_at
        pause = _BETWEEN_FETCHES if answered else _AFTER_A_FAILURE
        return self._asked_at is None or now - self._asked_at >= pause

    async def _refresh(self) -> None:
        """Ask once, however many want to; what was known stays where there is no right answer."""
        async with self._asking:
            now = self._clock()
            if not self._may_ask(now):
                return
            self._asked_at = now
            found = await self._fetch()
            if found:
                self._keys, self._fetched_at = found, now
            else:
                log.warning("the keys that officers' tokens are signed with cannot be fetched")

    async def _fetch(self) -> dict[str, RSAKey]:
        with suppress(aiohttp.ClientError, TimeoutError, OSError, msgspec.MsgspecError, RecursionError):
            timeout = aiohttp.ClientTimeout(total=_PATIENCE_SECONDS)
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(self._url, allow_redirects=False) as answer,
            ):
                if answer.status == 200:
                    return dict(_keys_in(await _read(answer)))
        return {}


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    """The body, cut where it is longer than any set of keys: what is cut does not decode."""
    parts, left = [], _LARGEST_BYTES
    async for part in answer.content.iter_any():
        parts.append(part[:left])
        left -= len(part)
        if left <= 0:
            break
    return b"".join(parts)


class _Set(msgspec.Struct):
    keys: list[dict[str, Any]]


def _keys_in(body: bytes) -> Iterator[tuple[str, RSAKey]]:
    """The set's RSA keys that are for signatures by RS256, and long enough; others are passed over."""
    for told in msgspec.json.decode(body, type=_Set).keys[:_MOST_KEYS]:
        key_id = told.get("kid")
        kind = told.get("kty"), told.get("alg", "RS256"), told.get("use", "sig")
        if kind != ("RSA", "RS256", "sig") or not isinstance(key_id, str):
            continue
        public = {name: told.get(name) for name in ("kty", "n", "e")}
        with suppress(JoseError, LookupError, ValueError, TypeError, OverflowError):
            if _bits(told["n"]) >= _FEWEST_BITS:
                yield key_id, RSAKey.import_key(public)  # type: ignore[arg-type]


def _bits(modulus: str) -> int:
    return int.from_bytes(urlsafe_b64decode(modulus + "==")).bit_length()
