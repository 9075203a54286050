"""Behind a gateway that has verified the signatures: they are not looked at, everything else is."""

import io
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from postroom.kit import log as logs
from tests.interfaces.api.forging import b64, unsigned

pytestmark = pytest.mark.asyncio(loop_scope="module")

ISSUER = "https://cognito.invalid/pool"
NOW = int(time.time())


@pytest.fixture(scope="module")
def told_at_start() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    logs.configure(level="INFO", stream=stream)
    yield stream
    logs.configure(level="INFO", stream=io.StringIO())


@pytest.fixture(scope="module")
def chosen(told_at_start: io.StringIO) -> dict[str, str]:
    return {
        "POSTROOM_BEHIND_GATEWAY": "on",
        # Nobody answers there, and nobody is asked.
        "COGNITO_ISSUER": ISSUER,
        "COGNITO_CLIENT_IDS": "ours",
    }


def old(**changed: Any) -> dict[str, Any]:
    told = {"email": "amala.officer@hackney.gov.uk", "groups": ["demo-officers"], "exp": NOW + 600}
    return {name: value for name, value in (told | changed).items() if value is not None}


def cognitos(**changed: Any) -> dict[str, Any]:
    return old(**({"iss": ISSUER, "aud": "ours", "custom:groups": "demo-officers", "groups": None} | changed))


async def test_it_says_so_loudly_at_the_start(office: Any, told_at_start: io.StringIO) -> None:
    lines = [json.loads(line) for line in told_at_start.getvalue().splitlines()]
    warnings = [line["event"] for line in lines if line["level"] == "warning"]

    assert [each for each in warnings if each.startswith("SIGNATURES OF TOKENS ARE NOT VERIFIED")]


async def test_an_officer_is_whom_the_token_names_whoever_signed_it(office: Any) -> None:
    made = await office.accepted(office.screen())
    tokens = {
        "old, by another key": unsigned("HS256", old(), "c2lnbmVk"),
        "old, by none": unsigned("HS256", old()),
        "Cognito, by another key": unsigned("RS256", cognitos(), "c2lnbmVk"),
    }
    found = {
        name: (await office.get(f"/notifications/{made['id']}", token=token)).status
        for name, token in tokens.items()
    }

    assert found == dict.fromkeys(tokens, 200)


@pytest.mark.parametrize(
    "claims",
    [
        old(exp=1),
        old(exp=None),
        old(nbf=9_999_999_999),
        old(email=None),
        old(email="group:demo-officers@x"),
        old(aud="another"),
        cognitos(aud="another"),
        cognitos(aud=None),
        cognitos(token_use="access"),
        {"id": 1, "consumerName": "was not admitted"},
    ],
    ids=lambda claims: str(sorted(claims.items(), key=str))[:90].replace(str(NOW + 600), "soon"),
)
async def test_what_a_token_says_is_judged_as_ever(office: Any, claims: dict[str, Any]) -> None:
    await office.problem(401, "GET", "/notifications", token=unsigned("HS256", claims, "c2lnbmVk"))


@pytest.mark.parametrize(
    "token", ["a.b.c", "..", f"{b64({})}.{b64({})}.", "x" * 9_000, f"{b64([])}.{b64([])}."]
)
async def test_what_is_no_token_is_401(office: Any, token: str) -> None:
    await office.problem(401, "GET", "/notifications", token=token)


async def test_keys_are_verified_as_ever(office: Any) -> None:
    await office.problem(401, "GET", "/notifications", key="postroom_wrong")
    assert (await office.get("/notifications")).status == 200
