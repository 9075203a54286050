"""Messages that one browser can read, and who sends them: as the standards have it."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey

from postroom.kit.crypto import Vault
from postroom.kit.web_push import LARGEST, SEED_BYTES, Sender, from_text, is_point, seal_for, to_text
from tests.push_service import CURVE, Browser

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
SEED = bytes(range(SEED_BYTES))

# RFC 8291, Appendix A.
THEIR_POINT = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
THEIR_KEY = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
OUR_KEY = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
MESSAGE = b"When I grow up, I want to be a watermelon"
SEALED = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8w"
    "EqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def key_of(text: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(from_text(text), "big"), CURVE)


def test_the_example_of_the_standard() -> None:
    sealed = seal_for(
        MESSAGE,
        p256dh=from_text(THEIR_POINT),
        auth=from_text(AUTH),
        private_key=key_of(OUR_KEY),
        salt=from_text(SALT),
        padded_to=1,
    )

    assert to_text(sealed) == SEALED
    assert Browser("", key_of(THEIR_KEY), from_text(AUTH)).read(sealed) == MESSAGE


@given(st.binary(max_size=LARGEST))
def test_a_browser_reads_what_was_sealed_for_it(message: bytes) -> None:
    browser = Browser("")
    sealed = seal_for(message, p256dh=browser.p256dh, auth=browser.auth)

    assert browser.read(sealed) == message
    assert len(sealed) <= 4096
    assert (len(sealed) - 86 - 16) % 256 == 0, "its length says little"


def test_the_same_message_is_never_sealed_twice_alike() -> None:
    browser = Browser("")

    assert len({seal_for(b"x", p256dh=browser.p256dh, auth=browser.auth) for _ in range(10)}) == 10


def test_who_sends_says_so_to_one_push_service() -> None:
    sender = Sender(SEED, subject="mailto:team@hackney.gov.uk")
    header = sender.authorization("https://push.example.com:8443/v2/secret-of-a-browser", now=NOW)
    token, key = header.removeprefix("vapid t=").split(", k=")
    point = from_text(key)
    shown = {"kty": "EC", "crv": "P-256", "x": to_text(point[1:33]), "y": to_text(point[33:])}

    decoded = jwt.decode(token, ECKey.import_key(shown), algorithms=["ES256"])
    assert decoded.claims == {
        "aud": "https://push.example.com:8443",
        "exp": int((NOW + timedelta(hours=12)).timestamp()),
        "sub": "mailto:team@hackney.gov.uk",
    }
    assert key == sender.public_key
    assert is_point(point)


def test_a_token_serves_for_an_hour_and_for_its_push_service_alone() -> None:
    sender = Sender(SEED, subject="")
    first = sender.authorization("https://a.example/1", now=NOW)

    assert sender.authorization("https://a.example/2", now=NOW + timedelta(minutes=59)) == first
    assert sender.authorization("https://a.example/1", now=NOW + timedelta(hours=1)) != first
    assert sender.authorization("https://b.example/1", now=NOW) != first


def test_every_process_with_the_secret_has_the_same_key_pair() -> None:
    def public_key(secret: str) -> str:
        return Sender(Vault(secret).seed("pushes", length=SEED_BYTES), subject="").public_key

    assert public_key("a" * 32) == public_key("a" * 32)
    assert public_key("a" * 32) != public_key("b" * 32)
    assert Vault("a" * 32).seed("pushes", length=32) != Vault("a" * 32).seed("others", length=32)


def test_a_seed_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="48 bytes"):
        Sender(bytes(32), subject="")


@pytest.mark.parametrize(
    ("encoded", "is_one"),
    [
        pytest.param(from_text(THEIR_POINT), True, id="a point"),
        pytest.param(from_text(THEIR_POINT)[:-1], False, id="too short"),
        pytest.param(from_text(THEIR_POINT) + b"\0", False, id="too long"),
        pytest.param(b"\4" + bytes(64), False, id="beside the curve"),
        pytest.param(b"\2" + from_text(THEIR_POINT)[1:33], False, id="compressed"),
        pytest.param(b"", False, id="nothing"),
    ],
)
def test_points(encoded: bytes, is_one: bool) -> None:
    assert is_point(encoded) is is_one


@given(st.binary(max_size=70))
def test_text_comes_back(value: bytes) -> None:
    assert from_text(to_text(value)) == value
    assert "=" not in to_text(value)


@pytest.mark.parametrize("text", ["a b", "a+b/", "ä", "a\n", "A", "a=b"])
def test_what_is_no_base64url_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="base64url"):
        from_text(text)
