"""The keys of an issuer: asked for seldom, from one address, and kept while nobody answers."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from joserfc.jwk import RSAKey

from postroom.kit.key_set import KeySet, NoKeys
from tests.cognito import KEYS_PATH, Pool, running_pool

HOUR = timedelta(hours=1)


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 25, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    async with running_pool() as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(pool: Pool, clock: Clock) -> KeySet:
    return KeySet(pool.url + KEYS_PATH, clock=clock)


def number(key: RSAKey | None) -> Any:
    return None if key is None else key.as_dict(private=False)["n"]


async def test_asks_once_for_all_who_want_a_key(keys: KeySet, pool: Pool) -> None:
    found = await asyncio.gather(*(keys.key("first") for _ in range(20)))

    assert {number(key) for key in found} == {number(pool.keys["first"])}
    assert pool.asked == ["/pool" + KEYS_PATH]


async def test_an_unknown_id_is_asked_for_every_thirty_seconds_at_most(
    keys: KeySet, pool: Pool, clock: Clock
) -> None:
    assert await keys.key("first") is not None
    clock.now += timedelta(seconds=31)
    for name in range(50):
        assert await keys.key(f"../../{name}") is None
    assert len(pool.asked) == 2

    pool.rotate("second")
    clock.now += timedelta(seconds=29)
    assert await keys.key("second") is None
    clock.now += timedelta(seconds=1)
    assert number(await keys.key("second")) == number(pool.keys["second"])
    assert await keys.key("first") is None


async def answered_late(_: web.Request) -> web.Response:
    await asyncio.sleep(60)
    return web.Response()


async def redirected(request: web.Request) -> web.Response:
    raise web.HTTPFound(str(request.url.with_path("/elsewhere")))


def plain(body: str, status: int = 200) -> Any:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=body, status=status, content_type="application/json")

    return answer


WRONG = {
    "an error": plain("", 500),
    "keys with an error": plain('{"keys": []}', 403),
    "a redirect": redirected,
    "no JSON": plain("<html>"),
    "another shape": plain("[]"),
    "no list": plain('{"keys": {"kid": "first"}}'),
    "no keys": plain('{"keys": []}'),
    "nothing but nesting": plain("[" * 50_000),
    "too large": plain('{"keys": []}' + " " * 100_000),
    "an odd key": plain('{"keys": [{"kid": "first", "kty": "RSA", "n": 7, "e": null}]}'),
    "a shared secret": plain('{"keys": [{"kid": "first", "kty": "oct", "k": "c2VjcmV0"}]}'),
}


@pytest.mark.parametrize("answer", WRONG.values(), ids=WRONG)
async def test_what_is_no_set_of_keys_leaves_those_that_were_known(
    keys: KeySet, pool: Pool, clock: Clock, answer: Any
) -> None:
    pool.answer = answer
    with pytest.raises(NoKeys):
        await keys.key("first")
    pool.answer = None
    clock.now += timedelta(seconds=5)
    known = number(await keys.key("first"))
    assert known == number(pool.keys["first"])

    pool.answer = answer
    clock.now += 23 * HOUR
    assert number(await keys.key("first")) == known
    await asyncio.sleep(0.05)
    assert number(await keys.key("first")) == known
    assert "/elsewhere" not in pool.asked


async def test_keys_of_an_issuer_that_stays_away_end_with_the_day(
    keys: KeySet, pool: Pool, clock: Clock
) -> None:
    assert await keys.key("first") is not None
    pool.answer = plain("", 500)
    clock.now += 24 * HOUR

    with pytest.raises(NoKeys):
        await keys.key("first")


async def test_an_hour_later_who_has_a_key_does_not_wait_for_the_next(
    keys: KeySet, pool: Pool, clock: Clock
) -> None:
    assert await keys.key("first") is not None
    clock.now += HOUR
    pool.rotate("second")

    assert await keys.key("first") is not None
    for _ in range(500):
        await asyncio.sleep(0.01)
        if len(pool.asked) == 2 and await keys.key("second") is not None:
            break
    assert await keys.key("second") is not None
    assert await keys.key("first") is None
    assert len(pool.asked) == 2


async def test_an_issuer_that_does_not_answer_is_waited_for_once(
    keys: KeySet, pool: Pool, clock: Clock
) -> None:
    pool.answer = answered_late
    started = asyncio.get_running_loop().time()
    answers = await asyncio.gather(*(keys.key("first") for _ in range(5)), return_exceptions=True)

    assert [type(each) for each in answers] == [NoKeys] * 5
    assert asyncio.get_running_loop().time() - started < 5
    assert len(pool.asked) == 1


@pytest.mark.parametrize(
    "changed",
    [{"alg": "RS512"}, {"use": "enc"}, {"kty": "EC"}, {"kid": None}, {"kid": 7}],
    ids=repr,
)
async def test_keys_for_other_ends_are_passed_over(keys: KeySet, pool: Pool, changed: dict[str, Any]) -> None:
    first = pool.key_set["keys"][0]
    pool.answer = answer_of([first | {"kid": "other"} | changed, first])

    assert await keys.key("first") is not None
    assert await keys.key("other") is None


async def test_a_short_key_is_passed_over(keys: KeySet, pool: Pool) -> None:
    with pytest.warns(UserWarning, match="2048"):
        short = RSAKey.generate_key(1024, private=True).as_dict(private=False)
    pool.answer = answer_of([short | {"kid": "short"}, pool.key_set["keys"][0]])

    assert await keys.key("first") is not None
    assert await keys.key("short") is None


def answer_of(told: list[Any]) -> Any:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"keys": told})

    return answer
