"""How long it takes to know who calls, in microseconds a request, on one core.

    python -m bench.authorise [--calls 20000] [--rounds 5]

The least of the rounds: what the work takes when the machine leaves it alone. An API key and a token that
were seen before are what nearly every request costs; a token that was not seen is verified first.
"""

import argparse
import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop
from aiohttp import web
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from litestar.datastructures import Headers

from bench.figures import Figure, below, table
from bench.options import Bench
from postroom.app import App, running_app
from postroom.domain.scope import Scope
from postroom.features.limits import FAR_ABOVE
from postroom.features.services import Registration, issue_key, register
from postroom.interfaces.api.authenticate import Authenticator
from postroom.interfaces.tokens import Tokens
from postroom.settings import Settings, Trust

AIM_US = 60
SECRET = "a secret of at least 32 characters, to measure with"
CLIENT_ID = "1example23456789"
SHOWN = {
    "api key": "authorise, an API key, seen before",
    "token": "authorise, a token, seen before",
    "hs256": "authorise, a token of the old sign-in (HS256), verified",
    "rs256": "authorise, a token of Cognito (RS256), verified",
}
EVERY_REQUEST = ("api key", "token")
_CALLS = 20_000


@dataclass(slots=True)
class Asked:
    """A request as far as who calls is read from it: its headers are parsed before, whoever calls."""

    scope: dict[str, Any]
    headers: Headers


def asked(name: str, value: str) -> Any:
    raw = [(name.encode(), value.encode())]
    return Asked({"headers": raw}, Headers(raw))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=_CALLS)
    parser.add_argument("--rounds", type=int, default=5)
    given, _ = parser.parse_known_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(_measured(calls=given.calls, rounds=given.rounds))
    figures = list(_figures(found))
    print(table(figures))
    return 1 if any(figure.good is False for figure in figures) else 0


def measure(bench: Bench) -> Iterator[Figure]:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        yield from _figures(runner.run(_measured(calls=_CALLS, rounds=bench.rounds + 1)))


def _figures(found: dict[str, float]) -> Iterator[Figure]:
    for name, microseconds in found.items():
        if name in EVERY_REQUEST:
            yield below(AIM_US, SHOWN[name], microseconds, unit="µs")
        else:
            yield Figure(SHOWN[name], microseconds, "µs")


async def _measured(*, calls: int, rounds: int) -> dict[str, float]:
    """Microseconds for each kind of caller."""
    key = RSAKey.generate_key(2048, private=True)
    async with showing(key) as issuer:
        with tempfile.TemporaryDirectory(prefix="postroom-bench-") as place:
            settings = Settings(
                database_url=f"sqlite:///{Path(place) / 'postroom.db'}",
                secret=SECRET,
                officer_token_secret=SECRET,
                trust=Trust(cognito_issuer=issuer, cognito_client_ids=(CLIENT_ID,), cognito_keys_url=issuer),
            )
            async with running_app(settings) as app:
                return {
                    name: min([await _microseconds(one, calls) for _ in range(rounds)])
                    for name, one in (await _kinds(app, key, issuer)).items()
                }


@contextlib.asynccontextmanager
async def showing(key: RSAKey) -> AsyncIterator[str]:
    """The address of an issuer that shows the public half of this key."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"keys": [dict(key.as_dict(private=False), kid="one", alg="RS256")]})

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def _kinds(app: App, key: RSAKey, issuer: str) -> dict[str, Callable[[], Awaitable[Any]]]:
    tokens = Tokens(app.settings, clock=app.clock)
    authenticator = Authenticator(
        directory=app.directory,
        limits=app.callers,
        tokens=tokens,
        memberships=app.memberships,
        clock=app.clock,
    )
    now = int(time.time())
    claims = {"sub": "1", "email": "amala@hackney.gov.uk", "name": "Amala", "iat": now, "exp": now + 3600}
    old = jwt.encode({"alg": "HS256"}, claims | {"groups": ["housing", "repairs"]}, OctKey.import_key(SECRET))
    cognitos = claims | {"iss": issuer, "aud": CLIENT_ID, "custom:groups": "housing;repairs"}
    new = jwt.encode({"alg": "RS256", "kid": "one"}, cognitos, key, algorithms=["RS256"])
    by_key = asked("x-api-key", await _api_key(app))
    by_token = asked("authorization", f"Bearer {old}")
    return {
        "api key": lambda: authenticator.caller(by_key, scope=Scope.WRITE),
        "token": lambda: authenticator.caller(by_token, scope=Scope.READ),
        "hs256": lambda: tokens.verified(old),
        "rs256": lambda: tokens.verified(new),
    }


async def _api_key(app: App) -> str:
    now = app.clock()
    async with app.database.transaction() as conn:
        registration = Registration(name="demo", limits=FAR_ABOVE)
        service_id = await register(conn, registration, vault=app.vault, now=now)
        return (await issue_key(conn, vault=app.vault, service_id=service_id, name="one", now=now)).key


async def _microseconds(one: Callable[[], Awaitable[Any]], calls: int) -> float:
    """CPU of this process: what else the machine does meanwhile does not count."""
    await one()
    started = time.process_time()
    for _ in range(calls):
        await one()
    return (time.process_time() - started) / calls * 1_000_000


if __name__ == "__main__":
    sys.exit(main())
