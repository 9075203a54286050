"""E5 and section 6: PATCH /notifications/{id}."""

import asyncio
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from postroom.features.audit.store import audit_entries

pytestmark = pytest.mark.asyncio(loop_scope="module")

NO_ID = "00000000-0000-4000-8000-000000000000"
AMALA, JOE = "amala.officer@hackney.gov.uk", "joe.officer@hackney.gov.uk"
NOTE = "Checked <b>twice</b>"
PERFORMED = ("performedActionType", "performedActionDoneBy", "performedActionDate", "actionNote")


async def shared(office: Any, **others: Any) -> str:
    """The id of a notification for both officers."""
    body = office.screen(user="group:demo-officers", requireAction=True, **others)
    item = await office.accepted(body)
    made: str = item["id"]
    return made


def as_officer(office: Any, email: str = AMALA) -> dict[str, str]:
    return {"token": office.token(email, groups=("demo-officers",))}


async def act(office: Any, notification_id: str, action: str, **how: Any) -> Any:
    return await office.patch(
        notification_id, {"actionType": action, "actionNote": NOTE}, **(how or as_officer(office))
    )


async def test_e5_records_who_when_and_why_and_answers_with_the_resource_and_its_etag(office: Any) -> None:
    made = await shared(office)
    before = await office.get(f"/notifications/{made}", **as_officer(office))

    answer = await act(office, made, "Approved")

    got = await office.get(f"/notifications/{made}", **as_officer(office))
    assert (answer.status, answer.body) == (200, got.body)
    assert answer.headers["ETag"] == got.headers["ETag"] != before.headers["ETag"]
    assert [got.body[name] for name in PERFORMED] == ["Approved", AMALA, got.body[PERFORMED[2]], NOTE]
    assert datetime.fromisoformat(got.body["performedActionDate"]) >= datetime.fromisoformat(
        got.body["createdDate"]
    )


async def test_e5_a_service_acts_under_its_name(office: Any) -> None:
    made = await shared(office)

    assert (await office.patch(made, {"actionType": "Validate"})).body["performedActionDoneBy"] == "demo"


@pytest.mark.parametrize("same", [str, str.upper])
async def test_e5_the_id_in_the_body_is_that_of_the_path(same: Any, office: Any) -> None:
    made = await shared(office)

    assert (await office.patch(made, {"id": same(made), "actionType": "Initiated"})).status == 200


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["actionType"]),
        ({"actionType": None}, ["actionType"]),
        ({"actionType": "Ignored"}, ["actionType"]),
        ({"actionType": "Initiated, Approved, Validate, Rejected, IsRead"}, ["actionType"]),
        ({"actionType": 7}, ["actionType"]),
        ({"actionType": "Initiated", "id": NO_ID}, ["id"]),
        ({"actionType": "Initiated", "id": 7}, ["id"]),
        ({"actionType": "Initiated", "performedActionDoneBy": "Joe"}, ["performedActionDoneBy"]),
        ({"actionType": "Initiated", "actionNote": "a\x00b"}, ["actionNote"]),
        ({"actionType": "Initiated", "actionNote": "n" * 2_001}, ["actionNote"]),
        ({"actionType": "Approved"}, ["actionNote"]),
        ({"actionType": "Approved", "actionNote": " \n"}, ["actionNote"]),
        ({"actionType": "Rejected", "actionNote": ""}, ["actionNote"]),
        (
            {"actionType": "Never", "id": NO_ID, "actionNote": 1, "x": 2},
            ["actionNote", "actionType", "id", "x"],
        ),
    ],
    ids=repr,
)
async def test_e5_refuses(body: dict[str, object], fields: list[str], office: Any) -> None:
    made = await shared(office)
    before = await office.counts()

    problem = await office.problem(400, "PATCH", f"/notifications/{made}", body=body)

    assert sorted(error["field"] for error in problem["errors"]) == fields
    assert await office.counts() == before


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"null", b"[" * 100_000, b'{"actionNote": "\\ud800"}'], ids=repr
)
async def test_e5_refuses_what_is_no_object(raw: bytes, office: Any) -> None:
    problem = await office.problem(400, "PATCH", f"/notifications/{await shared(office)}", raw=raw)

    assert [error["field"] for error in problem["errors"]] == ["body"]


async def test_e5_a_large_body_is_413(office: Any) -> None:
    raw = b'{"actionNote": "' + b"n" * 1024 * 1024 + b'"}'

    await office.problem(413, "PATCH", f"/notifications/{await shared(office)}", raw=raw)


