"""Who may do what: 401 where it is not known who calls, 403 where they may not."""

import asyncio
import base64
import json
import time
from typing import Any

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")

NO_ID = "00000000-0000-4000-8000-000000000000"
ANYBODY = (
    ("GET", "/notifications"),
    ("GET", f"/notifications/{NO_ID}"),
    ("PATCH", f"/notifications/{NO_ID}"),
    ("DELETE", f"/notifications/{NO_ID}"),
)
SERVICES_ALONE = (
    ("POST", "/notifications"),
    ("GET", f"/message-status/demo/{NO_ID}"),
    ("GET", "/templates/demo"),
    ("GET", f"/templates/demo/{NO_ID}"),
)
EMAIL = {"email": "amala@hackney.gov.uk"}


def unsigned(claims: dict[str, object], *, alg: str = "none", signature: str = "") -> str:
    parts = [json.dumps(part).encode() for part in ({"alg": alg, "typ": "JWT"}, claims)]
    return ".".join([*(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts), signature])


def soon(seconds: int = 600) -> dict[str, int]:
    return {"exp": int(time.time()) + seconds}


@pytest.mark.parametrize(("method", "path"), ANYBODY + SERVICES_ALONE)
async def test_without_a_name_it_is_401(method: str, path: str, office: Any) -> None:
    for headers in (
        {},
        {"x-api-key": "postroom_wrong"},
        {"x-api-key": ""},
        {"Authorization": "Bearer x.y.z"},
    ):
        answer = await office.call(method, path, anonymous=True, headers=headers, body={})
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer"), headers
        assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(("method", "path"), SERVICES_ALONE)
async def test_what_services_alone_may_do_is_403_for_an_officer(method: str, path: str, office: Any) -> None:
    await office.problem(403, method, path, token=office.token(), body={} if method == "POST" else None)


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer a b c", "Bearer " + "x" * 9_000, "bearer\t", "Token x"],
)
async def test_a_malformed_authorization_is_401(header: str, office: Any) -> None:
    answer = await office.get("/notifications", anonymous=True, headers={"Authorization": header})

    assert answer.status == 401


async def test_a_right_token_is_let_in_whatever_the_case_of_bearer(office: Any) -> None:
    for scheme in ("Bearer", "bearer", "BEARER"):
        headers = {"Authorization": f"{scheme} {office.token()}"}
        assert (await office.get("/notifications", anonymous=True, headers=headers)).status == 200


@pytest.mark.parametrize(
    "claims",
    [
        EMAIL,
        EMAIL | {"exp": "soon"},
        EMAIL | {"exp": None},
        EMAIL | {"exp": 0},
        EMAIL | {"exp in": -60},
        EMAIL | {"exp in": 600, "nbf in": 300},
        EMAIL | {"exp in": 600, "iat in": 300},
        {"exp in": 600},
        {"exp in": 600, "email": ""},
        {"exp in": 600, "email": 7},
        {"exp in": 600, "email": None},
        EMAIL | {"exp in": 600, "groups": "demo-officers"},
        EMAIL | {"exp in": 600, "groups": {"demo-officers": True}},
    ],
    ids=repr,
)
async def test_a_token_with_wrong_claims_is_401(claims: dict[str, Any], office: Any) -> None:
    token = office.signed(dict(at_their_time(*claim) for claim in claims.items()))

    await office.problem(401, "GET", "/notifications", token=token)
    await office.problem(401, "GET", "/notifications", token=token)


def at_their_time(name: str, value: Any) -> tuple[str, Any]:
    """`exp in` so many seconds is `exp` at that time, counted from now."""
    return (name.removesuffix(" in"), int(time.time()) + value) if name.endswith(" in") else (name, value)


async def test_a_token_that_is_not_signed_with_the_secret_is_401(office: Any) -> None:
    right = office.token()
    head, claims, signature = right.split(".")
    wrong = {
        "alg none": unsigned(EMAIL | soon()),
        "alg None": unsigned(EMAIL | soon(), alg="None"),
        "none with a signature": unsigned(EMAIL | soon(), signature=signature),
        "another algorithm": unsigned(EMAIL | soon(), alg="RS256", signature=signature),
        "another secret": office.signed(EMAIL | soon(), secret="another-secret-that-is-as-long-as-it"),
        "no signature": f"{head}.{claims}.",
        "cut": right[:-2],
        "other claims": f"{head}.{unsigned(EMAIL | soon()).split('.')[1]}.{signature}",
        "another key's token": f"{right}.{signature}",
    }

    found = {name: (await office.get("/notifications", token=token)).status for name, token in wrong.items()}

    assert found == dict.fromkeys(wrong, 401)


async def test_a_token_that_was_let_in_is_refused_once_it_has_expired(office: Any) -> None:
    # The leeway of five seconds holds for the first look as for the later ones.
    token = office.signed(EMAIL | soon(-4))
    first = await office.get("/notifications", token=token)
    await asyncio.sleep(2.1)
    then = await office.get("/notifications", token=token)

    assert (first.status, then.status) == (200, 401)


async def test_the_api_key_decides_where_both_are_sent(office: Any) -> None:
    headers = {"x-api-key": "postroom_wrong"}

    assert (await office.get("/notifications", token=office.token(), headers=headers)).status == 401


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/docs", 200),
        ("/openapi.json", 200),
        ("/health", 200),
        ("/health/live", 200),
        ("/health/ready", 200),
    ],
)
async def test_what_everybody_may_see(path: str, status: int, office: Any) -> None:
    assert (await office.get(path, anonymous=True)).status == status


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/notifications/a/b", 404),
        ("PUT", f"/notifications/{NO_ID}", 405),
        ("DELETE", "/notifications", 405),
        ("POST", "/health", 405),
        ("GET", "/receipts/govuk-notify", 405),
        ("GET", "/docs/assets/..%2f..%2fsettings.py", 404),
        ("GET", "/docs/assets/nothing.js", 404),
        ("GET", "/%00", 404),
    ],
)
async def test_what_is_not_there_is_a_problem_too(method: str, path: str, status: int, office: Any) -> None:
    answer = await office.call(method, path)

    assert (answer.status, answer.headers["Content-Type"]) == (status, "application/problem+json")


@pytest.mark.parametrize(
    ("token", "raw", "status"),
    [
        (None, b"{}", 401),
        ("wrong", b"{}", 403),
        ("right", b"", 400),
        ("right", b"[]", 400),
        ("right", b"{}", 400),
        ("right", b'{"id": 7, "status": "delivered"}', 400),
        ("right", b"\xff", 400),
        ("right", b"[" * 100_000, 400),
        (
            "right",
            b'{"id": "x", "status": "delivered", "more": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
            400,
        ),
        ("right", b'{"id": "\\u0000", "status": "delivered"}', 400),
        ("right", b'{"id": "x", "status": "delivered"}', 204),
        ("right", b'{"id": "x", "status": "unheard-of", "reference": "y", "completed_at": "never"}', 204),
    ],
    ids=lambda value: repr(value)[:50],
)
async def test_receipts_are_let_in_by_their_own_token(
    token: str | None, raw: bytes, status: int, office: Any
) -> None:
    named = {"right": office.receipt_token, "wrong": office.key}.get(token or "")
    headers = {} if named is None else {"Authorization": f"Bearer {named}"}

    answer = await office.call("POST", "/receipts/govuk-notify", anonymous=True, headers=headers, raw=raw)

    assert answer.status == status
