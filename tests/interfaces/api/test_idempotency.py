"""The same request twice is one notification: Idempotency-Key."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import update

from postroom.features.notifications.idempotency import forget_expired, idempotency_keys

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def count(office: Any) -> int:
    return int((await office.counts())["notifications"])


async def test_the_same_key_and_body_is_answered_as_it_was_the_first_time(office: Any) -> None:
    first = await office.post(office.email(), headers={"Idempotency-Key": "order 1"})
    await office.ended(first.body["id"])
    before = await count(office)

    again = await office.post(office.email(), headers={"Idempotency-Key": "order 1"})

    assert (first.status, first.headers.get("Idempotent-Replay")) == (201, None)
    assert (again.status, again.headers.get("Idempotent-Replay")) == (201, "true")
    assert again.text == first.text
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Location"] == first.headers["Location"]
    assert await count(office) == before


async def test_a_body_is_the_same_however_it_is_written(office: Any) -> None:
    body = office.screen()
    first = await office.post(body, headers={"Idempotency-Key": "spelling"})

    turned = dict(reversed(body.items()))
    again = await office.post(turned, headers={"Idempotency-Key": "spelling"})

    assert again.headers.get("Idempotent-Replay") == "true"
    assert again.text == first.text


async def test_another_body_with_the_same_key_is_misuse(office: Any) -> None:
    await office.post(office.email(), headers={"Idempotency-Key": "order 2"})
    before = await count(office)

    problem = await office.problem(
        422,
        "POST",
        "/notifications",
        body=office.email(email="amala@example.com"),
        headers={"Idempotency-Key": "order 2"},
    )

    assert "another body" in problem["detail"]
    assert await count(office) == before


async def test_a_hundred_at_once_make_one(office: Any) -> None:
    before = await count(office)

    answers = await asyncio.gather(
        *(office.post(office.email(), headers={"Idempotency-Key": "hundred"}) for _ in range(100))
    )

    assert {answer.status for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert sum(answer.headers.get("Idempotent-Replay") is None for answer in answers) == 1
    assert await count(office) == before + 1


async def test_a_refused_request_leaves_its_key_free(office: Any) -> None:
    await office.refused(office.email(email="nobody"), headers={"Idempotency-Key": "second try"})

    answer = await office.post(office.email(), headers={"Idempotency-Key": "second try"})

    assert (answer.status, answer.headers.get("Idempotent-Replay")) == (201, None)


async def test_a_wrong_request_is_refused_even_with_a_key_that_was_used(office: Any) -> None:
    await office.post(office.email(), headers={"Idempotency-Key": "order 3"})

    answer = await office.refused(office.email() | {"colour": "red"}, headers={"Idempotency-Key": "order 3"})

    assert answer.fields.keys() == {"colour"}


async def test_another_service_has_keys_of_its_own(office: Any) -> None:
    mine = await office.post(office.screen(), headers={"Idempotency-Key": "shared"})

    theirs = await office.post(office.screen(), key=office.other_key, headers={"Idempotency-Key": "shared"})

    assert (theirs.status, theirs.headers.get("Idempotent-Replay")) == (201, None)
    assert theirs.body["id"] != mine.body["id"]


@pytest.mark.parametrize(
    "key", ["", "k" * 256, "caf\u00e9", "a\tb"], ids=["empty", "long", "not ASCII", "tab"]
)
async def test_a_key_that_is_none_is_named(office: Any, key: str) -> None:
    answer = await office.refused(office.email(), headers={"Idempotency-Key": key})

    assert answer.fields.keys() == {"Idempotency-Key"}


async def test_what_was_removed_is_still_answered_and_not_made_again(office: Any) -> None:
    first = await office.post(office.screen(), headers={"Idempotency-Key": "removed"})
    assert (await office.delete(first.body["id"])).status == 204

    again = await office.post(office.screen(), headers={"Idempotency-Key": "removed"})

    assert again.text == first.text


async def test_a_key_is_free_again_after_its_time(office: Any) -> None:
    first = await office.post(office.screen(), headers={"Idempotency-Key": "expired"})
    now = office.app.clock()
    async with office.app.database.transaction() as conn:
        await conn.execute(update(idempotency_keys).values(expires_at=now))

    again = await office.post(office.screen(), headers={"Idempotency-Key": "expired"})
    async with office.app.database.transaction() as conn:
        forgotten = await forget_expired(conn, now=now)

    assert again.headers.get("Idempotent-Replay") is None
    assert again.body["id"] != first.body["id"]
    assert forgotten >= 1
