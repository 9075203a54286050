"""A circuit keeps a provider that is down from being hammered, and lets the call through that finds it."""

from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from postroom.domain import circuit as rules
from postroom.domain.circuit import CLOSED, Circuit, CircuitPolicy, Position

POLICY = CircuitPolicy()
NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)
CHANCES = st.floats(min_value=0, max_value=1, exclude_max=True)
CALLERS = st.sampled_from(["amala", "joe", "kim", "lee"])


def ask(circuit: Circuit, caller: str, *, now: datetime, patient: bool = False) -> tuple[Circuit, bool]:
    after = rules.ask(circuit, caller=caller, patient=patient, now=now, policy=POLICY)
    return after, rules.lets_through(after, caller)


def fail(circuit: Circuit, caller: str, *, now: datetime, times: int = 1) -> Circuit:
    for _ in range(times):
        circuit = rules.failed(circuit, caller=caller, now=now, policy=POLICY, chance=0.999)
    return circuit


def opened() -> Circuit:
    return fail(CLOSED, "joe", now=NOW, times=POLICY.opens_after)


def test_it_opens_after_failures_in_a_row() -> None:
    almost = fail(CLOSED, "joe", now=NOW, times=POLICY.opens_after - 1)

    assert almost.position is Position.CLOSED
    assert fail(almost, "joe", now=NOW).position is Position.OPEN


def test_calls_that_were_in_hand_when_it_opened_change_nothing() -> None:
    assert fail(opened(), "kim", now=NOW, times=100) == opened()


def test_the_waits_double_to_a_cap() -> None:
    circuit, now, waits = opened(), NOW, []
    for _ in range(7):
        waits.append(circuit.wait / SECOND)
        now += circuit.wait
        circuit, goes = ask(circuit, "amala", now=now)
        assert goes
        circuit = fail(circuit, "amala", now=now)

    assert waits == [1, 2, 4, 8, 16, 30, 30]


def test_a_patient_caller_leaves_the_probe_to_others() -> None:
    assert not ask(opened(), "amala", now=NOW + SECOND, patient=True)[1]
    assert ask(opened(), "amala", now=NOW + 1.3 * SECOND, patient=True)[1]


def test_a_probe_that_does_not_call_lets_the_next_one_go() -> None:
    circuit, _ = ask(opened(), "amala", now=NOW + SECOND)
    circuit = rules.let_go(circuit, caller="amala", now=NOW + SECOND)

    assert circuit.position is Position.OPEN
    assert ask(circuit, "joe", now=NOW + SECOND)[1]


def test_only_the_probe_can_let_go() -> None:
    circuit, _ = ask(opened(), "amala", now=NOW + SECOND)

    assert rules.let_go(circuit, caller="joe", now=NOW) == circuit


def test_a_clock_that_was_set_back_keeps_it_open_no_longer() -> None:
    assert ask(opened(), "amala", now=NOW - timedelta(hours=1))[1]


class CircuitMachine(RuleBasedStateMachine):
    """Callers ask, call and are answered or not, in any order, while time passes and clocks are set back."""

    def __init__(self) -> None:
        super().__init__()
        self.circuit = CLOSED
        self.now = NOW
        self.passed = timedelta(0)
        self.calling: list[str] = []
        self.failures_in_a_row = 0
        self.let_through_while_not_closed: list[timedelta] = []

    @rule(seconds=st.sampled_from([0.1, 0.5, 1, 5, 10, 20, 40]))
    def time_passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.passed += timedelta(seconds=seconds)

    @rule(caller=CALLERS, patient=st.booleans())
    def somebody_asks(self, caller: str, patient: bool) -> None:
        """A caller asks again while it calls only where its first call is known to have ended."""
        if caller in self.calling:
            return
        was = self.circuit
        self.circuit, goes = ask(self.circuit, caller, now=self.now, patient=patient)
        again, goes_again = ask(self.circuit, caller, now=self.now, patient=patient)
        assert (again, goes_again) == (self.circuit, goes)
        if goes:
            self.calling.append(caller)
            if was.position is not Position.CLOSED and was.probe != caller:
                self.let_through_while_not_closed.append(self.passed)
        else:
            assert self.circuit == was

    @precondition(lambda self: self.calling)
    @rule(data=st.data(), chance=CHANCES)
    def a_call_fails(self, data: st.DataObject, chance: float) -> None:
        caller = data.draw(st.sampled_from(self.calling))
        self.calling.remove(caller)
        was_closed = self.circuit.position is Position.CLOSED
        self.circuit = rules.failed(self.circuit, caller=caller, now=self.now, policy=POLICY, chance=chance)
        if was_closed:
            self.failures_in_a_row += 1
            is_closed = self.circuit.position is Position.CLOSED
            assert is_closed is (self.failures_in_a_row < POLICY.opens_after)

    @precondition(lambda self: self.calling)
    @rule(data=st.data())
    def a_call_is_answered(self, data: st.DataObject) -> None:
        self.calling.remove(data.draw(st.sampled_from(self.calling)))
        self.circuit = rules.answered()
        self.failures_in_a_row = 0
        self.let_through_while_not_closed.clear()

    @precondition(lambda self: self.calling)
    @rule(data=st.data())
    def a_caller_dies(self, data: st.DataObject) -> None:
        self.calling.remove(data.draw(st.sampled_from(self.calling)))

    @precondition(lambda self: self.calling)
    @rule(data=st.data())
    def a_caller_does_not_call_after_all(self, data: st.DataObject) -> None:
        caller = data.draw(st.sampled_from(self.calling))
        self.calling.remove(caller)
        self.circuit = rules.let_go(self.circuit, caller=caller, now=self.now)
        # It did not call: it does not count.
        self.let_through_while_not_closed.clear()

    @invariant()
    def probes_do_not_follow_one_another_at_once(self) -> None:
        gaps = [
            later - earlier
            for earlier, later in zip(
                self.let_through_while_not_closed, self.let_through_while_not_closed[1:], strict=False
            )
        ]
        assert all(gap >= POLICY.first_wait / 2 for gap in gaps)

    @invariant()
    def it_never_waits_longer_than_it_may(self) -> None:
        if self.circuit.until is not None:
            assert self.circuit.until - self.now <= max(POLICY.longest_wait, POLICY.probe_lasts)

    @invariant()
    def what_is_told_to_come_again_is_told_a_time_ahead(self) -> None:
        at = rules.next_probe(self.circuit, now=self.now, patient=False, policy=POLICY)
        assert at <= self.now + max(POLICY.longest_wait, POLICY.probe_lasts)
        if self.circuit.position is Position.HALF_OPEN:
            assert at > self.now

    def teardown(self) -> None:
        """Whatever happened: once the provider answers, whoever comes after the longest wait gets through."""
        self.now += 2 * max(POLICY.longest_wait, POLICY.probe_lasts)
        self.circuit, goes = ask(self.circuit, "nobody before", now=self.now, patient=True)
        assert goes
        assert rules.answered().position is Position.CLOSED


TestCircuit = CircuitMachine.TestCase
TestCircuit.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
