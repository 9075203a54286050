"""When an operation is repeated, after how long, and what is raised when it is not."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom_client.acting import act, remove
from postroom_client.conversation import Heard, Pause, RetryPolicy, Send, converse
from postroom_client.errors import (
    Conflict,
    Forbidden,
    InFlight,
    Invalid,
    KeyMisused,
    NotFound,
    PostroomError,
    ProviderRefusedKey,
    Stale,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unavailable,
    UnexpectedAnswer,
)
from postroom_client.operation import NoAnswer, Operation, Response
from postroom_client.outgoing import email
from postroom_client.reading import get, health
from postroom_client.sending import notify, send_many

MADE = {"id": "n-1", "notificationType": "Email", "createdDate": "2026-11-25T09:30:00Z"}
MANY = send_many("demo", [email(to="joe@example.com", template="email")] * 2, idempotency_key="k-1")
SEND = notify("demo", email(to="joe@example.com", template="email", idempotency_key="k-1"))
GET = get("demo", "n-1")
READ = act("demo", "n-1", "IsRead")
READ_IF_UNCHANGED = act("demo", "n-1", "IsRead", etag='"1"')
APPROVE = act("demo", "n-1", "Approved", note="Fine")
REMOVE = remove("demo", "n-1")


def answer(status: int, body: Any = None, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status=status, headers=named, body=json.dumps(body).encode())


def problem(status: int, **headers: str) -> Response:
    body = {"status": status, "detail": "In plain words."}
    return answer(status, body, **{"content_type": "application/problem+json"} | headers)


OK = answer(201, MADE)
DONE = answer(204)
LOST = NoAnswer(sent=True, cause=TimeoutError())
NOT_SENT = NoAnswer(sent=False, cause=ConnectionRefusedError())
BUSY = problem(503, retry_after="1")
GATEWAY = answer(503)
TIMED_OUT_GATEWAY = answer(504)
IN_FLIGHT = problem(409, retry_after="1")
LIMITED = problem(429, retry_after="3")


@dataclass
class Played:
    """What came of a conversation in which these were heard, on a clock that only pauses move."""

    now: float = 100
    sent: int = 0
    timeouts: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    result: Any = None
    error: PostroomError | None = None


def play(
    operation: Operation[Any],
    heard: Sequence[Heard],
    *,
    policy: RetryPolicy | None = None,
    share: float = 0.5,
    call_lasts: float = 0,
) -> Played:
    """`share` stands for what chance draws."""
    played = Played()
    conversation = converse(
        operation, policy=policy or RetryPolicy(), clock=lambda: played.now, draw=lambda: share
    )
    coming, told = iter(heard), None
    try:
        while True:
            match conversation.send(told):
                case Send(request, timeout):
                    assert request is operation.request
                    played.sent += 1
                    played.timeouts.append(timeout)
                    played.now += call_lasts
                    told = next(coming)
                case Pause(seconds):
                    played.waits.append(seconds)
                    played.now += seconds
                    told = None
    except StopIteration as end:
        played.result = end.value
    except PostroomError as error:
        played.error = error
    assert next(coming, None) is None, "not all of it was heard"
    return played


@pytest.mark.parametrize(
    ("operation", "heard"),
    [
        pytest.param(SEND, [LOST, OK], id="a send whose answer was lost"),
        pytest.param(SEND, [NOT_SENT, NOT_SENT, OK], id="a send that could not connect"),
        pytest.param(SEND, [BUSY, LIMITED, IN_FLIGHT, OK], id="a send that was put off"),
        pytest.param(SEND, [GATEWAY, TIMED_OUT_GATEWAY, OK], id="a send that a gateway gave up"),
        pytest.param(GET, [LOST, BUSY, OK], id="a question"),
        pytest.param(READ, [LOST, OK], id="reading counts once however often it comes"),
        pytest.param(APPROVE, [NOT_SENT, OK], id="an action that could not connect"),
        pytest.param(APPROVE, [BUSY, LIMITED, OK], id="an action that was put off"),
        pytest.param(REMOVE, [LOST, DONE], id="a removal whose answer was lost"),
        pytest.param(REMOVE, [LOST, problem(404)], id="a removal whose lost answer was a success"),
    ],
)
def test_is_repeated(operation: Operation[Any], heard: list[Heard]) -> None:
    played = play(operation, heard)

    assert played.error is None
    assert played.sent == len(heard)
    assert len(played.waits) == len(heard) - 1


@pytest.mark.parametrize(
    ("operation", "heard", "error"),
    [
        pytest.param(SEND, problem(400), Invalid, id="400"),
        pytest.param(SEND, problem(401), Unauthenticated, id="401"),
        pytest.param(SEND, problem(403), Forbidden, id="403"),
        pytest.param(GET, problem(404), NotFound, id="404"),
        pytest.param(APPROVE, problem(409), Conflict, id="409 that no waiting mends"),
        pytest.param(APPROVE, problem(412), Stale, id="412"),
        pytest.param(SEND, problem(413), TooLarge, id="413"),
        pytest.param(SEND, problem(422), KeyMisused, id="422"),
        pytest.param(GET, problem(424), ProviderRefusedKey, id="424"),
        pytest.param(SEND, problem(500), UnexpectedAnswer, id="500"),
        pytest.param(SEND, answer(302), UnexpectedAnswer, id="a redirect, for the key goes nowhere else"),
        pytest.param(SEND, answer(200, ["not", "one"]), UnexpectedAnswer, id="another shape"),
        pytest.param(SEND, answer(200, {"id": "n-1"}), UnexpectedAnswer, id="fields missing"),
        pytest.param(SEND, Response(status=200, body=b"<html>"), UnexpectedAnswer, id="no JSON"),
        pytest.param(APPROVE, LOST, Unavailable, id="an action whose answer was lost"),
        pytest.param(APPROVE, GATEWAY, Unavailable, id="an action that a gateway gave up"),
        pytest.param(READ_IF_UNCHANGED, LOST, Unavailable, id="reading a version that it then no longer is"),
        pytest.param(REMOVE, problem(404), NotFound, id="a removal of what is not there"),
    ],
)
def test_is_not_repeated(operation: Operation[Any], heard: Heard, error: type[PostroomError]) -> None:
    played = play(operation, [heard])

    assert type(played.error) is error
    assert played.error.idempotency_key == ("k-1" if operation is SEND else None)
    assert played.waits == []


def test_waits_grow_twofold_up_to_the_longest_and_chance_takes_its_share() -> None:
    policy = RetryPolicy(total_seconds=100, first_wait_seconds=1, longest_wait_seconds=5)

    assert play(SEND, [LOST] * 5 + [OK], policy=policy, share=1).waits == [1, 2, 4, 5, 5]
    assert play(SEND, [LOST] * 5 + [OK], policy=policy, share=0.5).waits == [0.5, 1, 2, 2.5, 2.5]
    assert play(SEND, [LOST] * 5 + [OK], policy=policy, share=0).waits == [0] * 5


@given(share=st.floats(0, 1), failures=st.integers(1, 10_000), at_least=st.floats(0, 1000))
def test_a_wait_is_never_shorter_than_asked_nor_much_longer(
    share: float, failures: int, at_least: float
) -> None:
    wait = RetryPolicy().wait(failures=failures, at_least=at_least, share=share)

    assert at_least <= wait <= at_least + 5


@pytest.mark.parametrize(
    ("heard", "wait"),
    [
        pytest.param(problem(429, retry_after="3"), 3.1, id="seconds"),
        pytest.param(
            problem(
                429,
                retry_after="Wed, 25 Nov 2026 09:30:07 GMT",
                date="Wed, 25 Nov 2026 09:30:00 GMT",
            ),
            7.1,
            id="a date, beside the answer's own",
        ),
        pytest.param(
            problem(429, retry_after="Wed, 25 Nov 2026 09:29:00 GMT", date="Wed, 25 Nov 2026 09:30:00 GMT"),
            0.1,
            id="a date that is over",
        ),
        pytest.param(problem(429, retry_after="Wed, 25 Nov 2026 09:30:07 GMT"), 0.1, id="a date alone"),
        pytest.param(problem(429, retry_after="soon"), 0.1, id="nonsense"),
        pytest.param(problem(429), 0.1, id="nothing"),
        pytest.param(problem(503, retry_after="2"), 2.1, id="of a busy one too"),
    ],
)
def test_retry_after_is_honoured(heard: Response, wait: float) -> None:
    assert play(SEND, [heard, OK]).waits == [pytest.approx(wait)]


def test_gives_up_when_the_time_is_over() -> None:
    policy = RetryPolicy(total_seconds=10, first_wait_seconds=2, longest_wait_seconds=4)

    played = play(SEND, [LOST] * 3, policy=policy, share=1, call_lasts=1)

    # Calls from 0 to 1, 3 to 4 and 8 to 9; the next would be at 13.
    assert played.waits == [2, 4]
    assert isinstance(played.error, Unavailable)


def test_does_not_wait_for_what_would_come_too_late() -> None:
    played = play(SEND, [problem(429, retry_after="31")])

    assert played.waits == []
    assert isinstance(played.error, TooMany)
    assert played.error.retry_after == 31


def test_tries_once_where_no_time_is_given() -> None:
    played = play(SEND, [NOT_SENT], policy=RetryPolicy(total_seconds=0))

    assert played.timeouts == [10]
    assert isinstance(played.error, Unavailable)


def test_a_call_gets_no_more_time_than_is_left() -> None:
    policy = RetryPolicy(call_seconds=4, total_seconds=10, first_wait_seconds=0)

    assert play(SEND, [LOST, LOST, OK], policy=policy, call_lasts=4).timeouts == [4, 4, 2]


@pytest.mark.parametrize(
    ("heard", "may_have_happened"),
    [
        pytest.param([NOT_SENT], False, id="not sent"),
        pytest.param([BUSY], False, id="busy"),
        pytest.param([LOST], True, id="lost"),
        pytest.param([GATEWAY], True, id="a gateway's word"),
        pytest.param([LOST, NOT_SENT], True, id="lost, then not sent"),
    ],
)
def test_an_unavailable_says_whether_something_may_have_happened(
    heard: list[Heard], may_have_happened: bool
) -> None:
    policy = RetryPolicy(total_seconds=1.5 * (len(heard) - 1), first_wait_seconds=1)
    error = play(SEND, heard, policy=policy, share=1).error

    assert isinstance(error, Unavailable)
    assert error.may_have_happened is may_have_happened


def test_an_error_carries_the_idempotency_key_to_send_again_with() -> None:
    error = play(SEND, [LOST], policy=RetryPolicy(total_seconds=0)).error

    assert error is not None
    assert error.idempotency_key == "k-1"
    assert isinstance(error.__cause__, TimeoutError)


def test_what_is_in_flight_to_the_end_is_told_as_that() -> None:
    error = play(SEND, [IN_FLIGHT], policy=RetryPolicy(total_seconds=0)).error

    assert isinstance(error, InFlight)


def some(*statuses: int) -> Response:
    """What became of many."""
    made = {201: {"notification": MADE}}
    items = [{"index": i, "status": each} | made.get(each, {}) for i, each in enumerate(statuses)]
    return answer(207, items)


@pytest.mark.parametrize("status", [409, 429, 503])
def test_what_was_put_off_of_many_is_asked_for_again(status: int) -> None:
    played = play(MANY, [some(201, status), some(201, status), some(201, 201)])

    assert len(played.result.accepted) == 2
    assert len(played.waits) == 2


@pytest.mark.parametrize("status", [400, 403, 413, 422, 424])
def test_what_was_refused_of_many_is_not(status: int) -> None:
    played = play(MANY, [some(201, status)])

    assert [item.status for item in played.result.items] == [201, status]


@pytest.mark.parametrize(
    "last", [some(201, 503), LOST, NOT_SENT, problem(429, retry_after="60"), problem(401)], ids=repr
)
def test_what_was_accepted_of_many_is_told_whatever_comes_after(last: Heard) -> None:
    policy = RetryPolicy(total_seconds=1.5, first_wait_seconds=1)

    played = play(MANY, [some(201, 503), last], policy=policy, share=1)

    assert len(played.result.accepted) == 1
    [refused] = played.result.refused
    assert isinstance(refused.error, Unavailable)
    assert refused.error.may_have_happened is True


def test_a_gateway_does_not_speak_of_health() -> None:
    assert isinstance(play(health(None), [GATEWAY], policy=RetryPolicy(total_seconds=0)).error, Unavailable)


def test_a_lost_answer_does_not_make_a_404_of_another_operation_good() -> None:
    assert isinstance(play(GET, [LOST, problem(404)]).error, NotFound)


def test_ill_health_is_an_answer_and_not_repeated() -> None:
    checks = {"database": "does not answer"}

    told = answer(503, {"status": "unavailable", "checks": checks}, content_type="application/json")
    played = play(health(None), [told])

    assert (played.result.is_ok, played.result.checks) == (False, checks)
