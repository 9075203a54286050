"""A small client for tests: it asks as a service would, and hands back status and body as they came."""

import json
import time
from typing import Any

import aiohttp
from joserfc import jwt
from joserfc.jwk import OctKey


class Asker:
    """With one of a service's keys."""

    def __init__(self, session: aiohttp.ClientSession, *, url: str, key: str) -> None:
        self._session = session
        self._url = url
        self._key = key

    async def get(self, path: str) -> tuple[int, Any]:
        return await self._ask("GET", path, None)

    async def post(self, path: str, body: object) -> tuple[int, Any]:
        """`body` is sent as JSON, or as it is if it is text."""
        return await self._ask("POST", path, body if isinstance(body, str) else json.dumps(body))

    async def _ask(self, method: str, path: str, data: str | None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {bearer_token(self._key)}"}
        async with self._session.request(method, self._url + path, data=data, headers=headers) as answer:
            return answer.status, json.loads(await answer.read())


def bearer_token(key: str) -> str:
    """The token that GOV.UK Notify wants, made of one of its keys."""
    claims = {"iss": key[-73:-37], "iat": int(time.time())}
    return jwt.encode({"alg": "HS256", "typ": "JWT"}, claims, OctKey.import_key(key[-36:]))
