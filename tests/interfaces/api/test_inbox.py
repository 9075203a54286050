"""A person's own view over the API: seen, read, archived, and how many that leaves."""

from datetime import timedelta
from typing import Any

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def chosen() -> dict[str, str]:
    return {"POSTROOM_OVERDUE_AFTER_DAYS": "0"}


async def ids(office: Any, token: str, query: str = "") -> list[str]:
    answer = await office.get(f"/notifications?{query}", token=token)
    assert answer.status == 200, answer.text
    return [each["id"] for each in answer.body]


async def counts(office: Any, token: str, query: str = "") -> Any:
    answer = await office.get(f"/notifications/count?{query}", token=token)
    assert answer.status == 200, answer.text
    return answer.body


def counted(count: int, unread: int, unseen: int, needs_action: int) -> dict[str, Any]:
    return {
        "count": count,
        "isExact": True,
        "unread": unread,
        "unseen": unseen,
        "needsAction": needs_action,
    }


async def test_what_one_member_does_is_their_own(office: Any) -> None:
    group = "inbox-one"
    amala, joe = (office.token(f"{name}@hackney.gov.uk", groups=(group,)) for name in ("amala", "joe"))
    made = [(await office.accepted(office.screen(user=f"group:{group}")))["id"] for _ in range(3)]

    seen = await office.patch(made[0], {"actionType": "IsSeen"}, token=amala)
    read = await office.patch(made[1], {"actionType": "IsRead"}, token=amala)
    away = await office.patch(made[2], {"actionType": "Archived"}, token=amala)

    states = [
        (a["isSeenStatus"], a["isReadStatus"], a["isArchived"]) for a in (seen.body, read.body, away.body)
    ]
    assert states == [(True, False, False), (True, True, False), (True, False, True)]
    assert await ids(office, amala) == [made[1], made[0]]
    assert await ids(office, amala, "isArchived=true") == [made[2]]
    assert await ids(office, amala, "isReadStatus=false") == [made[0]]
    assert await counts(office, amala) == counted(2, 1, 0, 0)
    assert await counts(office, amala, "isArchived=true") == counted(1, 1, 0, 0)
    assert await counts(office, joe) == counted(3, 3, 3, 0)
    assert await counts(office, joe, "isSeenStatus=true") == counted(0, 0, 0, 0)

    await office.patch(made[2], {"actionType": "IsUnread"}, token=amala)
    assert await ids(office, amala) == made[::-1]
    assert [each["isSeenStatus"] for each in (await office.get("/notifications?limit=3")).body] == [True] * 3


async def test_what_one_member_decides_is_closed_for_the_others(office: Any) -> None:
    group = "inbox-two"
    amala, joe = (office.token(f"{name}@hackney.gov.uk", groups=(group,)) for name in ("amala", "joe"))
    made = await office.accepted(office.screen(user=f"group:{group}", requireAction=True))
    assert (
        await ids(office, joe, "needsAction=true") == await ids(office, joe, "overdue=true") == [made["id"]]
    )
    assert await counts(office, joe) == counted(1, 1, 1, 1)
    await office.problem(
        409, "PATCH", f"/notifications/{made['id']}", body={"actionType": "Archived"}, token=joe
    )

    await office.patch(made["id"], {"actionType": "Approved", "actionNote": "Right"}, token=amala)

    assert await counts(office, joe) == counted(1, 1, 1, 0)
    assert await ids(office, joe, "needsAction=true") == await ids(office, joe, "overdue=true") == []
    [shown] = (await office.get("/notifications?needsAction=false", token=joe)).body
    assert (shown["performedActionType"], shown["performedActionDoneBy"]) == (
        "Approved",
        "amala@hackney.gov.uk",
    )


async def test_a_count_by_other_filters_is_of_what_is_listed(office: Any) -> None:
    token = office.token("sam@hackney.gov.uk", groups=("inbox-three",))
    for kind in ("Estimates", "Actuals", "Actuals"):
        await office.accepted(office.screen(user="group:inbox-three", targetType=kind))
    other = await office.accepted(office.screen(user="sam@hackney.gov.uk", targetType="Actuals"))
    await office.patch(other["id"], {"actionType": "Archived"}, token=token)

    assert await counts(office, token, "targetType=Actuals") == {"count": 2, "isExact": True}
    assert await counts(office, token, "user=group:inbox-three") == counted(3, 3, 3, 0)
    assert await counts(office, token, "user=group:another") == counted(0, 0, 0, 0)


@pytest.mark.parametrize("action", ["IsSeen", "Archived"])
async def test_a_service_has_no_view_of_its_own(office: Any, action: str) -> None:
    made = await office.accepted(office.screen())

    await office.problem(403, "PATCH", f"/notifications/{made['id']}", body={"actionType": action})
    for query in ("isSeenStatus=true", "isArchived=false"):
        for path in ("/notifications", "/notifications/count"):
            problem = await office.problem(400, "GET", f"{path}?{query}")
            assert [error["field"] for error in problem["errors"]] == [query.split("=")[0]]


