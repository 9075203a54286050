"""What pages of other origins may do: the council's front ends call and read what they need, no other."""

import json
from typing import Any

import pytest

from postroom.interfaces.origins import Origins
from postroom.settings import BadSettings, read_settings
from tests.interfaces.api.conftest import SECRETS
from tests.interfaces.api.overheard import said

pytestmark = pytest.mark.asyncio(loop_scope="module")

FRONT_END = "https://manage-my-home.hackney.gov.uk"
STRANGER = "https://hackney.gov.uk.attacker.example"
NO_ID = "00000000-0000-4000-8000-000000000000"
SENT = {
    "authorization",
    "x-api-key",
    "x-correlation-id",
    "if-match",
    "if-none-match",
    "idempotency-key",
    "last-event-id",
    "content-type",
}
SHOWN = {
    "etag",
    "x-correlation-id",
    "link",
    "location",
    "retry-after",
    "ratelimit-limit",
    "ratelimit-remaining",
    "ratelimit-reset",
    "ratelimit-policy",
    "idempotent-replay",
}


@pytest.fixture(scope="module")
def chosen() -> dict[str, str]:
    return {
        "POSTROOM_ALLOWED_ORIGINS": f"{FRONT_END}; http://localhost:*",
        "POSTROOM_API_PREFIX": "/api/v1",
    }


def listed(answer: Any, header: str) -> set[str]:
    return {name.strip().lower() for name in answer.headers.get(header, "").split(",") if name.strip()}


def told_of_origins(answer: Any) -> dict[str, str]:
    return {
        name.lower(): value
        for name, value in answer.headers.items()
        if name.lower().startswith("access-control")
    }


async def preflight(office: Any, path: str, *, origin: str = FRONT_END, method: str = "PATCH") -> Any:
    headers = {"Origin": origin, "Access-Control-Request-Method": method}
    return await office.call("OPTIONS", path, anonymous=True, headers=headers)


@pytest.mark.parametrize(
    "path",
    [
        "/notifications",
        "/api/v1/notifications",
        f"/notifications/{NO_ID}",
        "/notifications/bulk",
        "/webhook",
        "/nothing",
    ],
)
async def test_a_browser_that_asks_before_is_told_what_a_page_may_send(office: Any, path: str) -> None:
    answer = await preflight(office, path)

    assert (answer.status, answer.text) == (204, "")
    assert answer.headers["Access-Control-Allow-Origin"] == FRONT_END
    assert listed(answer, "Access-Control-Allow-Headers") == SENT
    assert listed(answer, "Access-Control-Allow-Methods") >= {"get", "post", "put", "patch", "delete"}
    assert answer.headers["Vary"] == "Origin"
    assert answer.headers["x-correlation-id"]


@pytest.mark.parametrize(
    "origin",
    [
        STRANGER,
        "null",
        "https://manage-my-home.hackney.gov.uk.attacker.example",
        "https://manage-my-homeXhackney.gov.uk",
        "http://manage-my-home.hackney.gov.uk",
        "https://manage-my-home.hackney.gov.uk:444",
        "http://localhost.attacker.example",
        "http://localhost:80@attacker.example",
        "https://localhost",
        "*",
        "",
    ],
)
async def test_other_origins_are_told_nothing(office: Any, origin: str) -> None:
    asked = await preflight(office, "/notifications", origin=origin)
    answer = await office.get("/notifications", headers={"Origin": origin})

    assert (told_of_origins(asked), told_of_origins(answer)) == ({}, {})
    # A script without a browser is not kept out by that.
    assert (asked.status, answer.status) == (204, 200)
    assert asked.headers["Vary"] == answer.headers["Vary"] == "Origin"


@pytest.mark.parametrize("origin", ["http://localhost", "http://localhost:3000"])
async def test_any_port_of_a_machine(office: Any, origin: str) -> None:
    answer = await office.get("/notifications", headers={"Origin": origin})

    assert answer.headers["Access-Control-Allow-Origin"] == origin


