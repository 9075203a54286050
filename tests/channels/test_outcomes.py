"""What each answer to a send means: taken, refused, surely not taken, not known. And what it never says."""

import socket
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_sandbox.model import Limits
from notify_sandbox.testing import SandboxUnderTest
from postroom.channels.govuk_notify import NotifyClient, NotifyClients, NotifyUnavailable
from postroom.channels.govuk_notify.refusals import to_outcome
from postroom.domain.outcome import Accepted, Limit, Outcome, Rejected, TryAgain, Uncertain
from postroom.kit.ids import new_id

if TYPE_CHECKING:
    from tests.channels.conftest import Clock, Impostor

EMAIL = "amala.okafor@example.com"
NAME = "Amala Okafor"


async def send(
    client: NotifyClient,
    template_id: str,
    *,
    email: str = EMAIL,
    until: datetime | None = None,
    **values: Any,
) -> Outcome:
    return await client.send_email(
        email_address=email,
        template_id=template_id,
        personalisation={"name": NAME, "ref": "R-1"} | values,
        reference="r-1",
        until=until,
    )


@pytest.mark.parametrize(
    ("fault", "outcome", "taken"),
    [
        pytest.param("down", Uncertain("the connection to GOV.UK Notify broke"), 0, id="down"),
        pytest.param("error", Uncertain("GOV.UK Notify answered 500", 500), 0, id="500"),
        pytest.param("rubbish", Uncertain("GOV.UK Notify answered 200", 200), 0, id="rubbish"),
        pytest.param("silent", Uncertain("GOV.UK Notify did not answer in time"), 0, id="silent"),
        pytest.param(
            "timeout-after-accepting",
            Uncertain("GOV.UK Notify did not answer in time"),
            1,
            id="timeout after accepting",
        ),
        pytest.param(
            "reset-after-accepting",
            Uncertain("the connection to GOV.UK Notify broke"),
            1,
            id="reset after accepting",
        ),
        pytest.param(
            "error-after-accepting", Uncertain("GOV.UK Notify answered 500", 500), 1, id="500 after accepting"
        ),
        pytest.param(
            "limited",
            TryAgain(
                "Exceeded rate limit for key type LIVE of 3000 requests per 60 seconds",
                429,
                limit=Limit.MINUTE,
                answered=True,
            ),
            0,
            id="429",
        ),
    ],
)
async def test_a_fault(
    client: NotifyClient, sandbox: SandboxUnderTest, fault: str, outcome: Outcome, taken: int
) -> None:
    sandbox.fail(fault, times=1)

    assert await send(client, sandbox.templates["email"]) == outcome
    assert len(sandbox.sent()) == taken


async def test_a_slow_answer_is_waited_for(client: NotifyClient, sandbox: SandboxUnderTest) -> None:
    sandbox.fail("slow", seconds=0.1, times=1)

    outcome = await send(client, sandbox.templates["email"])

    assert outcome == Accepted(sandbox.sent()[0].id, template_version=1)


async def test_an_answer_that_is_too_slow_is_not_known(
    client: NotifyClient, sandbox: SandboxUnderTest
) -> None:
    sandbox.fail("slow", seconds=0.6, times=1)

    assert await send(client, sandbox.templates["email"]) == Uncertain("GOV.UK Notify did not answer in time")


