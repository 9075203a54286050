"""F6: what there is to do elsewhere, as a button on the screen and as a short link in emails and texts."""

import base64
import re
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from sqlalchemy import update
from yarl import URL

from notify_sandbox.model import Channel
from notify_sandbox.seed import SeedTemplate
from postroom.domain.channel import Channel as OurChannel
from postroom.features.notifications.tables import notifications
from postroom.features.services import set_link_hosts
from postroom.kit.crypto import Vault

pytestmark = pytest.mark.asyncio(loop_scope="module")

PUBLIC = "https://notify.hackney.example/post"
TARGET = "https://forms.hackney.gov.uk/survey?ref=R%201&a=b#top"
FOLLOW_ON = {"label": "Tell us how it went", "url": TARGET, "kind": "survey"}


@pytest.fixture(scope="module")
def chosen() -> dict[str, str]:
    return {"POSTROOM_PUBLIC_URL": PUBLIC}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def templates(office: Any) -> dict[str, str]:
    """Templates with the placeholder, for a service that may lead to the council's forms."""
    controls, service = office.sandbox.controls, office.sandbox.service
    made = {
        "email": controls.add_template(
            service,
            SeedTemplate(
                alias="survey",
                name="Survey",
                type=Channel.EMAIL,
                subject="A question",
                body="Dear ((name))\n\n((follow_on_link))",
            ),
        ).id,
        "text": controls.add_template(
            service, SeedTemplate(alias="sms", name="T", type=Channel.TEXT, body="Go: ((follow on link))")
        ).id,
    }
    async with office.app.database.transaction() as conn:
        await set_link_hosts(conn, service_id=office.service_id, hosts=["forms.hackney.gov.uk"])
    await office.get("/templates/demo?refresh=true")
    office.app.directory._known.clear()
    return made


def survey(office: Any, templates: dict[str, str], **others: Any) -> Any:
    return office.email(
        templateId=templates["email"],
        personalisationParams={"name": "Joe"},
        followOnAction=FOLLOW_ON,
        **others,
    )


async def link_in(office: Any, item: Any) -> str:
    """The path of the link in what was sent, below the office's own address."""
    await office.ended(item["id"])
    (one,) = office.sandbox.sent(reference=item["deliveries"][0]["id"])
    (link,) = re.findall(r"https://notify\S+", one.body)
    assert link.startswith(f"{PUBLIC}/f/")
    return str(link.removeprefix(PUBLIC))


async def visit(office: Any, path: str, method: str = "GET", **headers: str) -> Any:
    async with aiohttp.ClientSession() as session:
        url = URL(office.url + path, encoded=True)
        async with session.request(method, url, headers=headers, allow_redirects=False) as got:
            return got.status, got.headers.copy(), await got.text()


async def actions(office: Any, item: Any) -> list[Any]:
    found = (await office.get(f"/audit?notificationId={item['id']}&kind=action")).body
    return [(each["detail"], each["actor"]) for each in found]


async def test_it_is_accepted_and_shown(office: Any, templates: Any) -> None:
    made = await office.accepted(office.screen(followOnAction={"label": "Go", "url": TARGET}, user="a@b.uk"))

    assert made["followOnAction"] == {"label": "Go", "url": TARGET, "kind": "link"}
    token = office.token("a@b.uk")
    assert (await office.get(f"/notifications/{made['id']}", token=token)).body["followOnAction"] == made[
        "followOnAction"
    ]


@pytest.mark.parametrize("channel", ["email", "text"])
async def test_the_link_leads_there_and_the_first_visit_is_an_action(
    office: Any, templates: Any, channel: str
) -> None:
    body = survey(office, templates)
    if channel == "text":
        body = office.text(templateId=templates["text"], followOnAction=FOLLOW_ON, personalisationParams={})
    made = await office.accepted(body)
    path = await link_in(office, made)

    visits = [await visit(office, path) for _ in range(2)]

    assert [(status, headers["location"]) for status, headers, _ in visits] == [(303, TARGET)] * 2
    assert {headers["referrer-policy"] for _, headers, _ in visits} == {"no-referrer"}
    assert {headers["cache-control"] for _, headers, _ in visits} == {"no-store"}
    who = "joe@example.com" if channel == "email" else "07700 900456"
    item = (await office.get(f"/notifications/{made['id']}")).body
    assert (item["performedActionType"], item["performedActionDoneBy"]) == ("Initiated", who)
    assert await actions(office, made) == [("Initiated", who)]
    assert made["warnings"] == []


async def test_the_service_is_told_as_for_a_patch(office: Any, templates: Any) -> None:
    made = await office.accepted(survey(office, templates))
    await visit(office, await link_in(office, made))

    told: list[Any] = []
    for _ in range(100):
        since, told = "0", []
        while page := (await office.get(f"/feedback?since={since}&limit=200")).body:
            told += [each for each in page if each["data"]["notificationId"] == made["id"]]
            since = page[-1]["cursor"]
        if told and told[-1]["type"] == "actioned":
            break
    assert (told[-1]["type"], told[-1]["data"]["action"], told[-1]["data"]["actor"]) == (
        "actioned",
        "Initiated",
        "reader",
    )


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", {}),
        ("GET", {"Sec-Purpose": "prefetch;prerender"}),
        ("GET", {"Purpose": "prefetch"}),
        ("GET", {"User-Agent": "facebookexternalhit/1.1 Facebot Twitterbot/1.0"}),
    ],
)
async def test_what_looks_before_a_person_does_is_no_visit(
    office: Any, templates: Any, method: str, headers: dict[str, str]
) -> None:
    made = await office.accepted(survey(office, templates))
    path = await link_in(office, made)

    status, answered, text = await visit(office, path, method, **headers)

    assert (status, answered["location"], text) == (303, TARGET, "")
    assert await actions(office, made) == []


