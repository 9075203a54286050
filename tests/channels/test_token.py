"""Tokens for Notify: made from the key, used again for twenty seconds, or made to lapse at a moment."""

from typing import TYPE_CHECKING

import jwt
import pytest

from postroom.channels.govuk_notify import NotifyClients
from postroom.channels.govuk_notify.token import TokenMaker

if TYPE_CHECKING:
    from tests.channels.conftest import Impostor

SERVICE = "f33517ff-2a88-4f6e-b855-c550268ce08a"
SECRET = "740e5834-3a29-46b4-9a6f-16142fde533a"
KEY = f"a-key-of-ours-{SERVICE}-{SECRET}"
NOW = 1_700_000_000.75


def test_a_token_names_the_service_and_is_signed_with_the_secret() -> None:
    token = TokenMaker(KEY).token(now=NOW)

    claims = jwt.decode(token, SECRET, algorithms=["HS256"], options={"verify_iat": False})
    assert claims == {"iss": SERVICE, "iat": 1_700_000_000}
    assert jwt.get_unverified_header(token) == {"typ": "JWT", "alg": "HS256"}


@pytest.mark.parametrize(
    ("later", "again"),
    [
        pytest.param(0, True, id="at once"),
        pytest.param(19, True, id="after 19 s"),
        pytest.param(20, False, id="after 20 s"),
        pytest.param(3_600, False, id="after an hour"),
        pytest.param(-1, False, id="the clock was set back"),
    ],
)
def test_a_token_is_used_again_for_20_seconds(later: float, again: bool) -> None:
    maker = TokenMaker(KEY)
    first = maker.token(now=NOW)
    second = maker.token(now=NOW + later)

    assert (second == first) is again
    issued = jwt.decode(second, options={"verify_signature": False})["iat"]
    assert issued == int(NOW if again else NOW + later)


@pytest.mark.parametrize(
    ("lapses_in", "issued"),
    [
        pytest.param(15, NOW - 14.75, id="within the 30 s: it looks older than it is"),
        pytest.param(15.25, NOW - 14.75, id="on the second"),
        pytest.param(0, NOW - 29.75, id="now"),
        pytest.param(29, NOW - 0.75, id="as long as any"),
        pytest.param(90, NOW - 0.75, id="longer than Notify takes any"),
    ],
)
def test_a_token_that_lapses_was_issued_30_seconds_before_that(lapses_in: float, issued: float) -> None:
    maker = TokenMaker(KEY)

    token = maker.lapsing(at=NOW + lapses_in, now=NOW)

    assert jwt.decode(token, SECRET, algorithms=["HS256"], options={"verify_iat": False})["iat"] == issued
    assert maker.lapsing(at=NOW + lapses_in, now=NOW) == token


def test_many_moments_have_each_their_token() -> None:
    maker = TokenMaker(KEY)

    tokens = {maker.lapsing(at=NOW + seconds, now=NOW + 60) for seconds in [*range(60), *range(60)]}

    assert len(tokens) == 60


async def test_a_client_sends_its_token(clients: NotifyClients, impostor: "Impostor") -> None:
    impostor.body = b'{"templates": []}'
    client = clients.of(base_url=impostor.url + "/", key=KEY)

    await client.templates()
    await client.templates()

    first, second = impostor.tokens
    assert first == second
    assert jwt.decode(first.removeprefix("Bearer "), SECRET, algorithms=["HS256"])["iss"] == SERVICE
    assert impostor.paths == ["/v2/templates", "/v2/templates"]


def test_a_key_does_not_show_in_what_is_printed() -> None:
    assert SECRET not in repr(TokenMaker(KEY))
