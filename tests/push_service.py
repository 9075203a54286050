"""A push service as browsers' makers run them, and the browsers that it carries to.

It takes what is addressed to one of its browsers, checks who sends as RFC 8292 has it, and answers as it is
told to. A browser reads what it is given as RFC 8291 and RFC 8188 have it.
"""

import asyncio
import contextlib
import json
import os
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey

from postroom.kit.web_push import from_text, to_text

CURVE = ec.SECP256R1()


@dataclass
class Browser:
    """One browser that subscribes: `asked` is every push that came for it, `shown` what it could read.

    `status` is how its push service answers, with `headers`, after `delay` seconds; the first of `statuses`,
    while there are any, comes before it.
    """

    endpoint: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(CURVE))
    auth: bytes = field(default_factory=lambda: os.urandom(16))
    status: int = 201
    statuses: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0
    asked: list[dict[str, str]] = field(default_factory=list)
    shown: list[dict[str, Any]] = field(default_factory=list)

    @property
    def p256dh(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    @property
    def subscription(self) -> dict[str, Any]:
        """As PushSubscription.toJSON() gives it."""
        return {
            "endpoint": self.endpoint,
            "expirationTime": None,
            "keys": {"p256dh": to_text(self.p256dh), "auth": to_text(self.auth)},
        }

    @property
    def titles(self) -> list[str]:
        return [each["title"] for each in self.shown]

    def read(self, body: bytes) -> bytes:
        """The message in one record of aes128gcm."""
        salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        theirs, sealed = body[21 : 21 + length], body[21 + length :]
        assert len(sealed) <= size
        shared = self.key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, theirs))
        secret = hkdf(shared, self.auth, b"WebPush: info\0" + self.p256dh + theirs, 32)
        key = hkdf(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
        nonce = hkdf(secret, salt, b"Content-Encoding: nonce\0", 12)
        message, delimiter, filling = AESGCM(key).decrypt(nonce, sealed, None).rpartition(b"\x02")
        assert delimiter
        assert not filling.strip(b"\0")
        return message


def hkdf(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(secret)


@dataclass
class PushService:
    url: str = ""
    browsers: dict[str, Browser] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    """The public keys of all who sent."""
    claims: list[dict[str, Any]] = field(default_factory=list)

    def browser(self, name: str = "", **how: Any) -> Browser:
        name = name or f"b{len(self.browsers)}"
        self.browsers[name] = Browser(f"{self.url}/push/{name}", **how)
        return self.browsers[name]

    async def take(self, request: web.Request) -> web.Response:
        browser, body = self.browsers[request.match_info["name"]], await request.read()
        browser.asked.append({name.lower(): value for name, value in request.headers.items()})
        await asyncio.sleep(browser.delay)
        if not self.knows(request.headers.get("Authorization", "")):
            return web.Response(status=401)
        if len(body) > 4096:
            return web.Response(status=413)
        status = browser.statuses.pop(0) if browser.statuses else browser.status
        if 200 <= status < 300:
            browser.shown.append(json.loads(browser.read(body)))
        return web.Response(status=status, headers=browser.headers)

    def knows(self, authorization: str) -> bool:
        """Whether who sends has signed for this very service."""
        scheme, _, rest = authorization.partition(" ")
        parts = dict(each.strip().split("=", 1) for each in rest.split(","))
        if scheme != "vapid" or set(parts) != {"t", "k"}:
            return False
        point = from_text(parts["k"])
        shown = {"kty": "EC", "crv": "P-256", "x": to_text(point[1:33]), "y": to_text(point[33:])}
        claims = jwt.decode(parts["t"], ECKey.import_key(shown), algorithms=["ES256"]).claims
        self.keys.add(parts["k"])
        self.claims.append(claims)
        return bool(claims["aud"] == self.url)


@contextlib.asynccontextmanager
async def running_push_service() -> AsyncIterator[PushService]:
    service = PushService()
    app = web.Application()
    app.router.add_post("/push/{name}", service.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    service.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield service
    await runner.cleanup()


@contextlib.contextmanager
def push_service_beside() -> Iterator[PushService]:
    """The same in a thread of its own, for tests that wait for processes."""
    loop, started, found = asyncio.new_event_loop(), threading.Event(), list[PushService]()

    async def run() -> None:
        async with running_push_service() as service:
            found.append(service)
            started.set()
            await stop.wait()

    stop = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    started.wait(10)
    yield found[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)
    loop.close()
