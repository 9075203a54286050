"""Our check agrees with the library of Standard Webhooks, and is tried with what that one does not take."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from postroom_client.webhooks import Event, NotVerified, verify_webhook

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
SECRET = "whsec_" + base64.b64encode(b"a secret of twenty-four b").decode()
OTHER = "whsec_" + base64.b64encode(b"another secret of its own").decode()
BODY = json.dumps({"type": "delivered", "timestamp": "2026-11-25T09:29:58Z", "data": {"id": "n-1"}}).encode()


def signed(body: bytes = BODY, *, secret: str = SECRET, at: datetime = NOW) -> dict[str, str]:
    """The headers as the library signs them."""
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", at, body.decode()),
    }


def verified(headers: dict[str, str], body: bytes = BODY, **how: Any) -> Event:
    return verify_webhook(body, headers, **{"secrets": [SECRET], "now": NOW} | how)


def test_what_is_signed_becomes_an_event() -> None:
    assert verified(signed()) == Event(
        type="delivered",
        timestamp=datetime(2026, 11, 25, 9, 29, 58, tzinfo=UTC),
        data={"id": "n-1"},
        id="msg_1",
    )


def test_headers_may_be_written_in_any_case() -> None:
    assert verified({name.title(): value for name, value in signed().items()}).id == "msg_1"


@pytest.mark.parametrize("secrets", [[OTHER, SECRET], [SECRET, OTHER]])
def test_while_a_secret_is_replaced_both_are_good(secrets: list[str]) -> None:
    assert verified(signed(), secrets=secrets).id == "msg_1"
    assert verified(signed(secret=OTHER), secrets=secrets).id == "msg_1"


@pytest.mark.parametrize(
    "others", ["v1,bm90IHRoaXM= ", "v1a,bm90IHRoaXM= ", "v1, ", "nonsense ", "v1,ö ", "v2,x,y "]
)
def test_one_good_signature_among_others_is_enough(others: str) -> None:
    headers = signed()
    good = headers["webhook-signature"]

    assert verified(headers | {"webhook-signature": others + good}).id == "msg_1"
    assert verified(headers | {"webhook-signature": f"{good} {others}"}).id == "msg_1"


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        pytest.param({}, BODY + b" ", id="another body"),
        pytest.param({"webhook-id": "msg_2"}, BODY, id="another id"),
        pytest.param({"webhook-id": ""}, BODY, id="no id"),
        pytest.param({"webhook-timestamp": str(int(NOW.timestamp()) + 1)}, BODY, id="another time"),
        pytest.param({"webhook-timestamp": ""}, BODY, id="no time"),
        pytest.param({"webhook-timestamp": "-1"}, BODY, id="a time that is none"),
        pytest.param({"webhook-timestamp": "9" * 400}, BODY, id="a time beyond all"),
        pytest.param({"webhook-signature": ""}, BODY, id="no signature"),
        pytest.param({"webhook-signature": "v1,"}, BODY, id="an empty signature"),
        pytest.param(
            {"webhook-signature": signed(secret=OTHER)["webhook-signature"]}, BODY, id="a stranger's"
        ),
        pytest.param(
            {"webhook-signature": signed()["webhook-signature"].replace("v1,", "v1a,")},
            BODY,
            id="another scheme",
        ),
    ],
)
def test_anything_else_is_not_verified(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(NotVerified):
        verified(signed() | headers, body)


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_a_call_may_be_five_minutes_old_or_ahead(seconds: int) -> None:
    assert verified(signed(at=NOW + timedelta(seconds=seconds))).id == "msg_1"


@pytest.mark.parametrize("seconds", [-301, 301])
def test_and_no_more(seconds: int) -> None:
    at = NOW + timedelta(seconds=seconds)

    with pytest.raises(NotVerified, match="too old"):
        verified(signed(at=at))
    assert verified(signed(at=at), tolerance=timedelta(minutes=6)).id == "msg_1"


def test_without_a_time_it_is_now() -> None:
    headers = signed(at=datetime.now(UTC))

    assert verify_webhook(BODY, headers, secrets=[SECRET]).id == "msg_1"


@pytest.mark.parametrize("body", [b"[]", b"1", b"{}", b"not json", b'{"type": "a", "timestamp": "never"}'])
def test_what_is_signed_and_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(NotVerified, match="no event"):
        verified(signed(body), body)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_not base64!", "ö"])
def test_a_secret_that_is_none_is_the_receivers_mistake_and_is_not_told(secret: str) -> None:
    with pytest.raises(ValueError, match=r"^A webhook's secret is whsec_ and base64\.$"):
        verified(signed(), secrets=[secret])


def test_so_is_none_at_all() -> None:
    with pytest.raises(ValueError, match="secret"):
        verified(signed(), secrets=[])


@given(body=st.text(), key=st.binary(min_size=1), given_key=st.binary(min_size=1), age=st.integers(-400, 400))
def test_we_and_the_library_agree(body: str, key: bytes, given_key: bytes, age: int) -> None:
    at = datetime.now(UTC) + timedelta(seconds=age)
    mine = "whsec_" + base64.b64encode(key).decode()
    headers = signed(body.encode(), secret="whsec_" + base64.b64encode(given_key).decode(), at=at)

    assert _ours(body, headers, mine) is _theirs(body, headers, mine)


def _ours(body: str, headers: dict[str, str], secret: str) -> bool:
    try:
        verify_webhook(body.encode(), headers, secrets=[secret])
    except NotVerified as error:
        return "no event" in str(error)
    return True


def _theirs(body: str, headers: dict[str, str], secret: str) -> bool:
    try:
        Webhook(secret).verify(body, headers, json_parse=False)
    except WebhookVerificationError:
        return False
    return True
