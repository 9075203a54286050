"""Tokens of each kind that the council has, each let in as whom it names."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from joserfc import jwt
from joserfc.jwk import OctKey

from postroom.domain.caller import Person
from postroom.domain.scope import Scope
from postroom.features.services import Consumer, admit_token, revoke_key
from postroom.interfaces.tokens import Tokens
from tests.cognito import CLIENT_ID, Pool, running_pool

pytestmark = pytest.mark.asyncio(loop_scope="module")

SERVICE_SECRET = "the-secret-of-the-makers-of-service-tokens"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[Pool]:
    async with running_pool() as running:
        yield running


@pytest.fixture(scope="module")
def chosen(pool: Pool) -> dict[str, str]:
    return pool.settings | {
        "SERVICE_TOKEN_SECRET": SERVICE_SECRET,
        "OFFICER_TOKEN_ISSUER": "Hackney",
        "POSTROOM_AUDITOR_GROUPS": "Internal Audit",
        "POSTROOM_MANAGER_GROUPS": "housing-managers",
    }


def service_token(*, secret: str = SERVICE_SECRET, **claims: Any) -> str:
    told = {"id": 42, "consumerName": "Housing Finance", "consumerType": 1} | claims
    return jwt.encode({"alg": "HS256"}, told, OctKey.import_key(secret))


def old_token(office: Any, **claims: Any) -> str:
    told = {"email": "amala.officer@hackney.gov.uk", "groups": ["demo-officers"], "iss": "Hackney"}
    token: str = office.signed(told | {"exp": int(time.time()) + 600} | claims)
    return token


async def admit(office: Any, token_id: str, **how: Any) -> Any:
    async with office.app.database.transaction() as conn:
        return await admit_token(
            conn,
            Consumer(name="Housing Finance", token_id=token_id),
            vault=office.app.vault,
            service_id=office.service_id,
            now=office.app.clock(),
            **how,
        )


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"token_use": "id"},
        {"aud": [CLIENT_ID]},
        {"custom:groups": "housing; demo-officers ;"},
        {"custom:groups": ["demo-officers"]},
        {"email": "Amala.Officer@Hackney.gov.uk", "cognito:username": "google_1"},
    ],
    ids=repr,
)
async def test_cognitos_officer_sees_what_her_groups_are_sent(
    office: Any, pool: Pool, changed: dict[str, Any]
) -> None:
    made = await office.accepted(office.screen())

    assert (await office.get(f"/notifications/{made['id']}", token=pool.token(**changed))).status == 200


@pytest.mark.parametrize("groups", [None, "", ";", "housing"])
async def test_cognitos_officer_of_other_groups_sees_what_is_hers(
    office: Any, pool: Pool, groups: str | None
) -> None:
    theirs = await office.accepted(office.screen())
    hers = await office.accepted(office.screen(user="amala.officer@hackney.gov.uk"))
    token = pool.token(**{"custom:groups": groups})

    assert (await office.get(f"/notifications/{theirs['id']}", token=token)).status == 404
    assert (await office.get(f"/notifications/{hers['id']}", token=token)).status == 200


async def test_an_address_that_nobody_has_verified_may_be_let_in(office: Any, pool: Pool) -> None:
    """Where the configuration says that nobody in the pool can choose theirs."""
    trust = replace(office.app.settings.trust, unverified_emails=True)
    tokens = Tokens(replace(office.app.settings, trust=trust), clock=office.app.clock)
    token = pool.token(email_verified=False)

    assert (await tokens.verified(token)).who == Person(
        email="amala.officer@hackney.gov.uk", groups=("demo-officers", "housing")
    )
    await office.problem(401, "GET", "/notifications", token=token)


async def test_both_kinds_of_officers_tokens_are_let_in_beside_each_other(office: Any, pool: Pool) -> None:
    made = await office.accepted(office.screen())
    found = [
        (await office.get(f"/notifications/{made['id']}", token=token)).status
        for token in (old_token(office), pool.token())
    ]

    assert found == [200, 200]


async def test_the_pools_keys_are_asked_for_once(office: Any, pool: Pool) -> None:
    before = len(pool.asked)
    for _ in range(5):
        assert (await office.get("/notifications", token=pool.token(jti=str(time.time())))).status == 200

    assert set(pool.asked) == {"/pool/.well-known/jwks.json"}
    assert len(pool.asked) <= before + 1


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", ""])
async def test_a_services_token_calls_for_its_service_with_or_without_bearer(
    office: Any, scheme: str
) -> None:
    token_id = f"with {scheme!r}"
    await admit(office, token_id)
    headers = {"Authorization": scheme + service_token(id=token_id)}

    made = await office.post(office.screen(), anonymous=True, headers=headers)
    assert made.status == 201
    assert (await office.get(f"/notifications/{made.body['id']}")).status == 200


async def test_it_has_the_scopes_it_was_admitted_with(office: Any) -> None:
    await admit(office, "77", scopes=[Scope.READ])
    token = service_token(id=77)

    assert (await office.get("/notifications", token=token)).status == 200
    assert (await office.post(office.screen(), token=token)).status == 403


async def test_it_is_refused_once_it_is_revoked(office: Any) -> None:
    admitted = await admit(office, "78")
    async with office.app.database.transaction() as conn:
        await revoke_key(conn, admitted.id, service_id=office.service_id, now=office.app.clock())

    await office.problem(401, "GET", "/notifications", token=service_token(id=78))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _admitted(office: Any) -> None:
    await admit(office, "42")


@pytest.mark.parametrize(
    "claims",
    [
        {"id": 4711},
        {"id": None},
        {"id": True},
        {"id": [42]},
        {"id": 42.0},
        {"consumerName": "housing finance"},
        {"consumerName": ["Housing Finance"]},
        {"consumerName": ""},
        {"exp": 1},
        {"nbf": 9_999_999_999},
        {"secret": "another-secret-of-the-makers-of-tokens-00"},
    ],
    ids=repr,
)
@pytest.mark.usefixtures("_admitted")
async def test_a_token_that_was_not_admitted_is_401(office: Any, claims: dict[str, Any]) -> None:
    assert (await office.get("/notifications", token=service_token())).status == 200

    await office.problem(401, "GET", "/notifications", token=service_token(**claims))


async def test_a_role_sees_everything_masked_where_it_asks_for_it(office: Any, pool: Pool) -> None:
    made = await office.accepted(office.email(mobileNumber="07700 900678", message="Joe owes rent"))
    auditor = pool.token(email="sam@hackney.gov.uk", **{"custom:groups": "internal audit"})

    assert (await office.get("/notifications", token=auditor)).body == []
    listed = (await office.get("/notifications?service=All&limit=1", token=auditor)).body
    one = (await office.get(f"/notifications/{made['id']}", token=auditor)).body
    assert [each["id"] for each in listed] == [made["id"]]
    for shown in (listed[0], one):
        assert (shown["email"], shown["mobileNumber"], shown["message"]) == (
            "j•••••@example.com",
            "07•••••678",
            "•••••",
        )
        assert shown["personalisationParams"] == {"name": "•••••", "ref": "•••••"}
    await office.problem(403, "DELETE", f"/notifications/{made['id']}", token=auditor)
    await office.problem(403, "GET", "/notifications?service=demo", token=pool.token())
    await office.problem(400, "GET", "/notifications?service=nobody", token=auditor)


async def test_a_manager_reopens_what_is_settled(office: Any, pool: Pool) -> None:
    made = await office.accepted(office.screen(requireAction=True))
    officer, manager = pool.token(), pool.token(**{"custom:groups": "demo-officers;housing-managers"})
    rejected = {"actionType": "Rejected", "actionNote": "too dear"}

    approved = {"actionType": "Approved", "actionNote": "right"}
    assert (await office.patch(made["id"], approved, token=officer)).status == 200
    assert (await office.patch(made["id"], rejected, token=officer)).status == 409
    assert (await office.patch(made["id"], rejected, token=manager)).status == 200
    assert (await office.get(f"/notifications/{made['id']}")).body["performedActionType"] == "Rejected"