async def test_what_is_settled_stays_so(office: Any, templates: Any) -> None:
    made = await office.accepted(survey(office, templates))
    path = await link_in(office, made)
    await office.patch(made["id"], {"actionType": "Validate"})

    status, _, _ = await visit(office, path)

    assert (status, await actions(office, made)) == (303, [("Validate", "demo")])


async def test_the_link_holds_no_personal_data(office: Any, templates: Any) -> None:
    made = await office.accepted(survey(office, templates))
    token = (await link_in(office, made)).removeprefix("/f/")

    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    assert raw[:16].hex() == made["id"].replace("-", "")
    assert (len(token), len(raw)) == (39, 29)


@pytest.mark.parametrize(
    "change",
    ["x{}", "{}x", "", "%C3%A9", "%00", "{}%3D%3D", "..%2Fnotifications", "AAAA", "https://evil.example"],
)
async def test_a_tampered_link_is_answered_kindly(office: Any, templates: Any, change: str) -> None:
    made = await office.accepted(survey(office, templates))
    token = (await link_in(office, made)).removeprefix("/f/")

    status, headers, text = await visit(office, "/f/" + change.format(token))

    assert status == 404
    if headers["content-type"].startswith("text/html"):
        assert "This link does not work" in text
        assert "location" not in headers
        assert headers["content-security-policy"].startswith("default-src 'none'")


async def test_a_link_to_what_cannot_be_opened_is_answered_kindly(office: Any, templates: Any) -> None:
    made = await office.accepted(survey(office, templates))
    link = await link_in(office, made)
    sealed = Vault("another secret of at least 32 characters").seal(b"{}", row="some", column="where")
    async with office.app.database.transaction() as conn:
        spoilt = update(notifications).where(notifications.c.id == made["id"]).values(personal=sealed)
        await conn.execute(spoilt)

    status, headers, text = await visit(office, link)

    assert (status, "location" in headers, "Try again later" in text) == (503, False, True)


async def test_every_bit_of_a_link_is_signed(office: Any) -> None:
    links, now = office.app.links, office.app.clock()
    url = links.url("01a20ad8-4a56-73f5-9ece-71a17e565c2f", OurChannel.TEXT)
    raw = base64.urlsafe_b64decode(url.rpartition("/")[2] + "=")

    for bit in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        token = base64.urlsafe_b64encode(bytes(changed)).decode().rstrip("=")
        assert links.read(token, now=now) == "tampered"


async def test_an_expired_link_and_one_to_what_was_removed_are_gone(office: Any, templates: Any) -> None:
    made = await office.accepted(survey(office, templates))
    path = await link_in(office, made)
    links = office.app.links
    later = office.app.clock() + timedelta(days=91)

    assert links.read(path.removeprefix("/f/"), now=later) == "expired"
    assert (await office.delete(made["id"])).status == 204
    status, headers, text = await visit(office, path)
    assert (status, "not available any more" in text, "location" in headers) == (410, True, False)


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ({}, ["followOnAction.label", "followOnAction.url"]),
        ({"label": "", "url": "http://forms.hackney.gov.uk", "kind": "no word"}, ["label", "url", "kind"]),
        ({"label": "Go", "url": "https://evil.example"}, ["url"]),
        ({"label": "Go\nhome", "url": TARGET}, ["label"]),
        ({"label": 7, "url": TARGET}, ["label"]),
        ({"label": "Go", "url": TARGET, "colour": "red"}, ["colour"]),
        ("https://forms.hackney.gov.uk", ["followOnAction"]),
    ],
)
async def test_every_field_at_fault_is_named(
    office: Any, templates: Any, action: Any, fields: list[str]
) -> None:
    answer = await office.refused(office.screen(followOnAction=action, targetId=""))

    named = {field.removeprefix("followOnAction.") for field in answer.fields}
    assert named == {*(field.removeprefix("followOnAction.") for field in fields), "targetId"}


async def test_a_template_with_the_placeholder_needs_an_action_or_a_value(
    office: Any, templates: Any
) -> None:
    body = survey(office, templates)
    del body["followOnAction"]
    answer = await office.refused(body)

    assert list(answer.fields) == ["personalisationParams.follow_on_link"]
    own = body | {"personalisationParams": {"name": "Joe", "follow_on_link": "none today"}}
    assert (await office.post(own)).status == 201


async def test_a_service_without_hosts_leads_nowhere(office: Any) -> None:
    body = office.screen(followOnAction=FOLLOW_ON)
    answer = await office.post(body, key=office.other_key)

    assert (answer.status, list(answer.fields)) == (400, ["followOnAction.url"])
