"""A user pool as Cognito runs it: it signs with RSA keys and shows their public halves. It notes who asks."""

import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID = "1example23456789"
KEYS_PATH = "/.well-known/jwks.json"


@dataclass(slots=True)
class Pool:
    """`answer`, where it is set, is given in the place of the keys. `asked` holds every path, in order."""

    url: str
    keys: dict[str, RSAKey]
    answer: Any = None
    asked: list[str] = field(default_factory=list)

    @property
    def settings(self) -> dict[str, str]:
        return {"COGNITO_ISSUER": self.url, "COGNITO_CLIENT_IDS": f"another;{CLIENT_ID}"}

    @property
    def key_set(self) -> dict[str, Any]:
        """As Cognito shows it."""
        shown = [
            dict(key.as_dict(private=False), kid=key_id, alg="RS256", use="sig")
            for key_id, key in self.keys.items()
        ]
        return {"keys": shown}

    def rotate(self, key_id: str) -> None:
        """Sign with a new key; the old one is shown no longer."""
        self.keys = {key_id: new_key()}

    def claims(self, **others: Any) -> dict[str, Any]:
        """Those of an id token, but for what is given; None leaves one out."""
        now = int(time.time())
        told = {
            "sub": "2d1c0f6e",
            "email": "amala.officer@hackney.gov.uk",
            "name": "Amala Officer",
            "aud": CLIENT_ID,
            "iss": self.url,
            "iat": now,
            "exp": now + 600,
            "custom:groups": "demo-officers;housing",
        } | others
        return {name: value for name, value in told.items() if value is not None}

    def token(self, *, header: dict[str, Any] | None = None, key: RSAKey | None = None, **others: Any) -> str:
        key_id = next(iter(self.keys))
        head = {"alg": "RS256", "kid": key_id} | (header or {})
        return jwt.encode(head, self.claims(**others), key or self.keys[key_id], algorithms=["RS256"])


def new_key() -> RSAKey:
    return RSAKey.generate_key(2048, private=True)


@contextlib.asynccontextmanager
async def running_pool() -> AsyncIterator[Pool]:
    pool = Pool(url="", keys={"first": new_key()})

    async def answer(request: web.Request) -> web.StreamResponse:
        pool.asked.append(request.path)
        if pool.answer is not None:
            made: web.StreamResponse = await pool.answer(request)
            return made
        return web.json_response(pool.key_set)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    pool.url = f"http://127.0.0.1:{runner.addresses[0][1]}/pool"
    try:
        yield pool
    finally:
        await runner.cleanup()
