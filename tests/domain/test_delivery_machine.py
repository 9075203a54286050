"""A delivery's life against a provider that remembers what it took, whoever crashes, sleeps or comes late.

The rules of the game are those under which "at most once" is promised: a call ends within its time limit,
a process that slept too long after its claim does not call, and the wall clock never jumps ahead.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from postroom.domain import delivery as steps
from postroom.domain.channel import Channel
from postroom.domain.delivery import MOVING, Change, State, Step
from postroom.domain.outcome import Accepted, Limit, Outcome, Rejected, TryAgain, Uncertain
from postroom.domain.retry import RetryPolicy
from postroom.domain.status import Status, is_final

POLICY = RetryPolicy()
AWAY = "waits: the provider does not answer"
START = datetime(2026, 11, 2, 9, tzinfo=UTC)
ENDS = [
    Status.SENT,
    Status.RECEIVED,
    Status.DELIVERED,
    Status.PERMANENT_FAILURE,
    Status.TEMPORARY_FAILURE,
    Status.TECHNICAL_FAILURE,
    Status.RETURNED,
]
CHANCES = st.floats(min_value=0, max_value=1, exclude_max=True)
WAITS = st.sampled_from([0.1, 1, 2, 5, 8, 10, 15, 20, 60, 600, 7_200, 90_000, 700_000])


@dataclass
class Hand:
    """One worker with one claim: it may call, be told, record, sleep in between, or never come back."""

    step: Step
    attempt: str
    claimed_at: float
    called_at: float | None = None
    answered: bool = False
    took: str | None = None
    outcome: Outcome | None = None
    found: tuple[str, Status] | None = None
    status: Status | None = None


@dataclass
class Provider:
    """What was taken under the delivery's reference, and where each message stands."""

    statuses: dict[str, Status] = field(default_factory=dict)

    def take(self) -> str:
        notify_id = f"notify-{len(self.statuses) + 1}"
        self.statuses[notify_id] = Status.SENDING
        return notify_id

    def newest(self) -> tuple[str, Status] | None:
        return list(self.statuses.items())[-1] if self.statuses else None


def where(state: State) -> list[object]:
    return [getattr(state, name) for name in MOVING]


class DeliveryMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.boot = 0.0
        self.behind = timedelta(0)
        self.ids = count(1)
        self.provider = Provider()
        self.hands: list[Hand] = []
        self.lost_calls: list[Hand] = []
        self.attempts: dict[str, bool] = {}
        self.state = State(
            id="delivery",
            notification_id="notification",
            service_id="repairs",
            credential_id="credential",
            channel=Channel.EMAIL,
            template_id="template",
            status=Status.PENDING,
            created_at=START,
            due_at=START,
        )

    @property
    def now(self) -> datetime:
        return START + timedelta(seconds=self.boot) - self.behind

    def become(self, change: Change | None) -> None:
        """Save the change, as the row's transaction would."""
        if change is None:
            return
        before, after = self.state, change.state
        if is_final(before.status):
            came_back = before.status is Status.RECEIVED and after.status is Status.RETURNED
            assert came_back or after == before
        assert after == before or where(after) != where(before)
        if change.began is not None:
            assert change.began not in self.attempts
            self.attempts[change.began] = True
        if change.ended is not None:
            self.attempts[change.ended.attempt_id] = False
        self.state = after

    # Time

    @rule(seconds=WAITS)
    def time_passes(self, seconds: float) -> None:
        self.boot += seconds
        for hand in [*self.hands, *self.lost_calls]:
            if (
                hand.called_at is not None
                and self.boot - hand.called_at > POLICY.call_timeout.total_seconds()
            ):
                hand.answered = True

    @rule(seconds=st.sampled_from([1, 30]))
    def the_wall_clock_is_set_back(self, seconds: int) -> None:
        self.behind += timedelta(seconds=seconds)

    @precondition(lambda self: self.state.due_at is not None)
    @rule()
    def until_it_is_due(self) -> None:
        assert self.state.due_at is not None
        self.time_passes(max((self.state.due_at - self.now).total_seconds(), 0.001))

    # Workers

    @rule()
    def a_worker_claims(self) -> None:
        attempt = f"attempt-{next(self.ids)}"
        change = steps.claim(self.state, now=self.now, policy=POLICY, attempt_id=attempt)
        self.become(change)
        if change.step is not Step.NOTHING:
            self.hands.append(Hand(change.step, change.state.open_attempt or "", self.boot))

    @precondition(lambda self: self.state.due_at is not None)
    @rule(seconds=st.sampled_from([0.1, 1, 30, 1_800]))
    def the_provider_does_not_answer_so_what_is_due_waits(self, seconds: float) -> None:
        """What a claim would take is put off in its place, by the state that the claim would have found."""
        claimed = steps.claim(self.state, now=self.now, policy=POLICY, attempt_id="not begun")
        if claimed.step is Step.NOTHING:
            return
        before = self.state
        until = self.now + timedelta(seconds=seconds)
        change = steps.await_provider(before, until=until, now=self.now, policy=POLICY, reason=AWAY)
        self.become(change)
        assert self.state.attempts == before.attempts
        if self.state.status is not Status.DEAD:
            assert (self.state.due_at, self.state.lease_until) == (until, None)
            assert self.state.open_attempt == before.open_attempt
            assert (self.state.looks, self.state.polls) == (before.looks, before.polls)

    @rule()
    def the_provider_is_back(self) -> None:
        self.become(steps.resume(self.state, now=self.now, reason=AWAY))

    @precondition(lambda self: self.hands)
    @rule(data=st.data())
    def a_worker_dies(self, data: st.DataObject) -> None:
        hand = data.draw(st.sampled_from(self.hands))
        self.hands.remove(hand)
        self.lost_calls.append(hand)

    @precondition(lambda self: self.uncalled)
    @rule(data=st.data())
    def a_worker_calls(self, data: st.DataObject) -> None:
        hand = data.draw(st.sampled_from(self.uncalled))
        since_claim = timedelta(seconds=self.boot - hand.claimed_at)
        if steps.may_still_call(POLICY, since_claim=since_claim):
            hand.called_at = self.boot
        else:
            self.hands.remove(hand)
            self.become(steps.hand_back(self.state, attempt_id=hand.attempt, now=self.now))

    @property
    def uncalled(self) -> list[Hand]:
        return [hand for hand in self.hands if hand.step is Step.SEND and hand.called_at is None]

    @property
    def on_the_way(self) -> list[Hand]:
        """Calls that the provider may still take: their worker may be dead by now."""
        return [
            hand
            for hand in [*self.hands, *self.lost_calls]
            if hand.called_at is not None and not hand.answered and hand.took is None
        ]

    @precondition(lambda self: self.on_the_way)
    @rule(data=st.data())
    def the_provider_takes_it(self, data: st.DataObject) -> None:
        hand = data.draw(st.sampled_from(self.on_the_way))
        hand.took = self.provider.take()

    @precondition(lambda self: self.called)
    @rule(data=st.data(), chance=CHANCES)
    def a_worker_records_what_it_was_told(self, data: st.DataObject, chance: float) -> None:
        hand = data.draw(st.sampled_from(self.called))
        self.hands.remove(hand)
        outcome = data.draw(st.sampled_from(self._possible_outcomes(hand)))
        if isinstance(outcome, Uncertain):
            self.lost_calls.append(hand)
        self.become(
            steps.record_outcome(
                self.state,
                outcome,
                attempt_id=hand.attempt,
                now=self.now,
                policy=POLICY,
                chance=chance,
                simulated=data.draw(st.booleans()) if isinstance(outcome, Accepted) else False,
                probe_at=self.now + timedelta(seconds=0.5) if chance > 0.5 else None,
            )
        )

    @property
    def called(self) -> list[Hand]:
        return [hand for hand in self.hands if hand.called_at is not None]

    def _possible_outcomes(self, hand: Hand) -> list[Outcome]:
        if hand.took is not None:
            return [Accepted(hand.took), Uncertain("cut")]
        return [
            TryAgain("down"),
            TryAgain("limited", 429, limit=Limit.MINUTE),
            Rejected("no", 400),
            Uncertain("cut"),
        ]

    @precondition(lambda self: self.state.due_at is not None)
    @rule(dies=st.booleans(), chance=CHANCES)
    def a_worker_does_what_is_due_without_an_answer(self, dies: bool, chance: float) -> None:
        """The quickest way into trouble: what was sent is still on its way when everybody looks for it."""
        self.until_it_is_due()
        before = len(self.hands)
        self.a_worker_claims()
        for hand in self.hands[before:]:
            self.hands.remove(hand)
            self.lost_calls.append(hand)
            if hand.step is Step.SEND:
                hand.called_at = self.boot
            if not dies:
                self._record_without_an_answer(hand, chance)

    def _record_without_an_answer(self, hand: Hand, chance: float) -> None:
        if hand.step is Step.SEND:
            self.become(
                steps.record_outcome(
                    self.state,
                    Uncertain("cut"),
                    attempt_id=hand.attempt,
                    now=self.now,
                    policy=POLICY,
                    chance=chance,
                    simulated=False,
                )
            )
        elif hand.step is Step.LOOK:
            self._look(hand)
        else:
            self._unanswered(hand, chance)

    # Questions

    @precondition(lambda self: self.asking(Step.LOOK))
    @rule(data=st.data(), chance=CHANCES, answers=st.booleans())
    def a_worker_looks(self, data: st.DataObject, chance: float, answers: bool) -> None:
        hand = data.draw(st.sampled_from(self.asking(Step.LOOK)))
        self.hands.remove(hand)
        if not answers:
            self._unanswered(hand, chance)
            return
        self._look(hand)

    def _look(self, hand: Hand) -> None:
        found = self.provider.newest()
        self.become(
            steps.record_look(self.state, found, attempt_id=hand.attempt, now=self.now, policy=POLICY)
        )

    @precondition(lambda self: self.asking(Step.POLL))
    @rule(data=st.data(), chance=CHANCES, answers=st.booleans())
    def a_worker_polls(self, data: st.DataObject, chance: float, answers: bool) -> None:
        hand = data.draw(st.sampled_from(self.asking(Step.POLL)))
        self.hands.remove(hand)
        if not answers:
            self._unanswered(hand, chance)
            return
        found = self.provider.statuses.get(self.state.notify_id or "")
        status = data.draw(st.sampled_from([found, None]))
        self.become(steps.record_poll(self.state, status, now=self.now, policy=POLICY))

    def asking(self, step: Step) -> list[Hand]:
        return [hand for hand in self.hands if hand.step is step]

    def _unanswered(self, hand: Hand, chance: float) -> None:
        self.become(
            steps.record_unanswered(
                self.state,
                attempt_id=hand.attempt or None,
                now=self.now,
                policy=POLICY,
                chance=chance,
                probe_at=self.now + timedelta(seconds=0.5) if chance > 0.5 else None,
            )
        )

    # What comes from outside

    @precondition(lambda self: self.provider.statuses)
    @rule(data=st.data(), status=st.sampled_from([Status.SENDING, *ENDS]))
    def a_receipt_comes(self, data: st.DataObject, status: Status) -> None:
        """In any order, doubled, late, and not even consistent with one another."""
        notify_id = data.draw(st.sampled_from(list(self.provider.statuses)))
        self.provider.statuses[notify_id] = status
        self.become(
            steps.record_receipt(
                self.state, status, notify_id=notify_id, now=self.now, policy=POLICY, completed_at=None
            )
        )

    @rule(status=st.sampled_from([Status.SENDING, *ENDS]))
    def a_receipt_comes_for_another_message(self, status: Status) -> None:
        if self.state.notify_id is None:
            return
        before = self.state
        self.become(
            steps.record_receipt(
                self.state, status, notify_id="another", now=self.now, policy=POLICY, completed_at=None
            )
        )
        assert self.state == before

    @precondition(lambda self: self.state.attempts > 0)
    @rule()
    def the_service_removes_it(self) -> None:
        change = steps.cancel(self.state, now=self.now)
        if change is not None:
            assert self.provider.statuses == {}
        self.become(change)

    @precondition(lambda self: self.state.attempts > 1 and len(self.called) < len(self.hands))
    @rule(data=st.data())
    def a_worker_has_lost_the_key(self, data: st.DataObject) -> None:
        hand = data.draw(st.sampled_from([hand for hand in self.hands if hand.called_at is None]))
        self.hands.remove(hand)
        self.become(
            steps.give_up(
                self.state,
                step=hand.step,
                attempt_id=hand.attempt or None,
                now=self.now,
                reason="the key is gone",
            )
        )

    @precondition(lambda self: self.state.status is Status.DEAD)
    @rule(although_unsure=st.booleans())
    def somebody_replays_it(self, although_unsure: bool) -> None:
        last = list(self.attempts)[-1] if self.attempts else None
        change = steps.replay(self.state, now=self.now, last_attempt=last, although_unsure=although_unsure)
        if change is None:
            assert not although_unsure or last is None
            return
        assert where(change.state) != where(self.state)
        self.state = change.state
        if self.state.open_attempt is not None:
            self.attempts[self.state.open_attempt] = True

    # What always holds

    @invariant()
    def it_was_taken_once_at_most_and_nothing_can_take_it_again(self) -> None:
        assert len(self.provider.statuses) + len(self.on_the_way) <= 1

    @invariant()
    def one_attempt_is_open_at_most(self) -> None:
        open_ones = [attempt for attempt, is_open in self.attempts.items() if is_open]
        assert open_ones == ([] if self.state.open_attempt is None else [self.state.open_attempt])

    @invariant()
    def what_has_not_ended_is_due_some_time(self) -> None:
        assert is_final(self.state.status) is (self.state.due_at is None)

    @invariant()
    def what_has_ended_is_held_by_nobody_and_says_when(self) -> None:
        if is_final(self.state.status):
            assert (self.state.lease_until, self.state.open_attempt) == (None, None)
            assert self.state.completed_at is not None

    @invariant()
    def what_is_underway_has_the_providers_id(self) -> None:
        if self.state.status is Status.SENDING:
            assert self.state.notify_id in self.provider.statuses
            assert self.state.sent_at is not None

    @invariant()
    def attempts_are_counted(self) -> None:
        assert self.state.attempts == len(self.attempts)

    def teardown(self) -> None:
        """Whatever happened: once the provider and a worker are there again, it comes to an end."""
        for _ in range(20):
            if self.state.due_at is None:
                return
            self.until_it_is_due()
            change = steps.claim(
                self.state, now=self.now, policy=POLICY, attempt_id=f"attempt-{next(self.ids)}"
            )
            self.become(change)
            self._do_truly(change)
            self.it_was_taken_once_at_most_and_nothing_can_take_it_again()
        raise AssertionError("it does not come to an end")

    def _do_truly(self, change: Change) -> None:
        attempt = change.state.open_attempt or ""
        if change.step is Step.SEND:
            outcome = Accepted(self.provider.take())
            self.become(
                steps.record_outcome(
                    self.state,
                    outcome,
                    attempt_id=attempt,
                    now=self.now,
                    policy=POLICY,
                    chance=0.5,
                    simulated=False,
                )
            )
        elif change.step is Step.LOOK:
            self._look(Hand(Step.LOOK, attempt, self.boot))
        elif change.step is Step.POLL:
            self.become(steps.record_poll(self.state, Status.DELIVERED, now=self.now, policy=POLICY))


TestDelivery = DeliveryMachine.TestCase
TestDelivery.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)