CALLS: dict[str, tuple[str, str, dict[str, Any], int]] = {
    "a list": ("GET", "/notifications", {}, 200),
    "a POST, by the short way": ("POST", "/notifications", {"body": "screen"}, 201),
    "a POST that is refused there": ("POST", "/notifications", {"body": {}}, 400),
    "a POST by nobody": ("POST", "/notifications", {"anonymous": True, "body": {}}, 401),
    "a list by nobody": ("GET", "/notifications", {"anonymous": True}, 401),
    "what is not there": ("GET", f"/notifications/{NO_ID}", {}, 404),
    "no endpoint": ("GET", "/nothing", {}, 404),
    "a method that it has not": ("DELETE", "/notifications", {}, 405),
    "a body too large": ("POST", "/notifications", {"raw": b" " * 5_000_000}, 413),
    "a document": ("GET", "/openapi.json", {}, 200),
}


@pytest.mark.parametrize(("method", "path", "how", "status"), CALLS.values(), ids=CALLS)
async def test_a_page_reads_answers_and_errors_with_their_headers(
    office: Any, method: str, path: str, how: dict[str, Any], status: int
) -> None:
    if how.get("body") == "screen":
        how = {"body": office.screen()}
    answer = await office.call(method, path, headers={"Origin": FRONT_END}, **how)

    assert answer.status == status
    assert told_of_origins(answer) == {
        "access-control-allow-origin": FRONT_END,
        "access-control-expose-headers": answer.headers["Access-Control-Expose-Headers"],
    }
    assert listed(answer, "Access-Control-Expose-Headers") == SHOWN
    assert answer.headers["Vary"] == "Origin"


@pytest.mark.parametrize(("method", "path", "how", "status"), CALLS.values(), ids=CALLS)
async def test_who_names_no_origin_is_told_of_none(
    office: Any, method: str, path: str, how: dict[str, Any], status: int
) -> None:
    if how.get("body") == "screen":
        how = {"body": office.screen()}
    answer = await office.call(method, path, **how)

    assert (answer.status, told_of_origins(answer)) == (status, {})


async def test_cookies_are_never_let_in(office: Any) -> None:
    for answer in (
        await preflight(office, "/notifications"),
        await office.get("/", headers={"Origin": FRONT_END}),
    ):
        assert "access-control-allow-credentials" not in told_of_origins(answer)


async def test_a_page_changes_what_it_has_read_and_nothing_newer(office: Any) -> None:
    """As a front end does: GET, keep the ETag, PATCH with it."""
    token = office.token(groups=("demo-officers",))
    made = await office.accepted(office.screen(requireAction=True))
    page = {"Origin": FRONT_END}
    got = await office.get(f"/notifications/{made['id']}", token=token, headers=page)
    if_match = page | {"If-Match": got.headers["ETag"]}

    first = await office.patch(made["id"], {"actionType": "Initiated"}, token=token, headers=if_match)
    second = await office.patch(made["id"], {"actionType": "Validate"}, token=token, headers=if_match)

    assert (first.status, second.status) == (200, 412)
    assert second.headers["Access-Control-Allow-Origin"] == FRONT_END


async def test_what_is_not_a_question_of_a_browser_is_no_preflight(office: Any) -> None:
    lone = await office.call("OPTIONS", "/notifications", headers={"Access-Control-Request-Method": "GET"})
    post = await office.post(
        office.screen(), headers={"Origin": FRONT_END, "Access-Control-Request-Method": "POST"}
    )

    assert told_of_origins(lone) == {}
    assert post.status == 201


async def test_an_origin_with_lines_in_it_comes_into_no_header(office: Any) -> None:
    lines = (f"Origin: {FRONT_END}\r\n X-Injected: INJECTED", "Access-Control-Request-Method: GET")
    answer = await said(office, "OPTIONS /notifications", *lines)

    assert "INJECTED" not in answer


NOBODY, EVERYBODY = Origins(()), Origins(("*",))


async def test_none_is_let_in_where_none_is_named_and_nothing_is_added() -> None:
    assert NOBODY.answer_headers(None) == NOBODY.answer_headers(FRONT_END.encode()) == ()
    assert NOBODY.preflight_headers(FRONT_END.encode()) == ()


async def test_a_star_lets_in_any_without_a_name() -> None:
    assert EVERYBODY.answer_headers(None) == ()
    assert dict(EVERYBODY.answer_headers(STRANGER.encode()))[b"access-control-allow-origin"] == b"*"
    assert b"vary" not in dict(EVERYBODY.preflight_headers(STRANGER.encode()))