async def test_where_nobody_listens_nothing_was_taken(
    clients: NotifyClients, sandbox: SandboxUnderTest
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        client = clients.of(base_url=f"http://127.0.0.1:{taken.getsockname()[1]}", key=sandbox.api_key)

        assert await send(client, new_id()) == TryAgain("GOV.UK Notify could not be reached")


async def test_the_refusals_of_notify(client: NotifyClient, sandbox: SandboxUnderTest) -> None:
    templates = sandbox.templates
    refused = [
        await send(client, new_id()),
        await send(client, "no-uuid"),
        await send(client, templates["text"]),
        await send(client, templates["email"], email="nobody"),
        await client.send_email(
            email_address=EMAIL, template_id=templates["email"], personalisation={}, reference="r-1"
        ),
    ]

    assert refused == [
        Rejected("Template not found", 400),
        Rejected("template_id is not a valid UUID", 400),
        Rejected("sms template is not suitable for email notification", 400),
        Rejected("email_address Not a valid email address", 400),
        Rejected("Missing personalisation: name, ref", 400),
    ]


async def test_a_revoked_key_is_refused_for_good(client: NotifyClient, sandbox: SandboxUnderTest) -> None:
    sandbox.revoke("live")

    outcome = await send(client, sandbox.templates["email"])

    assert isinstance(outcome, Rejected)
    assert outcome.status_code == 403
    assert outcome.reason.startswith("GOV.UK Notify does not accept the service's key")


@pytest.mark.parametrize("seconds", [-60, 60])
async def test_a_clock_that_is_wrong_is_tried_again(
    client: NotifyClient, sandbox: SandboxUnderTest, clock: "Clock", seconds: int
) -> None:
    clock.ahead = timedelta(seconds=seconds)

    assert await send(client, sandbox.templates["email"]) == TryAgain(
        "the call was too late, or this machine's clock differs from GOV.UK Notify's", 403, answered=True
    )


async def test_a_call_that_is_held_back_beyond_its_time_is_not_taken(
    sandbox: SandboxUnderTest, clock: "Clock"
) -> None:
    """By Notify itself: as one is that was written by a process that had been stopped, or kept by a proxy."""
    sandbox.fail("slow", seconds=2.2, method="POST", times=1)
    clients = NotifyClients(clock=clock)
    try:
        client = clients.of(base_url=sandbox.url, key=sandbox.api_key)

        late = await send(client, sandbox.templates["email"], until=clock() + timedelta(seconds=1))
        in_time = await send(client, sandbox.templates["email"], until=clock() + timedelta(seconds=1))
    finally:
        await clients.close()

    assert isinstance(late, TryAgain)
    assert late.reason.startswith("the call was too late")
    assert isinstance(in_time, Accepted)
    assert len(sandbox.sent()) == 1


async def test_the_limit_of_a_day_is_waited_out(client: NotifyClient, sandbox: SandboxUnderTest) -> None:
    sandbox.limit(Limits(emails=1))
    await send(client, sandbox.templates["email"])

    outcome = await send(client, sandbox.templates["email"])

    assert isinstance(outcome, TryAgain)
    assert (outcome.status_code, outcome.limit) == (429, Limit.DAY)


def errors(status: int, *messages: str) -> bytes:
    listed = [{"error": "BadRequestError", "message": message} for message in messages]
    return msgspec.json.encode({"errors": listed, "status_code": status})


PAGE = b"<html>Not here</html>"


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        pytest.param(201, b'{"id": "n-1", "new": {"field": 1}}', Accepted("n-1"), id="taken"),
        pytest.param(201, b'{"id": "n-1", "template": {"version": 7}}', Accepted("n-1", 7), id="its version"),
        pytest.param(201, b'{"id": "n-1", "template": [7]}', Accepted("n-1"), id="an odd template"),
        pytest.param(201, b'{"id": "n-1", "template": {"version": true}}', Accepted("n-1"), id="no version"),
        pytest.param(
            201,
            b'{"id": "n-1", "template": {"version": 9999999999}}',
            Accepted("n-1"),
            id="too great a version",
        ),
        pytest.param(
            201,
            PAGE,
            Uncertain("GOV.UK Notify accepted it with an answer that cannot be read", 201),
            id="201, rubbish",
        ),
        pytest.param(301, b"", Uncertain("GOV.UK Notify answered 301", 301), id="moved"),
        pytest.param(
            404, PAGE, TryAgain("something other than GOV.UK Notify answered 404", 404), id="404 of a proxy"
        ),
        pytest.param(
            403, PAGE, TryAgain("something other than GOV.UK Notify answered 403", 403), id="403 of a proxy"
        ),
        pytest.param(413, errors(413, "File too big"), Rejected("File too big", 413), id="too big"),
        pytest.param(400, errors(400, "One", "Two"), Rejected("One; Two", 400), id="two messages"),
        pytest.param(
            401,
            errors(401, "Unauthorized"),
            Rejected("GOV.UK Notify does not accept the service's key", 401),
            id="401",
        ),
        pytest.param(
            429,
            PAGE,
            TryAgain("GOV.UK Notify asks to send less often", 429, limit=Limit.MINUTE, answered=True),
            id="429 of a proxy",
        ),
        pytest.param(
            408,
            b"",
            TryAgain("GOV.UK Notify asks to send less often", 408, limit=Limit.MINUTE, answered=True),
            id="408",
        ),
        pytest.param(502, PAGE, Uncertain("GOV.UK Notify answered 502", 502), id="502"),
        pytest.param(503, errors(503, "Sorry"), Uncertain("GOV.UK Notify answered 503", 503), id="503"),
    ],
)
async def test_an_answer(
    clients: NotifyClients,
    sandbox: SandboxUnderTest,
    impostor: "Impostor",
    status: int,
    body: bytes,
    outcome: Outcome,
) -> None:
    impostor.status, impostor.body = status, body
    client = clients.of(base_url=impostor.url, key=sandbox.api_key)

    assert await send(client, new_id()) == outcome
    assert impostor.paths == ["/v2/notifications/email"]