@pytest.mark.parametrize("wrong", ["x", "1", NO_ID[:-1], NO_ID.replace("-", ""), "%00", "{" + NO_ID + "}"])
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_e5_an_id_that_is_none_is_400_and_named(method: str, wrong: str, office: Any) -> None:
    body = {"actionType": "IsRead"} if method == "PATCH" else None

    problem = await office.problem(400, method, f"/notifications/{wrong}", body=body)

    assert [error["field"] for error in problem["errors"]] == ["id"]


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_e5_what_is_not_there_or_not_yours_is_404(method: str, office: Any) -> None:
    made = await shared(office)
    body = {"actionType": "IsRead"} if method == "PATCH" else None
    others = [{}, {"key": office.other_key}, {"token": office.token("ann@hackney.gov.uk")}]

    for notification_id, who in zip((NO_ID, made, made), others, strict=True):
        path = f"/notifications/{notification_id}"
        assert (await office.problem(404, method, path, body=body, **who))["reason"] == "unknown"


@pytest.mark.parametrize(
    ("first", "then", "status"),
    [
        (None, "Initiated", 200),
        (None, "Approved", 200),
        (None, "Rejected", 200),
        (None, "Validate", 200),
        ("Initiated", "Initiated", 200),
        ("Initiated", "Approved", 200),
        ("Initiated", "Rejected", 200),
        ("Initiated", "Validate", 200),
        *(
            (first, then, 409)
            for first in ("Approved", "Rejected", "Validate")
            for then in ("Approved", "Rejected", "Validate", "Initiated")
        ),
    ],
)
async def test_section_6_state_machine(first: str | None, then: str, status: int, office: Any) -> None:
    made = await shared(office)
    if first is not None:
        await act(office, made, first)

    answer = await act(office, made, then)

    assert answer.status == status
    performed = (await office.get(f"/notifications/{made}")).body["performedActionType"]
    assert performed == (then if status == 200 else first)


@pytest.mark.parametrize("spelling", ["isread", "ISREAD", " IsRead "])
async def test_section_6_actions_are_named_in_any_case(spelling: str, office: Any) -> None:
    answer = await office.patch(await shared(office), {"actionType": spelling})

    assert answer.body["isReadStatus"] is True


async def test_section_6_reading_is_each_readers_own_idempotent_and_no_performed_action(office: Any) -> None:
    made = await shared(office)
    path = f"/notifications/{made}"

    answers = [await act(office, made, "IsRead") for _ in range(2)]

    assert [answer.body["isReadStatus"] for answer in answers] == [True, True]
    assert answers[0].headers["ETag"] == answers[1].headers["ETag"]
    assert [answers[1].body[name] for name in PERFORMED] == [None] * 4
    joe = as_officer(office, JOE)
    assert (await office.get(path, **joe)).body["isReadStatus"] is False
    assert (await office.get(path)).body["isReadStatus"] is True
    assert (await act(office, made, "IsUnread")).body["isReadStatus"] is False
    assert (await office.get(path)).body["isReadStatus"] is False


async def test_section_6_each_action_is_an_audit_entry_and_a_repeated_read_none(office: Any) -> None:
    made = await shared(office)
    for action in ("IsRead", "IsRead", "Initiated", "Approved", "Rejected", "IsUnread"):
        await act(office, made, action)

    async with office.app.database.reading() as conn:
        details = await conn.scalars(
            select(audit_entries.c.detail)
            .where(audit_entries.c.notification_id == made, audit_entries.c.kind == "action")
            .order_by(audit_entries.c.id)
        )
        assert list(details) == ["IsRead", "Initiated", "Approved", "IsUnread"]


@pytest.mark.parametrize(
    ("if_match", "status"),
    [("{current}", 200), ("*", 200), ('"0-u"', 412), ("{current}x", 412), ("", 412), ("W/{current}", 412)],
)
async def test_e5_if_match(if_match: str, status: int, office: Any) -> None:
    made = await shared(office)
    current = (await office.get(f"/notifications/{made}")).headers["ETag"]

    answer = await office.patch(
        made,
        {"actionType": "Validate"},
        headers={"If-Match": if_match.format(current=current)},
    )

    assert answer.status == status
    performed = (await office.get(f"/notifications/{made}")).body["performedActionType"]
    assert performed == ("Validate" if status == 200 else None)


async def test_e5_the_etag_of_before_somebody_elses_action_is_stale(office: Any) -> None:
    made = await shared(office)
    seen = (await office.get(f"/notifications/{made}", **as_officer(office))).headers["ETag"]
    await act(office, made, "Initiated", **as_officer(office, JOE))

    answer = await act(office, made, "Approved", **as_officer(office), headers={"If-Match": seen})

    assert answer.status == 412


async def test_e5_of_two_decisions_at_the_same_time_one_stands(office: Any) -> None:
    made = await shared(office)
    answers = await asyncio.gather(
        *(act(office, made, action) for action in ("Approved", "Rejected", "Validate", "Approved"))
    )

    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409]
    async with office.app.database.reading() as conn:
        entries = select(func.count()).where(
            audit_entries.c.notification_id == made, audit_entries.c.kind == "action"
        )
        assert await conn.scalar(entries) == 1