async def test_what_needs_no_action_is_never_overdue(office: Any) -> None:
    problem = await office.problem(400, "GET", "/notifications?overdue=true&needsAction=false")

    assert [error["field"] for error in problem["errors"]] == ["overdue"]


async def test_a_service_is_told_once_that_it_was_seen_and_read(office: Any) -> None:
    token = office.token("kim@hackney.gov.uk")
    made = await office.accepted(office.screen(user="kim@hackney.gov.uk"))
    for action in ("IsSeen", "IsSeen", "IsRead", "Archived", "IsUnread"):
        await office.patch(made["id"], {"actionType": action}, token=token)
    await office.app.dispatcher.publish_all()

    told = [
        each["type"]
        for each in (await office.get("/feedback?limit=200")).body
        if each["data"]["notificationId"] == made["id"]
    ]
    assert told == ["created", "seen", "read"]


async def mark(office: Any, token: str, body: Any, query: str = "") -> Any:
    return await office.call("POST", f"/notifications/mark?{query}", token=token, body=body)


async def test_one_request_marks_all_or_some(office: Any) -> None:
    token = office.token("lee@hackney.gov.uk", groups=("inbox-four",))
    made = [(await office.accepted(office.screen(user="group:inbox-four")))["id"] for _ in range(4)]

    some = await mark(office, token, {"actionType": "IsSeen", "ids": [made[0].upper(), made[1]]})
    everything = await mark(office, token, {"actionType": "isread"}, "user=group:inbox-four")
    none = await mark(office, token, {"actionType": "IsRead"})

    assert (some.status, some.body) == (200, {"marked": 2, "isComplete": True})
    assert (everything.body, none.body) == (
        {"marked": 4, "isComplete": True},
        {"marked": 0, "isComplete": True},
    )
    assert await counts(office, token) == counted(4, 0, 0, 0)


@pytest.mark.parametrize(
    ("query", "body", "fields"),
    [
        ("", {}, ["actionType"]),
        ("", {"actionType": "Approved", "ids": ["x"], "id": "x"}, ["id", "actionType", "ids"]),
        ("", {"actionType": "IsRead", "ids": ["01a20ad8-4a56-73f5-9ece-71a17e565c2f"] * 201}, ["ids"]),
        ("service=All", {"actionType": "IsRead"}, ["service"]),
        ("limit=5", {"actionType": "IsRead"}, ["limit"]),
    ],
    ids=["nothing", "all of it", "too many", "service", "limit"],
)
async def test_a_wrong_mark_is_refused(office: Any, query: str, body: Any, fields: list[str]) -> None:
    token = office.token("lee@hackney.gov.uk")
    problem = await office.problem(400, "POST", f"/notifications/mark?{query}", token=token, body=body)

    assert [error["field"] for error in problem["errors"]] == fields


async def test_a_service_marks_nothing(office: Any) -> None:
    await office.problem(403, "POST", "/notifications/mark", body={"actionType": "IsRead"})


async def test_a_later_one_of_a_thread_takes_the_place_of_the_earlier(office: Any) -> None:
    token = office.token("ash@hackney.gov.uk", groups=("inbox-five",))
    body = office.screen(user="group:inbox-five", threadKey="lift-4", targetId="inbox-five")
    first, second = await office.accepted(body), await office.accepted(body)

    assert await ids(office, token) == [second["id"]]
    assert (await office.get("/notifications/count?targetId=inbox-five")).body["count"] == 1
    for how in ({}, {"token": token}):
        shown = (await office.get(f"/notifications/{first['id']}", **how)).body
        assert (shown["threadKey"], shown["endedBy"], shown["replacedBy"], shown["isRemovable"]) == (
            "lift-4",
            "replaced",
            second["id"],
            False,
        )
    problem = await office.problem(
        409, "PATCH", f"/notifications/{first['id']}", body={"actionType": "IsRead"}, token=token
    )
    assert problem["detail"] == "A later notification has taken the place of this one."
    await office.problem(409, "DELETE", f"/notifications/{first['id']}")


async def test_what_expires_leaves_lists_and_is_told_of(office: Any) -> None:
    token = office.token("ash@hackney.gov.uk")
    soon = (office.app.clock() + timedelta(seconds=1)).isoformat()
    made = await office.accepted(office.screen(user="ash@hackney.gov.uk", expiresAt=soon))
    assert await counts(office, token) == counted(1, 1, 1, 0)

    ended = await office.until(made["id"], lambda item: item["endedAt"] is not None)

    assert (ended["endedBy"], ended["replacedBy"]) == ("expired", None)
    assert (await ids(office, token), await counts(office, token)) == ([], counted(0, 0, 0, 0))
    await office.app.dispatcher.publish_all()
    told = [
        each["type"]
        for each in (await office.get("/feedback?limit=200")).body
        if each["data"]["notificationId"] == made["id"]
    ]
    assert told == ["created", "expired"]


async def test_wrong_terms_are_refused(office: Any) -> None:
    past = await office.refused(office.screen(threadKey="", expiresAt="2020-01-01"))
    unread = await office.refused(office.screen(threadKey="a\nb", expiresAt="soon"))

    assert sorted(past.fields) == sorted(unread.fields) == ["expiresAt", "threadKey"]
