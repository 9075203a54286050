"""A service that calls too often is told so, with when to call again; nobody else notices."""

from typing import Any

import pytest

from postroom.features.limits import ServiceLimits

pytestmark = pytest.mark.asyncio(loop_scope="module")

SCREEN = {"notificationType": "Screen", "targetId": "T1", "message": "Hello"}
TOLD = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "RateLimit-Policy")


async def test_every_post_tells_what_is_left(office: Any) -> None:
    key = await office.register("telling", ServiceLimits(calls_a_minute=6))

    answers = [await office.post(SCREEN, key=key) for _ in range(3)]

    assert [answer.status for answer in answers] == [201] * 3
    assert [[answer.headers[name] for name in TOLD[:2]] for answer in answers] == [
        ["6", "5"],
        ["6", "4"],
        ["6", "3"],
    ]
    # A slow machine is given back some of it meanwhile.
    resets = [int(answer.headers["RateLimit-Reset"]) for answer in answers]
    assert resets[0] == 10
    assert 15 <= resets[1] <= 20
    assert 20 <= resets[2] <= 30
    assert {answer.headers["RateLimit-Policy"] for answer in answers} == {"6;w=60"}


async def test_over_its_limit_it_is_429_and_nothing_is_kept(office: Any) -> None:
    key = await office.register("hasty", ServiceLimits(calls_a_minute=4))
    for _ in range(4):
        await office.get("/notifications", key=key)

    answer = await office.refused(SCREEN, status=429, key=key)

    wait = int(answer.headers["Retry-After"])
    assert 5 <= wait <= 15
    assert (answer.body["title"], answer.body["devErrorMessages"]) == (
        "Too Many Requests",
        [f"Your service has used its 4 calls a minute. Ask again in {wait} s."],
    )
    assert [answer.headers[name] for name in TOLD] == ["4", "0", str(wait + 45), "4;w=60"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/notifications"),
        ("GET", "/notifications"),
        ("GET", "/notifications/00000000-0000-4000-8000-000000000000"),
        ("PATCH", "/notifications/00000000-0000-4000-8000-000000000000"),
        ("DELETE", "/notifications/00000000-0000-4000-8000-000000000000"),
        ("GET", "/message-status/demo/00000000-0000-4000-8000-000000000000"),
        ("GET", "/templates/demo"),
        ("GET", "/templates/demo/00000000-0000-4000-8000-000000000000"),
    ],
)
async def test_every_request_with_a_services_key_counts(office: Any, method: str, path: str) -> None:
    name = f"counted-{method}-{path}".lower().translate(str.maketrans("/-", "xx")).rstrip("x")
    key = await office.register(name[:60], ServiceLimits(calls_a_minute=1))
    first = await office.call(method, path, key=key, body={} if method in ("POST", "PATCH") else None)
    second = await office.call(method, path, key=key, body={} if method in ("POST", "PATCH") else None)

    assert first.status != 429
    assert second.status == 429


async def test_officers_and_strangers_take_nothing_of_a_services(office: Any) -> None:
    key = await office.register("quiet", ServiceLimits(calls_a_minute=1))
    for _ in range(3):
        assert (await office.get("/notifications", token=office.token())).status == 200
        assert (await office.get("/notifications", key="postroom_wrong")).status == 401

    answer = await office.get("/notifications", key=key)

    assert answer.status == 200


async def test_a_bulk_is_counted_by_its_notifications(office: Any) -> None:
    """What the door of bulks asks: so many calls more than the one that it is, or none."""
    service = await office.register("in-bulk", ServiceLimits(calls_a_minute=10))
    assert (await office.get("/notifications", key=service)).status == 200
    found = await office.app.directory.by_name("in-bulk")
    limits = office.app.callers

    assert not (await limits.take(found.id, cost=10)).allowed
    assert (await limits.take(found.id, cost=9)).allowed
    assert (await office.get("/notifications", key=service)).status == 429
