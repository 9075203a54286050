"""E2 and section 4: GET /notifications, its filters and pages, and the fields of an item."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio

pytestmark = pytest.mark.asyncio(loop_scope="module")

SPECIFIED = [
    "id",
    "targetId",
    "targetType",
    "notificationType",
    "user",
    "message",
    "serviceKey",
    "templateId",
    "mobileNumber",
    "email",
    "requireAction",
    "requireEmailNotification",
    "requireSmsNotification",
    "requireLetter",
    "isReadStatus",
    "sentMessageDetails",
    "actionNote",
    "performedActionDoneBy",
    "performedActionType",
    "isRemovable",
    "personalisationParams",
    "performedActionDate",
    "createdDate",
]
OURS = [
    "reference",
    "templateIds",
    "templateUnchecked",
    "warnings",
    "deliveries",
    "sensitive",
    "followOnAction",
    "escalation",
    "threadKey",
    "expiresAt",
    "endedAt",
    "endedBy",
    "replacedBy",
    "isSeenStatus",
    "isArchived",
    "isUnreadable",
]
_NEXT = re.compile(r'<(/notifications\?.+)>; rel="next"')


async def ids(office: Any, query: str, **how: Any) -> list[str]:
    answer = await office.get(f"/notifications?{query}", **how)
    assert answer.status == 200, answer.text
    return [item["id"] for item in answer.body]


async def test_e2_is_a_bare_array_of_the_specifications_fields_and_ours_after_them(office: Any) -> None:
    body = office.screen(
        targetId="e2-shape",
        mobileNumber="09887673562",
        email="test@test.com",
        personalisationParams={"firstName": "First Name", "lastName": "Last Name", "city": "city"},
    )
    created = await office.accepted(body)

    [item] = (await office.get("/notifications?notificationType=Screen&targetId=e2-shape")).body

    assert list(item) == [*SPECIFIED, *OURS]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z", item["createdDate"])
    assert datetime.now(UTC) - datetime.fromisoformat(item["createdDate"]) < timedelta(minutes=1)
    assert item == body | {
        "id": created["id"],
        "user": None,
        "serviceKey": None,
        "templateId": None,
        "sensitive": False,
        "followOnAction": None,
        "requireAction": False,
        "requireEmailNotification": False,
        "requireSmsNotification": False,
        "requireLetter": False,
        "isReadStatus": False,
        "sentMessageDetails": None,
        "actionNote": None,
        "performedActionDoneBy": None,
        "performedActionType": None,
        "isRemovable": True,
        "performedActionDate": None,
        "createdDate": created["createdDate"],
        "reference": None,
        "templateIds": {},
        "templateUnchecked": False,
        "warnings": [],
        "deliveries": [],
        "escalation": [],
        "threadKey": None,
        "expiresAt": None,
        "endedAt": None,
        "endedBy": None,
        "replacedBy": None,
        "isSeenStatus": False,
        "isArchived": False,
        "isUnreadable": False,
    }


async def test_section_4_deliveries_tell_the_story(office: Any) -> None:
    item = await office.ended((await office.accepted(office.email()))["id"])

    [delivery] = item["deliveries"]
    times = [datetime.fromisoformat(delivery[name]) for name in ("sentAt", "completedAt")]
    assert datetime.fromisoformat(item["createdDate"]) <= times[0]
    assert delivery == {
        "id": delivery["id"],
        "channel": "Email",
        "status": "delivered",
        "notifyId": office.sandbox.sent(reference=delivery["id"])[0].id,
        "attempts": 1,
        "sentAt": delivery["sentAt"],
        "completedAt": delivery["completedAt"],
        "failureReason": None,
        "documentId": None,
        "templateVersion": 1,
    }


@pytest_asyncio.fixture(loop_scope="module")
async def set_of_four(office: Any) -> dict[str, str]:
    """Four notifications that differ in all that can be asked for, by name."""
    bodies = {
        "screen": office.screen(user="joe@hackney.gov.uk", reference="r-screen"),
        "action": office.screen(targetType="Estimates", requireAction=True, user="group:finance"),
        "email": office.email(targetType="Person", reference="r-email"),
        "flagged": office.screen(
            serviceKey="demo",
            email="joe@example.com",
            requireEmailNotification=True,
            templateIds={"Email": office.templates["email_plain"]},
        ),
    }
    target = f"e2-{datetime.now(UTC).timestamp()}"
    made = {name: (await office.accepted(body | {"targetId": target}))["id"] for name, body in bodies.items()}
    await office.patch(made["action"], {"actionType": "Initiated"})
    await office.patch(made["email"], {"actionType": "IsRead"})
    return made | {"target": target}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "flagged email action screen"),
        ("&notificationType=Screen", "flagged action screen"),
        ("&notificationType=email", "flagged email"),
        ("&notificationType=Email&notificationType=Text", "flagged email"),
        ("&notificationType=Text,Letter", ""),
        ("&notificationType=Screen,%20Email", "flagged email action screen"),
        ("&notificationType=All", "flagged email action screen"),
        ("&targetType=Estimates", "action"),
        ("&targetType=Person", "email"),
        ("&targetType=NeverUsed", ""),
        ("&user=Joe@Hackney.gov.uk", "screen"),
        ("&user=group:finance", "action"),
        ("&isReadStatus=true", "email"),
        ("&isReadStatus=False", "flagged action screen"),
        ("&requireAction=true", "action"),
        ("&requireAction=false", "flagged email screen"),
        ("&performedActionType=Initiated", "action"),
        ("&performedActionType=Approved", ""),
        ("&reference=r-email", "email"),
        ("&reference=r-", ""),
        ("&createdFrom=2020-01-01", "flagged email action screen"),
        ("&createdTo=2020-01-01T00:00:00Z", ""),
        (
            "&createdFrom=2020-01-01T00:00:00%2B01:00&createdTo=2999-01-01T00:00:00Z",
            "flagged email action screen",
        ),
        ("&createdFrom=2999-01-01", ""),
        ("&limit=2", "flagged email"),
        ("&requireAction=false&notificationType=Email&isReadStatus=false", "flagged"),
    ],
)
async def test_e2_filters(query: str, found: str, office: Any, set_of_four: dict[str, str]) -> None:
    names = {made: name for name, made in set_of_four.items()}

    shown = await ids(office, f"targetId={set_of_four['target']}{query}")

    assert " ".join(names[each] for each in shown) == found
    if "limit" not in query:
        count = await office.get(f"/notifications/count?targetId={set_of_four['target']}{query}")
        assert count.body == {"count": len(shown), "isExact": True}


@pytest.mark.parametrize(
    ("query", "fields"),
    [("limit=5", ["limit"]), ("isReadStatus=perhaps&x=1", ["x"]), ("isReadStatus=perhaps", ["isReadStatus"])],
)
async def test_a_count_refuses_what_is_no_filter_of_it(query: str, fields: list[str], office: Any) -> None:
    problem = await office.problem(400, "GET", f"/notifications/count?{query}")

    assert sorted(error["field"] for error in problem["errors"]) == fields


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("notificationType=Pigeon", ["notificationType"]),
        ("notificationType=", ["notificationType"]),
        ("isReadStatus=perhaps", ["isReadStatus"]),
        ("requireAction=1", ["requireAction"]),
        ("performedActionType=Ignored", ["performedActionType"]),
        ("createdFrom=yesterday", ["createdFrom"]),
        ("createdTo=2026-13-01", ["createdTo"]),
        ("limit=0", ["limit"]),
        ("limit=201", ["limit"]),
        ("limit=-1", ["limit"]),
        ("limit=1e2", ["limit"]),
        ("limit=%D9%A3", ["limit"]),
        ("limit=99999999999999999999", ["limit"]),
        ("cursor=x", ["cursor"]),
        ("targetId=a%00b", ["targetId"]),
        ("user=a%0Ab", ["user"]),
        ("targetId=1&targetId=2", ["targetId"]),
        ("targetID=1", ["targetID"]),
        ("page=2&sort=up", ["page", "sort"]),
        ("limit=0&isReadStatus=x&createdFrom=x", ["createdFrom", "isReadStatus", "limit"]),
    ],
)
async def test_e2_refuses_every_filter_at_fault(query: str, fields: list[str], office: Any) -> None:
    problem = await office.problem(400, "GET", f"/notifications?{query}")

    assert sorted(error["field"] for error in problem["errors"]) == fields


@pytest.mark.parametrize(
    "query", ["targetId=%ff", "user=%F0%9F%90%9D", "reference=%ED%A0%80", "targetType=" + "x" * 5000]
)
async def test_e2_odd_values_find_nothing(query: str, office: Any) -> None:
    assert await ids(office, query) == []


async def test_e2_has_fifty_a_page_and_at_most_two_hundred(office: Any) -> None:
    target = f"e2-many-{datetime.now(UTC).timestamp()}"
    await asyncio.gather(*(office.accepted(office.screen(targetId=target)) for _ in range(201)))

    lengths = [len(await ids(office, f"targetId={target}{more}")) for more in ("", "&limit=1", "&limit=200")]

    assert lengths == [50, 1, 200]


async def test_e2_pages_lose_and_repeat_nothing_while_more_arrive(office: Any) -> None:
    target, odd = f"e2-pages-{datetime.now(UTC).timestamp()}", "a b&c=d/é"
    made = [(await office.accepted(office.screen(targetId=target, reference=odd)))["id"] for _ in range(23)]

    path, pages = f"/notifications?targetId={target}&reference={quote(odd, safe='')}&limit=5", []
    while path:
        answer = await office.get(path)
        pages.append([item["id"] for item in answer.body])
        await office.accepted(office.screen(targetId=target, reference=odd))
        link = _NEXT.fullmatch(answer.headers.get("Link", ""))
        path = link[1] if link else ""

    assert [len(page) for page in pages] == [5, 5, 5, 5, 3]
    assert [each for page in pages for each in page] == made[::-1]


async def test_e2_a_service_sees_its_own_and_an_officer_what_is_addressed_to_them(office: Any) -> None:
    target = f"e2-whose-{datetime.now(UTC).timestamp()}"
    for user in ("ann@hackney.gov.uk", "group:finance", None):
        await office.accepted(office.screen(targetId=target, user=user))
    await office.accepted(office.screen(targetId=target, serviceKey=None), key=office.other_key)

    async def seen(**who: Any) -> int:
        return len(await ids(office, f"targetId={target}", **who))

    assert await seen() == 3
    assert await seen(key=office.other_key) == 1
    assert await seen(token=office.token("Ann@hackney.gov.uk")) == 1
    assert await seen(token=office.token("ann@hackney.gov.uk", groups=("finance", "demo-officers"))) == 3
    assert await seen(token=office.token("joe@hackney.gov.uk")) == 0