async def test_a_redirect_is_not_followed(
    clients: NotifyClients, sandbox: SandboxUnderTest, impostor: "Impostor"
) -> None:
    impostor.status, impostor.headers = 307, {"Location": f"{impostor.url}/elsewhere"}
    client = clients.of(base_url=impostor.url, key=sandbox.api_key)

    assert await send(client, new_id()) == Uncertain("GOV.UK Notify answered 307", 307)
    assert impostor.paths == ["/v2/notifications/email"]


@pytest.mark.parametrize("status", [400, 404])
async def test_a_strange_404_does_not_say_that_nothing_was_sent(
    clients: NotifyClients, sandbox: SandboxUnderTest, impostor: "Impostor", status: int
) -> None:
    """Were it read as an empty list, what was taken would be sent again."""
    impostor.status, impostor.body = status, PAGE
    client = clients.of(base_url=impostor.url, key=sandbox.api_key)

    with pytest.raises(NotifyUnavailable):
        await client.by_reference("r-1")


UUID = "5a4db0c5-1234-4567-8901-123456789012"


@pytest.mark.parametrize(
    ("message", "values", "reason"),
    [
        pytest.param(f"{EMAIL} is no address", [EMAIL], "… is no address", id="the recipient"),
        pytest.param(f"{EMAIL.upper()} is no address", [EMAIL], "… is no address", id="in other capitals"),
        pytest.param(f"{NAME} is too long", ["Amala", NAME], "… is too long", id="one value within another"),
        pytest.param("4711 is no code", [4711], "… is no code", id="a number"),
        pytest.param("Rent is no item", [["Rent", "Repairs"]], "… is no item", id="in a list"),
        pytest.param("rent.pdf is no file", [{"filename": "rent.pdf"}], "… is no file", id="a file's name"),
        pytest.param("((name)) is a hit", ["((name))"], "… is a hit", id="with signs of a pattern"),
        pytest.param(
            "Missing personalisation: ref", ["a", "R1", ""], "Missing personalisation: ref", id="short values"
        ),
        pytest.param("x" * 500, [], "x" * 200, id="a long message"),
        pytest.param("no a.b+c@d.example, here", [], "no …, here", id="another address"),
        pytest.param("no +44 7700 900456.", ["07700900456"], "no ….", id="a number otherwise written"),
        pytest.param("no 07700900456", [], "no …", id="another number"),
        pytest.param(f"no live-{UUID}-{UUID}", [], "no …", id="a key"),
        pytest.param(f"no template {UUID}", [], f"no template {UUID}", id="an id stays"),
        pytest.param("limit (250000) for today", [], "limit (250000) for today", id="a limit stays"),
    ],
)
def test_reasons_leave_out_what_was_sent(message: str, values: list[Any], reason: str) -> None:
    assert to_outcome(400, errors(400, message), values=values) == Rejected(reason, 400)


@given(
    values=st.lists(st.text(alphabet="abcAB @.1-", min_size=4, max_size=12), min_size=1, max_size=5),
    status=st.sampled_from([400, 403, 404, 413, 429, 500]),
    between=st.sampled_from(["", " ", "; "]),
)
def test_no_reason_holds_a_value(values: list[str], status: int, between: str) -> None:
    outcome = to_outcome(status, errors(status, between.join(values)), values=values)

    assert not isinstance(outcome, Accepted)
    said = outcome.reason.lower()
    assert [value for value in values if len(value.strip()) >= 4 and value.strip().lower() in said] == []