@pytest.mark.parametrize(
    ("text", "origins"),
    [
        ("", ()),
        ("https://A.example ; http://localhost:3000", ("https://a.example", "http://localhost:3000")),
        ("http://127.0.0.1:*;*", ("http://127.0.0.1:*", "*")),
    ],
)
async def test_origins_are_chosen_by_a_setting(text: str, origins: tuple[str, ...]) -> None:
    assert read_settings(SECRETS | {"POSTROOM_ALLOWED_ORIGINS": text}).allowed_origins == origins
    assert read_settings(SECRETS).allowed_origins == ()


@pytest.mark.parametrize(
    "text",
    [
        "hackney.gov.uk",
        "https://a.example/",
        "https://a.example/app",
        "https://*.hackney.gov.uk",
        "null",
        "ftp://a.example",
        "https://a.example, https://b.example",
        "https://a.example:port",
    ],
)
async def test_what_is_no_origin_is_named_when_it_starts(text: str) -> None:
    with pytest.raises(BadSettings, match="POSTROOM_ALLOWED_ORIGINS"):
        read_settings(SECRETS | {"POSTROOM_ALLOWED_ORIGINS": text})


@pytest.mark.usefixtures("calm")
async def test_who_has_it_already_is_answered_304_until_it_changes(office: Any) -> None:
    office.sandbox.fail("slow", seconds=0.5)
    made = await office.accepted(office.email())
    first = await office.get(f"/notifications/{made['id']}")
    done = await office.ended(made["id"])
    path = f"/notifications/{made['id']}"
    got = await office.get(path)
    etag = got.headers["ETag"]

    # A step of a delivery is another thing to see, though no other state to act on.
    assert done["deliveries"][0]["status"] == "delivered" != first.body["deliveries"][0]["status"]
    assert etag != first.headers["ETag"]
    for sent in (etag, f"W/{etag}", f'"1-u-0", {etag}', "*"):
        same = await office.get(path, headers={"If-None-Match": sent})
        assert (same.status, same.text, same.headers["ETag"]) == (304, "", etag)
        assert "Content-Length" not in same.headers
    for sent in (first.headers["ETag"], '"1-u"', etag.strip('"'), ""):
        again = await office.get(path, headers={"If-None-Match": sent})
        assert (again.status, again.body) == (200, got.body)
    assert got.headers["Cache-Control"] == "private, no-cache"
    read = await office.patch(made["id"], {"actionType": "IsRead"}, headers={"If-Match": etag})
    assert (await office.get(path, headers={"If-None-Match": etag})).status == 200
    same = await office.get(path, headers={"If-None-Match": read.headers["ETag"]})
    assert (read.status, same.status) == (200, 304)


async def test_304_is_for_who_may_see_it(office: Any) -> None:
    made = await office.accepted(office.screen())
    for sent in ("*", (await office.get(f"/notifications/{made['id']}")).headers["ETag"]):
        headers = {"If-None-Match": sent}
        path = f"/notifications/{made['id']}"
        await office.problem(404, "GET", path, key=office.other_key, headers=headers)
        await office.problem(401, "GET", path, anonymous=True, headers=headers)


@pytest.mark.parametrize(
    ("make", "status"),
    [
        (lambda first, _: first, 200),
        (lambda _, etag: etag, 200),
        (lambda _, etag: f'"9-r", {etag}', 200),
        (lambda *_: "*", 200),
        (lambda *_: '"9-u"', 412),
        (lambda *_: '"1-r"', 412),
        (lambda _, etag: f"W/{etag}", 412),
        (lambda _, etag: etag.strip('"'), 412),
        (lambda *_: "", 412),
        (lambda *_: '"1-u-zz"', 412),
    ],
    ids=["as made", "as got", "one of two", "any", "newer", "read", "weak", "bare", "empty", "no digest"],
)
async def test_a_delivery_that_goes_on_does_not_make_what_was_read_stale(
    office: Any, make: Any, status: int
) -> None:
    """If-Match holds the state that is acted on; how far an email has come does not count."""
    made = await office.post(office.email())
    first = made.headers["ETag"]
    await office.ended(made.body["id"])
    etag = (await office.get(f"/notifications/{made.body['id']}")).headers["ETag"]

    answer = await office.patch(
        made.body["id"], {"actionType": "Initiated"}, headers={"If-Match": make(first, etag)}
    )

    assert answer.status == status, json.dumps(answer.body)
