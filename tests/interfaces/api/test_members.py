"""Who is in groups and patches, over the API: who may say so, and what a member sees."""

from typing import Any

import pytest
import pytest_asyncio

from postroom.domain.scope import Scope

pytestmark = pytest.mark.asyncio(loop_scope="module")

AMALA = "amala.officer@hackney.gov.uk"
JOE = "joe.officer@hackney.gov.uk"


@pytest.fixture(scope="module")
def chosen() -> dict[str, str]:
    return {"POSTROOM_ADMIN_GROUPS": "platform"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def key(office: Any) -> str:
    return str((await office.issue(scopes=[Scope.MEMBERS])).key)


async def members(office: Any, path: str, key: str) -> dict[str, tuple[bool, bool]]:
    answer = await office.get(path, key=key)
    assert answer.status == 200, answer.text
    return {
        each["email"]: (each["registeredAt"] is not None, each["toldAt"] is not None) for each in answer.body
    }


@pytest.mark.parametrize(("place", "kind"), [("groups", "group"), ("patches", "patch")])
async def test_a_registered_member_sees_what_comes(office: Any, key: str, place: str, kind: str) -> None:
    path = f"/{place}/North%20One/members"
    token = office.token(AMALA)
    made = await office.accepted(office.screen(user=f"{kind}:north one"))
    assert (await office.get(f"/notifications/{made['id']}", token=token)).status == 404

    put = await office.call("PUT", path, key=key, body={"members": [AMALA]})
    added = await office.call("POST", path, key=key, body={"members": [JOE]})
    assert (put.status, put.text, added.status) == (204, "", 204)
    assert await members(office, path, key) == {AMALA: (True, False), JOE: (True, False)}
    assert {"name": "north one", "members": 2} in (await office.get(f"/{place}", key=key)).body
    assert (await office.get(f"/notifications/{made['id']}", token=token)).status == 200

    gone = await office.call("DELETE", f"{path}?user={AMALA}", key=key)
    assert gone.status == 204
    assert (await office.get(f"/notifications/{made['id']}", token=token)).status == 404
    assert (await office.call("DELETE", f"{path}?user={AMALA}", key=key)).status == 404


async def test_tokens_fill_the_registry(office: Any, key: str) -> None:
    await office.get("/notifications", token=office.token("sam@hackney.gov.uk", groups=("Income",)))

    assert await members(office, "/groups/income/members", key) == {"sam@hackney.gov.uk": (False, True)}


async def test_pages_follow_one_another(office: Any, key: str) -> None:
    path = "/groups/many/members"
    emails = {f"officer-{each}@hackney.gov.uk" for each in range(5)}
    await office.call("PUT", path, key=key, body={"members": sorted(emails)})
    found, link = list[str](), f"<{path}?limit=2>"
    while link:
        answer = await office.get(link.split("<")[1].split(">")[0], key=key)
        found += [each["email"] for each in answer.body]
        link = answer.headers.get("Link", "")

    assert (len(found), set(found)) == (5, emails)


@pytest.mark.parametrize(
    ("groups", "status"), [((), 403), (("repairs",), 403), (("platform",), 204)], ids=str
)
async def test_of_persons_an_admin_may(office: Any, groups: tuple[str, ...], status: int) -> None:
    how = {"token": office.token("pat@hackney.gov.uk", groups=groups), "body": {"members": [JOE]}}
    answer = await office.call("PUT", "/groups/of-an-admin/members", **how)

    assert answer.status == status
    if status == 403:
        assert answer.body["detail"] == "This needs the role admin."


async def test_a_key_of_which_nothing_is_said_may_not(office: Any) -> None:
    problem = await office.problem(403, "GET", "/groups")

    assert problem["detail"] == "This key has not the scope members:write."


@pytest.mark.parametrize(
    ("method", "path", "body", "fields"),
    [
        ("PUT", "/groups/a/members", {}, ["members"]),
        ("PUT", "/groups/a/members", {"members": "x"}, ["members"]),
        ("PUT", "/groups/a/members", {"members": ["x", JOE]}, ["members[0]"]),
        ("POST", "/groups/a/members", {"member": [JOE]}, ["member"]),
        ("POST", "/groups/a,b/members", {"members": [JOE]}, ["name"]),
        ("DELETE", "/groups/a/members", None, ["user"]),
        ("GET", "/groups/a/members?cursor=x", None, ["cursor"]),
        ("GET", "/groups/a/members?limit=0&x=1", None, ["x"]),
        ("GET", "/patches?limit=0", None, ["limit"]),
    ],
)
async def test_what_is_wrong_is_named(
    office: Any, key: str, method: str, path: str, body: Any, fields: list[str]
) -> None:
    problem = await office.problem(400, method, path, key=key, body=body)

    assert [error["field"] for error in problem["errors"]] == fields
    assert await members(office, "/groups/a/members", key) == {}
