"""Many notifications in one call: each is accepted or refused by itself, and none of it is made twice."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from postroom.features.limits import ServiceLimits
from postroom.features.notifications.tables import deliveries
from tests.interfaces.api.conftest import check_problem

pytestmark = pytest.mark.asyncio(loop_scope="module")

SCREEN = {"notificationType": "Screen", "targetId": "T1", "message": "Hello"}


async def post_bulk(office: Any, bodies: Any, **how: Any) -> Any:
    return await office.call("POST", "/notifications/bulk", body=bodies, **how)


async def listed(office: Any, target_id: str) -> list[str]:
    answer = await office.get(f"/notifications?targetId={target_id}&limit=200")
    return [each["id"] for each in answer.body]


async def test_each_has_the_answer_that_it_would_have_had_alone(office: Any) -> None:
    bodies = [
        office.email(reference="bulk-1"),
        office.email(email="no address"),
        office.email(personalisationParams={}),
        office.screen(),
        "no object",
        {"notificationType": "Pigeon", "sender": "x"},
    ]
    alone = [await office.post(body) for body in bodies]

    answer = await post_bulk(office, bodies)

    assert answer.status == 207
    assert [(each["index"], each["status"]) for each in answer.body] == [
        (0, 201),
        (1, 400),
        (2, 400),
        (3, 201),
        (4, 400),
        (5, 400),
    ]
    for one, each in zip(alone, answer.body, strict=True):
        if each["status"] == 201:
            assert _same(each["notification"], one.body)
        else:
            assert each["problem"]["errors"] == one.body["errors"]
            assert set(each) == {"index", "status", "problem"}


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    changing = {"id", "createdDate", "deliveries", "sentMessageDetails"}
    return {name: one[name] for name in one if name not in changing} == {
        name: other[name] for name in other if name not in changing
    }


async def test_what_it_accepts_waits_in_the_lane_of_bulk_and_is_sent(office: Any) -> None:
    answer = await post_bulk(office, [office.email(reference=f"lane-{i}") for i in range(3)])

    ids = [each["notification"]["deliveries"][0]["id"] for each in answer.body]
    async with office.app.database.reading() as conn:
        found = await conn.execute(select(deliveries.c.lane).where(deliveries.c.id.in_(ids)))
        assert [row.lane for row in found] == [1, 1, 1]
    for each in answer.body:
        await office.until(each["notification"]["id"], lambda item: item["deliveries"][0]["completedAt"])
    assert [len(office.sandbox.sent(reference=each)) for each in ids] == [1, 1, 1]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"{}", "Send a JSON list of notifications, in UTF-8."),
        (b"[", "Send a JSON list of notifications, in UTF-8."),
        (b"", "Send a JSON list of notifications, in UTF-8."),
        (b"[]", "Send 1 to 1,000 notifications at once."),
        (b"[" + b"{}," * 1000 + b"{}]", "Send 1 to 1,000 notifications at once."),
    ],
    ids=["an object", "cut off", "nothing", "none", "too many"],
)
async def test_what_is_no_bulk_is_refused_whole(office: Any, raw: bytes, message: str) -> None:
    answer = await office.call("POST", "/notifications/bulk", raw=raw)

    check_problem(answer, 400)
    assert answer.fields == {"body": message}


async def test_a_body_over_8_mib_is_refused_whole(office: Any) -> None:
    answer = await office.call("POST", "/notifications/bulk", raw=b"[" + b" " * (8 * 1024 * 1024) + b"]")

    check_problem(answer, 413)


async def test_an_item_over_1_mib_is_refused_by_itself(office: Any) -> None:
    large = SCREEN | {"message": "x" * (1024 * 1024)}

    answer = await post_bulk(office, [SCREEN, large])

    assert [each["status"] for each in answer.body] == [201, 413]


async def test_a_thousand_are_taken(office: Any) -> None:
    answer = await post_bulk(office, [SCREEN | {"targetId": "thousand"}] * 1000)

    assert answer.status == 207
    assert {each["status"] for each in answer.body} == {201}
    count = await office.get("/notifications/count?targetId=thousand")
    assert count.body == {"count": 1000, "isExact": True}


async def test_the_same_bulk_again_is_answered_as_the_first_time(office: Any) -> None:
    bodies = [SCREEN | {"targetId": "again"}, {"notificationType": "Screen"}, office.email(targetId="again")]
    key = {"Idempotency-Key": "bulk again"}
    first = await post_bulk(office, bodies, headers=key)

    second = await post_bulk(office, bodies, headers=key)

    assert [each["status"] for each in second.body] == [201, 400, 201]
    assert [each.get("idempotentReplay", False) for each in second.body] == [True, False, True]
    for one, other in zip(first.body, second.body, strict=True):
        assert one.get("notification") == other.get("notification")
    assert len(await listed(office, "again")) == 2


async def test_another_bulk_with_the_same_key_is_misuse(office: Any) -> None:
    key = {"Idempotency-Key": "bulk misused"}
    body = SCREEN | {"targetId": "misused"}
    await post_bulk(office, [body], headers=key)

    for other in ([body | {"message": "Other"}], [body, body]):
        answer = await post_bulk(office, other, headers=key)
        check_problem(answer, 422)

    assert len(await listed(office, "misused")) == 1


async def test_a_key_for_one_and_the_same_for_a_bulk_are_two(office: Any) -> None:
    key = {"Idempotency-Key": "shared"}
    body = SCREEN | {"targetId": "shared"}

    alone = await office.post(body, headers=key)
    bulk = await post_bulk(office, [body], headers=key)

    assert (alone.status, [each["status"] for each in bulk.body]) == (201, [201])
    assert len(await listed(office, "shared")) == 2


async def test_the_same_bulk_twenty_times_at_once_is_made_once(office: Any) -> None:
    bodies = [SCREEN | {"targetId": "at once"}] * 10
    key = {"Idempotency-Key": "bulk at once"}

    answers = await asyncio.gather(*(post_bulk(office, bodies, headers=key) for _ in range(20)))

    ids = {tuple(each["notification"]["id"] for each in answer.body) for answer in answers}
    assert len(ids) == 1
    assert set(ids.pop()) == set(await listed(office, "at%20once"))


async def test_it_counts_as_the_calls_that_it_saves(office: Any) -> None:
    key = await office.register("bulky", ServiceLimits(calls_a_minute=6))

    first = await post_bulk(office, [SCREEN] * 4, key=key)
    second = await post_bulk(office, [SCREEN] * 4, key=key)

    assert (first.status, first.headers["RateLimit-Remaining"]) == (207, "2")
    check_problem(second, 429)
    count = await office.get("/notifications/count", key=key)
    assert (count.status, count.body["count"]) == (200, 4)


async def test_an_officer_may_not(office: Any) -> None:
    answer = await post_bulk(office, [SCREEN], token=office.token())

    check_problem(answer, 403)
