"""Dead letters by the API: a service lists its own, sees why, and has them taken up again."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from postroom.features.notifications.tables import attempts, deliveries
from postroom.kit.ids import new_id
from tests.interfaces.api.conftest import check_problem

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNSURE = "needs a decision: it may have been sent"


async def die(office: Any, *, reason: str = "given up: no answer", **how: Any) -> str:
    """A delivery that ends dead, whatever became of it before; its id."""
    office.sandbox.fail("limited", method="POST")
    made = await office.accepted(office.email(**how))
    delivery_id = made["deliveries"][0]["id"]
    now = office.app.clock()
    values = {
        "status": "dead",
        "reason": reason,
        "due_at": None,
        "lease_until": None,
        "open_attempt": None,
        "completed_at": now,
        "created_at": now - timedelta(days=3),
    }
    async with office.app.database.transaction() as conn:
        await conn.execute(deliveries.update().where(deliveries.c.id == delivery_id).values(**values))
        last_try = {"id": new_id(), "delivery_id": delivery_id, "number": 1_000, "started_at": now}
        await conn.execute(attempts.insert(), [last_try])
    return str(delivery_id)


async def status_of(office: Any, delivery_id: str) -> str | None:
    found = await office.get(f"/dead-letters/{delivery_id}")
    return found.body["cause"] if found.status == 200 else None


@pytest.mark.usefixtures("calm")
async def test_they_are_listed_page_by_page_and_explained(office: Any) -> None:
    reference = new_id()
    ids = [await die(office, reference=reference) for _ in range(3)]

    first = await office.get(f"/dead-letters?reference={reference}&limit=2")
    rest = urlsplit(first.headers["Link"].split(">")[0].strip("<"))
    second = await office.get(f"{rest.path}?{rest.query}")

    assert [each["id"] for each in (*first.body, *second.body)] == ids[::-1]
    assert "Link" not in second.headers
    one = (await office.get(f"/dead-letters/{ids[0]}")).body
    assert (one["channel"], one["cause"], one["reference"]) == ("Email", "given-up", reference)
    assert one["reason"] == "given up: no answer"
    assert "A replay tries again" in one["explanation"]


@pytest.mark.usefixtures("calm")
async def test_one_is_taken_up_again_and_sent(office: Any) -> None:
    delivery_id = await die(office, reference="taken-up")
    office.sandbox.heal()

    answer = await office.call("POST", f"/dead-letters/{delivery_id}/replay")

    assert (answer.status, answer.body) == (200, {"replayed": 1})
    found = await office.get("/notifications?reference=taken-up")
    await office.until(found.body[0]["id"], lambda item: item["deliveries"][0]["status"] == "delivered")
    assert len(office.sandbox.sent(reference=delivery_id)) == 1
    check_problem(await office.get(f"/dead-letters/{delivery_id}"), 404)
    check_problem(await office.call("POST", f"/dead-letters/{delivery_id}/replay"), 404)


@pytest.mark.usefixtures("calm")
async def test_what_may_have_been_sent_needs_a_word(office: Any) -> None:
    delivery_id = await die(office, reason=UNSURE)
    office.sandbox.heal()
    path = f"/dead-letters/{delivery_id}/replay"

    refused = await office.call("POST", path, body={"maySendTwice": False})
    assert await status_of(office, delivery_id) == "may-have-been-sent"
    taken = await office.call("POST", path, body={"maySendTwice": True})

    check_problem(refused, 409)
    assert "may have been sent" in refused.body["detail"]
    assert taken.body == {"replayed": 1}


@pytest.mark.usefixtures("calm")
async def test_those_that_a_filter_chooses_are_taken_up(office: Any) -> None:
    reference = new_id()
    ids = [await die(office, reference=reference) for _ in range(2)]
    unsure = await die(office, reference=reference, reason=UNSURE)
    other = await die(office, reference="another")
    office.sandbox.heal()

    answer = await office.call("POST", "/dead-letters/replay", body={"reference": reference})

    assert answer.body == {"replayed": 2}
    assert [await status_of(office, each) for each in (*ids, unsure, other)] == [
        None,
        None,
        "may-have-been-sent",
        "given-up",
    ]
    assert (await office.call("POST", "/dead-letters/replay", body={"all": True})).body["replayed"] >= 1
    assert await status_of(office, other) is None


@pytest.mark.usefixtures("calm")
async def test_another_service_finds_none(office: Any) -> None:
    delivery_id = await die(office)

    assert (await office.get("/dead-letters", key=office.other_key)).body == []
    for method, path in (("GET", ""), ("POST", "/replay")):
        problem = await office.call(method, f"/dead-letters/{delivery_id}{path}", key=office.other_key)
        check_problem(problem, 404)
    all_of_theirs = await office.call(
        "POST", "/dead-letters/replay", body={"all": True}, key=office.other_key
    )
    assert all_of_theirs.body == {"replayed": 0}
    assert await status_of(office, delivery_id) == "given-up"


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("channel=Screen", {"channel": "Use one of Email, Text, Letter."}),
        ("templateId=x", {"templateId": "Use the id of a template."}),
        ("cause=rain", {"cause": "Use one of given-up, may-have-been-sent, taken."}),
        ("colour=red", {"colour": "There is no such filter."}),
        ("limit=0&cursor=x", None),
    ],
)
async def test_filters_that_are_none(office: Any, query: str, fields: dict[str, str] | None) -> None:
    answer = await office.get(f"/dead-letters?{query}")

    check_problem(answer, 400)
    assert set(answer.fields) == {"limit", "cursor"} if fields is None else answer.fields == fields


async def test_a_replay_of_many_says_which(office: Any) -> None:
    nothing = await office.call("POST", "/dead-letters/replay", body={})
    wrong = await office.call("POST", "/dead-letters/replay", body={"channel": "Pigeon", "al": True})

    check_problem(nothing, 400)
    assert "body" in nothing.fields
    check_problem(wrong, 400)
    assert set(wrong.fields) == {"channel", "al"}


async def test_an_officer_may_not(office: Any) -> None:
    check_problem(await office.get("/dead-letters", token=office.token()), 403)
