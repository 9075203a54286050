"""The steps of a delivery, one by one, at the moments that matter."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from postroom.domain import delivery as steps
from postroom.domain.channel import Channel
from postroom.domain.delivery import AttemptEnd, Change, State, Step
from postroom.domain.outcome import Accepted, Limit, Outcome, OutcomeName, Rejected, TryAgain, Uncertain
from postroom.domain.retry import RetryPolicy
from postroom.domain.status import Status, is_final

POLICY = RetryPolicy()
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
PENDING = State(
    id="delivery",
    notification_id="notification",
    service_id="repairs",
    credential_id="credential",
    channel=Channel.EMAIL,
    template_id="template",
    status=Status.PENDING,
    created_at=NOON,
    due_at=NOON,
)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


CLAIMED = steps.claim(PENDING, now=NOON, policy=POLICY, attempt_id="first").state
UNCERTAIN_AT = NOON + seconds(10)


def outcome_of(
    outcome: Outcome, *, state: State = CLAIMED, now: datetime = UNCERTAIN_AT, simulated: bool = False
) -> Change:
    return steps.record_outcome(
        state, outcome, attempt_id="first", now=now, policy=POLICY, chance=0, simulated=simulated
    )


def look(
    state: State, now: datetime, found: tuple[str, Status] | None = None, attempt: str = "first"
) -> Change:
    return steps.record_look(state, found, attempt_id=attempt, now=now, policy=POLICY)


def receipt(state: State, status: Status, notify_id: str = "n-1") -> Change | None:
    return steps.record_receipt(
        state,
        status,
        notify_id=notify_id,
        now=NOON + seconds(60),
        policy=POLICY,
        completed_at=NOON + seconds(50),
    )


UNCERTAIN = outcome_of(Uncertain("no answer in time")).state
SENDING = outcome_of(Accepted("n-1")).state
DELIVERED = replace(SENDING, status=Status.DELIVERED, due_at=None, completed_at=UNCERTAIN_AT)


@pytest.mark.parametrize(
    ("state", "after", "step"),
    [
        pytest.param(PENDING, seconds(0), Step.SEND, id="due"),
        pytest.param(PENDING, seconds(-1), Step.NOTHING, id="not due yet"),
        pytest.param(CLAIMED, seconds(19), Step.NOTHING, id="in another's hands"),
        pytest.param(CLAIMED, seconds(20), Step.LOOK, id="left open by whoever had it"),
        pytest.param(UNCERTAIN, seconds(24), Step.NOTHING, id="the quiet period runs"),
        pytest.param(UNCERTAIN, seconds(25), Step.LOOK, id="the quiet period is over"),
        pytest.param(SENDING, seconds(309), Step.NOTHING, id="sent a while ago"),
        pytest.param(SENDING, seconds(310), Step.POLL, id="silent for five minutes"),
        pytest.param(DELIVERED, seconds(9_999), Step.NOTHING, id="ended"),
    ],
)
def test_what_a_claim_gives(state: State, after: timedelta, step: Step) -> None:
    change = steps.claim(state, now=NOON + after, policy=POLICY, attempt_id="next")

    assert change.step is step
    assert (change.state == state) is (step is Step.NOTHING)
    assert change.began == ("next" if step is Step.SEND else None)


def test_what_is_put_off_is_tried_for_the_first_time_later() -> None:
    change = steps.put_off(PENDING, until=NOON + seconds(60), reason="waits for a limit")

    assert change == Change(
        replace(PENDING, due_at=NOON + seconds(60), reason="waits for a limit"), Step.WAIT
    )
    again = steps.claim(change.state, now=NOON + seconds(60), policy=POLICY, attempt_id="first")
    assert (again.step, again.state.attempts) == (Step.SEND, 1)


def test_what_is_suppressed_has_ended_and_says_why() -> None:
    change = steps.suppress(PENDING, now=NOON, reason="the same template was sent 20 times this hour")

    assert change.state == replace(
        PENDING,
        status=Status.SUPPRESSED,
        completed_at=NOON,
        due_at=None,
        reason="the same template was sent 20 times this hour",
    )


WAITS = "waits: the provider does not answer"
LATER = NOON + timedelta(minutes=1)


def awaiting(state: State, *, now: datetime = NOON) -> Change:
    return steps.await_provider(state, until=LATER, now=now, policy=POLICY, reason=WAITS)


def test_what_waits_for_the_provider_is_not_tried() -> None:
    assert awaiting(PENDING) == Change(replace(PENDING, due_at=LATER, reason=WAITS), Step.WAIT)


def test_a_look_that_waits_keeps_its_attempt_open() -> None:
    uncertain = outcome_of(Uncertain("cut")).state

    assert awaiting(uncertain) == Change(replace(uncertain, due_at=LATER, reason=WAITS), Step.WAIT)


def test_a_poll_that_waits_says_nothing_of_the_delivery() -> None:
    sending = outcome_of(Accepted("n-1")).state

    assert awaiting(sending) == Change(replace(sending, due_at=LATER), Step.WAIT)


def test_what_waits_for_the_provider_is_given_up_in_its_time() -> None:
    ended = awaiting(PENDING, now=NOON + POLICY.give_up_after + seconds(1)).state

    assert (ended.status, ended.reason, ended.due_at) == (
        Status.DEAD,
        "given up: the provider does not answer",
        None,
    )


def test_what_may_have_been_sent_needs_a_decision_after_a_day_of_waiting_too() -> None:
    uncertain = outcome_of(Uncertain("cut")).state
    change = awaiting(uncertain, now=NOON + POLICY.resend_within + seconds(1))

    assert (change.state.status, change.state.reason) == (
        Status.DEAD,
        "needs a decision: it may have been sent",
    )
    assert change.ended is not None
    assert change.ended.outcome is OutcomeName.UNCERTAIN


def test_what_waited_for_the_provider_is_due_when_it_is_back() -> None:
    waiting = awaiting(PENDING).state

    assert steps.resume(waiting, now=NOON, reason=WAITS) == Change(replace(waiting, due_at=NOON))


@pytest.mark.parametrize(
    "state",
    [
        pytest.param(PENDING, id="due already"),
        pytest.param(replace(PENDING, due_at=LATER), id="waits for something else"),
        pytest.param(replace(CLAIMED, reason=WAITS), id="in somebody's hands"),
        pytest.param(awaiting(outcome_of(Accepted("n-1")).state).state, id="with the provider"),
    ],
)
def test_only_what_waited_for_the_provider_is_resumed(state: State) -> None:
    assert steps.resume(state, now=NOON, reason=WAITS) is None


def test_a_try_that_did_not_reach_the_provider_waits_no_longer_than_others_do() -> None:
    change = steps.record_outcome(
        replace(CLAIMED, attempts=12),
        TryAgain("down"),
        attempt_id="first",
        now=NOON,
        policy=POLICY,
        chance=0,
        simulated=False,
        probe_at=LATER,
    )

    assert change.state.due_at == LATER


def test_the_quiet_after_an_uncertain_attempt_is_never_cut_short() -> None:
    change = steps.record_outcome(
        CLAIMED,
        Uncertain("cut"),
        attempt_id="first",
        now=NOON,
        policy=POLICY,
        chance=0,
        simulated=False,
        probe_at=NOON + seconds(1),
    )

    assert change.state.due_at == NOON + POLICY.quiet


def test_a_claim_holds_the_delivery_and_opens_an_attempt() -> None:
    assert (
        replace(
            PENDING,
            attempts=1,
            open_attempt="first",
            open_attempt_at=NOON,
            lease_until=NOON + seconds(20),
            due_at=NOON + seconds(20),
        )
        == CLAIMED
    )


@pytest.mark.parametrize(("since", "may"), [(0, True), (7.9, True), (8, False), (60, False)])
def test_a_call_begins_only_while_it_is_sure_to_end_within_the_claim(since: float, may: bool) -> None:
    assert steps.may_still_call(POLICY, since_claim=seconds(since)) is may


@pytest.mark.parametrize(("lease", "quiet", "lapses"), [(20, 15, 15), (12, 15, 12)])
def test_a_call_lapses_before_anybody_asks_whether_it_was_taken(
    lease: float, quiet: float, lapses: float
) -> None:
    policy = dataclasses.replace(POLICY, lease=seconds(lease), quiet=seconds(quiet))
    claimed = steps.claim(PENDING, now=NOON, policy=policy, attempt_id="first").state
    cut = steps.record_outcome(
        claimed,
        Uncertain("broke"),
        attempt_id="first",
        now=NOON,
        policy=policy,
        chance=0,
        simulated=False,
    ).state

    assert steps.call_lapses(policy, claimed_at=NOON) == NOON + seconds(lapses)
    assert all(
        state.due_at is not None and state.due_at >= NOON + seconds(lapses) for state in (claimed, cut)
    )


@pytest.mark.parametrize(
    ("outcome", "status", "due", "reason"),
    [
        pytest.param(Accepted("n-1"), Status.SENDING, seconds(300), None, id="accepted"),
        pytest.param(
            Rejected("bad number", 400), Status.PERMANENT_FAILURE, None, "bad number", id="rejected"
        ),
        pytest.param(TryAgain("down"), Status.PENDING, seconds(1), "down", id="try again"),
        pytest.param(
            TryAgain("limited", 429, limit=Limit.MINUTE), Status.PENDING, seconds(10), "limited", id="limited"
        ),
    ],
)
def test_an_outcome_ends_the_attempt(
    outcome: Outcome, status: Status, due: timedelta | None, reason: str | None
) -> None:
    change = outcome_of(outcome)
    state = change.state

    assert (state.status, state.reason) == (status, reason)
    assert state.due_at == (None if due is None else UNCERTAIN_AT + due)
    assert (state.open_attempt, state.lease_until) == (None, None)
    assert change.ended is not None
    assert (change.ended.attempt_id, change.ended.at) == ("first", UNCERTAIN_AT)


def test_an_uncertain_outcome_leaves_the_attempt_open_and_looks_later() -> None:
    change = outcome_of(Uncertain("no answer in time", 500))

    assert change.ended is None
    assert change.state == replace(
        CLAIMED, lease_until=None, due_at=UNCERTAIN_AT + seconds(15), reason="no answer in time"
    )


def test_a_simulated_recipient_is_delivered_at_once() -> None:
    state = outcome_of(Accepted("n-1"), simulated=True).state

    assert (state.status, state.reason, state.due_at) == (Status.DELIVERED, "simulated", None)
    assert (state.notify_id, state.completed_at) == ("n-1", UNCERTAIN_AT)


def test_an_outcome_that_comes_after_its_receipt_only_closes_the_attempt() -> None:
    known = receipt(CLAIMED, Status.DELIVERED)
    assert known is not None

    change = outcome_of(Accepted("n-1"), state=known.state)

    assert change == Change(known.state, ended=AttemptEnd("first", OutcomeName.ACCEPTED, UNCERTAIN_AT, 201))


@pytest.mark.parametrize(
    ("age", "status"), [(timedelta(hours=72), Status.PENDING), (timedelta(hours=72, seconds=1), Status.DEAD)]
)
def test_tries_go_on_for_three_days(age: timedelta, status: Status) -> None:
    state = outcome_of(TryAgain("down"), now=NOON + age).state

    assert state.status is status


def test_it_is_sent_again_only_after_two_looks_that_found_nothing() -> None:
    once = look(UNCERTAIN, NOON + seconds(25))
    twice = look(once.state, NOON + seconds(30))
    again = steps.claim(twice.state, now=NOON + seconds(30), policy=POLICY, attempt_id="second")

    assert (once.state.looks, once.state.due_at, once.ended) == (1, NOON + seconds(30), None)
    assert (twice.ended and twice.ended.outcome, twice.state.open_attempt) == (OutcomeName.NOT_TAKEN, None)
    assert (again.step, again.began, again.state.attempts) == (Step.SEND, "second", 2)


@pytest.mark.parametrize(
    ("found", "status", "due"),
    [
        (Status.SENDING, Status.SENDING, NOON + seconds(325)),
        (Status.DELIVERED, Status.DELIVERED, None),
        (Status.TEMPORARY_FAILURE, Status.TEMPORARY_FAILURE, None),
    ],
)
def test_a_look_that_finds_it_is_the_answer(found: Status, status: Status, due: datetime | None) -> None:
    change = look(UNCERTAIN, NOON + seconds(25), ("n-1", found))

    assert (change.state.status, change.state.notify_id, change.state.due_at) == (status, "n-1", due)
    assert change.ended == AttemptEnd(
        "first", OutcomeName.ACCEPTED, NOON + seconds(25), reason="found by its reference"
    )


def test_an_uncertain_attempt_of_yesterday_needs_a_decision() -> None:
    late = NOON + timedelta(hours=24, seconds=1)
    once = look(replace(UNCERTAIN, due_at=late), late)
    twice = look(once.state, late)

    assert (twice.state.status, twice.state.reason) == (
        Status.DEAD,
        "needs a decision: it may have been sent",
    )


def test_a_provider_that_fails_for_three_days_is_given_up() -> None:
    late = NOON + timedelta(hours=72, seconds=1)
    recent = replace(UNCERTAIN, open_attempt_at=late - seconds(60), looks=1)

    assert look(recent, late).state.status is Status.DEAD


SENT_AGAIN = replace(
    UNCERTAIN,
    attempts=2,
    open_attempt="second",
    open_attempt_at=NOON + seconds(30),
    lease_until=NOON + seconds(50),
    due_at=NOON + seconds(50),
)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(look(SENT_AGAIN, NOON + seconds(40)), id="a look"),
        pytest.param(
            steps.record_unanswered(
                SENT_AGAIN, attempt_id="first", now=NOON + seconds(40), policy=POLICY, chance=0
            ),
            id="a look without an answer",
        ),
        pytest.param(
            steps.hand_back(SENT_AGAIN, attempt_id="first", now=NOON + seconds(40)), id="a hand-back"
        ),
        pytest.param(
            steps.give_up(SENT_AGAIN, step=Step.LOOK, attempt_id="first", now=NOON, reason="key gone"),
            id="a giving-up",
        ),
    ],
)
def test_who_woke_too_late_leaves_it_in_the_hands_that_have_it(change: Change) -> None:
    assert change == Change(SENT_AGAIN)


def test_a_claim_that_grew_too_old_is_handed_back_unsent() -> None:
    change = steps.hand_back(CLAIMED, attempt_id="first", now=NOON + seconds(9))

    assert (change.state.open_attempt, change.state.due_at) == (None, NOON + seconds(9))
    assert change.ended
    assert change.ended.outcome is OutcomeName.NOT_TAKEN


@pytest.mark.parametrize(
    ("state", "step", "attempt", "status"),
    [
        pytest.param(CLAIMED, Step.SEND, "first", Status.TECHNICAL_FAILURE, id="not sent yet"),
        pytest.param(UNCERTAIN, Step.LOOK, "first", Status.DEAD, id="may have been sent"),
        pytest.param(SENDING, Step.POLL, None, Status.DEAD, id="was sent"),
        pytest.param(DELIVERED, Step.POLL, None, Status.DELIVERED, id="has ended meanwhile"),
    ],
)
def test_giving_up_says_whether_it_may_have_been_sent(
    state: State, step: Step, attempt: str | None, status: Status
) -> None:
    change = steps.give_up(state, step=step, attempt_id=attempt, now=NOON, reason="the key is gone")

    assert change.state.status is status
    assert (change.ended and change.ended.attempt_id) == attempt


@pytest.mark.parametrize(
    ("state", "status", "ends_as"),
    [
        pytest.param(SENDING, Status.DELIVERED, Status.DELIVERED, id="the end"),
        pytest.param(CLAIMED, Status.DELIVERED, Status.DELIVERED, id="before the answer to the send"),
        pytest.param(CLAIMED, Status.SENDING, Status.SENDING, id="on its way, before the answer"),
        pytest.param(UNCERTAIN, Status.SENT, Status.SENT, id="of an attempt whose end is not known"),
        pytest.param(
            replace(PENDING, attempts=1),
            Status.DELIVERED,
            Status.DELIVERED,
            id="of one that was thought lost",
        ),
        pytest.param(PENDING, Status.DELIVERED, None, id="of what was never sent"),
        pytest.param(SENDING, Status.SENDING, None, id="nothing new"),
        pytest.param(DELIVERED, Status.DELIVERED, None, id="doubled"),
        pytest.param(DELIVERED, Status.SENDING, None, id="late"),
        pytest.param(DELIVERED, Status.TEMPORARY_FAILURE, None, id="against the end"),
        pytest.param(
            replace(DELIVERED, status=Status.RECEIVED),
            Status.RETURNED,
            Status.RETURNED,
            id="a letter that came back",
        ),
        pytest.param(replace(DELIVERED, status=Status.CANCELLED), Status.DELIVERED, None, id="cancelled"),
    ],
)
def test_receipts(state: State, status: Status, ends_as: Status | None) -> None:
    change = receipt(state, status)

    assert (None if change is None else change.state.status) == ends_as
    if change is not None and is_final(change.state.status):
        assert (change.state.completed_at, change.state.notify_id) == (NOON + seconds(50), "n-1")
        assert change.state.due_at is None


def test_a_receipt_of_another_message_changes_nothing() -> None:
    assert receipt(SENDING, Status.DELIVERED, notify_id="n-2") is None


@pytest.mark.parametrize(
    ("status", "after", "becomes", "due"),
    [
        pytest.param(Status.SENDING, seconds(310), Status.SENDING, seconds(300), id="still on its way"),
        pytest.param(Status.DELIVERED, seconds(310), Status.DELIVERED, None, id="delivered"),
        pytest.param(None, timedelta(days=7), Status.SENDING, seconds(300), id="not known yet"),
        pytest.param(None, timedelta(days=8), Status.TECHNICAL_FAILURE, None, id="not known any longer"),
    ],
)
def test_polls(status: Status | None, after: timedelta, becomes: Status, due: timedelta | None) -> None:
    state = steps.record_poll(SENDING, status, now=NOON + after, policy=POLICY).state

    assert (state.status, state.due_at) == (becomes, None if due is None else NOON + after + due)


@pytest.mark.parametrize(
    ("state", "attempt", "age", "becomes", "due"),
    [
        pytest.param(
            SENDING, None, timedelta(days=13), Status.SENDING, seconds(300), id="a poll is asked again"
        ),
        pytest.param(
            SENDING, None, timedelta(days=15), Status.TECHNICAL_FAILURE, None, id="while there is an answer"
        ),
        pytest.param(UNCERTAIN, "first", timedelta(hours=24), Status.PENDING, seconds(1), id="a look too"),
        pytest.param(
            UNCERTAIN, "first", timedelta(hours=25), Status.DEAD, None, id="a look of yesterday is not"
        ),
        pytest.param(DELIVERED, None, timedelta(hours=1), Status.DELIVERED, None, id="what has ended stays"),
    ],
)
def test_questions_without_an_answer(
    state: State, attempt: str | None, age: timedelta, becomes: Status, due: timedelta | None
) -> None:
    now = NOON + age
    change = steps.record_unanswered(state, attempt_id=attempt, now=now, policy=POLICY, chance=0)

    assert (change.state.status, change.state.due_at) == (becomes, None if due is None else now + due)


@pytest.mark.parametrize(
    ("state", "status"),
    [
        pytest.param(PENDING, Status.CANCELLED, id="waiting"),
        pytest.param(replace(PENDING, attempts=3), Status.CANCELLED, id="between two tries"),
        pytest.param(CLAIMED, None, id="being sent"),
        pytest.param(UNCERTAIN, None, id="perhaps sent"),
        pytest.param(SENDING, None, id="sent"),
        pytest.param(DELIVERED, None, id="ended"),
    ],
)
def test_cancel(state: State, status: Status | None) -> None:
    change = steps.cancel(state, now=NOON)

    assert (None if change is None else change.state.status) == status


GIVEN_UP = replace(PENDING, status=Status.DEAD, due_at=None, completed_at=NOON, reason="given up: no")
UNSURE = replace(GIVEN_UP, attempts=2, reason=steps.MAY_HAVE_BEEN_SENT)
TAKEN = replace(SENDING, status=Status.DEAD, due_at=None, completed_at=NOON, reason=steps.MAY_HAVE_BEEN_SENT)


@pytest.mark.parametrize(
    ("state", "although_unsure", "status", "next_step"),
    [
        pytest.param(GIVEN_UP, False, Status.PENDING, Step.SEND, id="given up: tried again"),
        pytest.param(UNSURE, False, None, None, id="perhaps sent: not without a word"),
        pytest.param(UNSURE, True, Status.PENDING, Step.LOOK, id="perhaps sent: asked for first"),
        pytest.param(TAKEN, False, Status.SENDING, Step.POLL, id="taken: followed, and never sent"),
        pytest.param(TAKEN, True, Status.SENDING, Step.POLL, id="taken: never sent, whatever is said"),
        pytest.param(DELIVERED, True, None, None, id="delivered: nothing is reopened"),
        pytest.param(PENDING, True, None, None, id="waiting: nothing to take up"),
    ],
)
def test_replay(state: State, although_unsure: bool, status: Status | None, next_step: Step | None) -> None:
    later = NOON + timedelta(days=9)
    change = steps.replay(state, now=later, last_attempt="second", although_unsure=although_unsure)

    assert (None if change is None else change.state.status) == status
    if change is not None:
        assert (change.state.completed_at, change.state.reason) == (None, None)
        claimed = steps.claim(change.state, now=later, policy=POLICY, attempt_id="third")
        assert claimed.step is next_step


def test_what_may_have_been_sent_by_no_attempt_that_is_known_stays() -> None:
    assert steps.replay(UNSURE, now=NOON, last_attempt=None, although_unsure=True) is None


def test_what_was_replayed_is_tried_for_as_long_as_it_was_at_first() -> None:
    later = NOON + timedelta(days=9)
    change = steps.replay(GIVEN_UP, now=later, last_attempt=None, although_unsure=False)
    assert change is not None
    claimed = steps.claim(change.state, now=later, policy=POLICY, attempt_id="first").state

    def after(hours: float) -> Status:
        now = later + timedelta(hours=hours)
        return outcome_of(TryAgain("down"), state=claimed, now=now).state.status

    assert (after(71), after(73)) == (Status.PENDING, Status.DEAD)


def test_what_may_have_been_sent_is_sent_again_only_where_two_looks_find_nothing() -> None:
    later = NOON + timedelta(days=9)
    change = steps.replay(UNSURE, now=later, last_attempt="second", although_unsure=True)
    assert change is not None
    looking = steps.claim(change.state, now=later, policy=POLICY, attempt_id="third").state

    found = look(looking, later, found=("n-9", Status.DELIVERED), attempt="second").state
    once = look(looking, later, attempt="second").state
    twice = look(once, later + seconds(5), attempt="second").state

    assert (found.status, found.notify_id) == (Status.DELIVERED, "n-9")
    assert (once.open_attempt, twice.open_attempt, twice.status) == ("second", None, Status.PENDING)
