"""An escalation is asked for, judged and shown over the API."""

from typing import Any

import pytest
from sqlalchemy import func, select

from postroom.features.notifications.escalation import escalation_steps

pytestmark = pytest.mark.asyncio(loop_scope="module")

POLICY = [
    {"after": "PT24H", "unless": "read", "notify": {"notificationType": "Email", "email": "a@example.com"}},
    {"after": "P3D", "user": "maya.manager@hackney.gov.uk"},
]


def with_template(office: Any, **changed: Any) -> list[Any]:
    first = POLICY[0] | {
        "notify": POLICY[0]["notify"]  # type: ignore[operator]
        | {"templateId": office.templates["email"], "personalisationParams": {"name": "A", "ref": "B"}}
        | changed
    }
    return [first, POLICY[1]]


async def test_it_is_accepted_shown_and_kept_until_it_is_due(office: Any) -> None:
    asked = with_template(office)
    made = await office.accepted(office.screen(escalation=asked, serviceKey="demo", user="joe@b.uk"))

    shown = (await office.get(f"/notifications/{made['id']}")).body
    assert made["escalation"] == shown["escalation"] == asked
    async with office.app.database.reading() as conn:
        mine = escalation_steps.c.notification_id == made["id"]
        kept = await conn.scalar(select(func.count()).select_from(escalation_steps).where(mine))
    assert kept == 2
    (listed,) = (await office.get("/notifications", token=office.token("joe@b.uk"))).body
    assert listed["id"] == made["id"]


async def test_validating_keeps_nothing(office: Any) -> None:
    body = office.screen(escalation=with_template(office), serviceKey="demo")
    answer = await office.call("POST", "/notifications?validateOnly=true", body=body)

    assert (answer.status, answer.body["valid"]) == (200, True)


@pytest.mark.parametrize(
    ("steps", "fields"),
    [
        ([{}], ["escalation[0].after", "escalation[0]"]),
        ([{"after": "1 day", "user": "a@b.uk"}], ["escalation[0].after"]),
        ([{"after": "P1D", "user": "a@b.uk", "unless": "slept"}], ["escalation[0].unless"]),
        ([{"after": "P1D", "user": "a@b.uk", "colour": 1}], ["escalation[0].colour"]),
        ([{"after": "P1D", "user": "a@b.uk", "notify": {}}], ["escalation[0]"]),
        ([{"after": "P1D", "user": "a@b.uk"}, {"after": "P1D", "user": "x"}], ["escalation[1].user"]),
        ([{"after": "P1D", "user": 7}], ["escalation[0].user"]),
        ([{"after": "P1D", "notify": "email"}], ["escalation[0].notify"]),
        (["P1D"], ["escalation[0]"]),
        ([{"after": "P1D", "user": "a@b.uk"}] * 11, ["escalation"]),
        ("P1D", ["escalation"]),
        (
            [{"after": "P1D", "notify": {"notificationType": "Pigeon", "hue": 1}}],
            ["escalation[0].notify.notificationType", "escalation[0].notify.hue"],
        ),
        (
            [{"after": "P1D", "notify": {"notificationType": "Email"}}],
            ["escalation[0].notify.email", "escalation[0].notify.templateId", "serviceKey"],
        ),
    ],
)
async def test_every_field_at_fault_is_named_with_its_step(
    office: Any, steps: Any, fields: list[str]
) -> None:
    answer = await office.refused(office.screen(escalation=steps, targetId=""))

    named = [field for field in answer.fields if field != "targetId"]
    assert sorted(name for name in named if name in fields) == sorted(fields)
    assert "targetId" in answer.fields


async def test_a_template_of_a_step_is_judged_too(office: Any) -> None:
    steps = with_template(office, personalisationParams={"name": "A"})
    answer = await office.refused(office.screen(escalation=steps, serviceKey="demo"))

    assert list(answer.fields) == ["escalation[0].notify.personalisationParams.ref"]


async def test_a_key_that_came_along_is_not_kept_for_later(office: Any) -> None:
    body = office.screen(escalation=with_template(office), serviceKey=office.sandbox.api_key)

    assert list((await office.refused(body)).fields) == ["escalation[0].notify"]
    alone = office.screen(escalation=[POLICY[1]], serviceKey=office.sandbox.api_key)
    assert (await office.accepted(alone))["escalation"] == [POLICY[1]]
