"""The life of one delivery, as pure steps from state to state.

Every change of a delivery is one of these functions, applied to the row as it is while it is locked:
who comes late, twice or in another order finds a state that has moved on, and changes nothing.
"""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from postroom.domain.channel import Channel
from postroom.domain.lane import Lane
from postroom.domain.outcome import Accepted, Outcome, OutcomeName, Rejected, TryAgain, name_of
from postroom.domain.retry import RetryPolicy, wait_before_poll, wait_before_try
from postroom.domain.status import PLAIN_REASON, UNDERWAY, WAITING, Status, is_final, may_become

MAY_HAVE_BEEN_SENT = "needs a decision: it may have been sent"
"""Why a delivery is dead of which nobody could find out whether the provider took it."""
MOVING = ("status", "due_at", "lease_until")  # every change of a state changes one of these
_MARGIN = timedelta(seconds=2)
"""Between the claim and the call: a process that was stopped in between for longer does not call."""


class State(msgspec.Struct, frozen=True):
    """What changes in a delivery. `due_at` is when the next step is due, None once it has ended."""

    id: str
    notification_id: str
    service_id: str
    credential_id: str
    channel: Channel
    template_id: str
    status: Status
    created_at: datetime
    due_at: datetime | None
    lease_until: datetime | None = None
    notify_id: str | None = None
    attempts: int = 0
    open_attempt: str | None = None
    open_attempt_at: datetime | None = None
    looks: int = 0
    polls: int = 0
    sent_at: datetime | None = None
    completed_at: datetime | None = None
    reason: str | None = None
    lane: Lane = Lane.SINGLE
    replayed_at: datetime | None = None
    used_version: int | None = None

    @property
    def tried_since(self) -> datetime:
        """From when on its tries are counted: its acceptance, or somebody's decision to try again."""
        return self.replayed_at or self.created_at


class Step(StrEnum):
    """What the holder of a claim has to do."""

    SEND = "send"
    LOOK = "look"
    POLL = "poll"
    NOTHING = "nothing"
    WAIT = "wait"
    """It was put off: nobody holds it, and a job for its new moment is queued."""


class AttemptEnd(msgspec.Struct, frozen=True):
    """How an attempt ended. `status_code` is the provider's, where it answered."""

    attempt_id: str
    outcome: OutcomeName
    at: datetime
    status_code: int | None = None
    reason: str | None = None


class Change(msgspec.Struct, frozen=True):
    """A delivery's next state, with the attempt that began or ended by it."""

    state: State
    step: Step = Step.NOTHING
    began: str | None = None
    ended: AttemptEnd | None = None


def claim(state: State, *, now: datetime, policy: RetryPolicy, attempt_id: str) -> Change:
    """Take the step that is due; Step.NOTHING where none is, or another holds the delivery."""
    if is_final(state.status) or state.due_at is None or state.due_at > now:
        return Change(state)
    if state.lease_until is not None and state.lease_until > now:
        return Change(state)
    lease_until = now + policy.lease
    taken = replace(state, lease_until=lease_until, due_at=lease_until)
    if state.status in UNDERWAY:
        return Change(taken, Step.POLL)
    if state.open_attempt is not None:
        return Change(taken, Step.LOOK)
    sending = replace(
        taken, attempts=state.attempts + 1, open_attempt=attempt_id, open_attempt_at=now, looks=0
    )
    return Change(sending, Step.SEND, began=attempt_id)


def put_off(state: State, *, until: datetime, reason: str) -> Change:
    """It waits for a limit or for the provider's return: due again then, with no try counted."""
    return Change(replace(state, due_at=until, lease_until=None, reason=reason), Step.WAIT)


def await_provider(
    state: State, *, until: datetime, now: datetime, policy: RetryPolicy, reason: str
) -> Change:
    """Whom it would call does not answer: the step waits, uncounted, and an open attempt stays open.

    Tries and looks end at the same ages as if the provider had been called in vain.
    """
    if state.status in UNDERWAY:
        return Change(replace(state, due_at=until, lease_until=None), Step.WAIT)
    if state.open_attempt is not None:
        return _past_asking(state, now, policy) or put_off(state, until=until, reason=reason)
    if now - state.tried_since > policy.give_up_after:
        return Change(_end(state, Status.DEAD, now, f"given up: {reason.removeprefix('waits: ')}"))
    return put_off(state, until=until, reason=reason)


def resume(state: State, *, now: datetime, reason: str) -> Change | None:
    """The provider answers again: what waited for it, as the reason says, is due; None where it does not."""
    waits = state.status in WAITING and state.reason == reason and state.lease_until is None
    if not waits or state.due_at is None or state.due_at <= now:
        return None
    return Change(replace(state, due_at=now))


def suppress(state: State, *, now: datetime, reason: str) -> Change:
    """End what is not to be sent, by a rule that the reason names."""
    return Change(_end(state, Status.SUPPRESSED, now, reason))


def may_still_call(policy: RetryPolicy, *, since_claim: timedelta) -> bool:
    """Whether a call that starts now is sure to end while the claim holds."""
    return since_claim < policy.lease - policy.call_timeout - _MARGIN


def call_lapses(policy: RetryPolicy, *, claimed_at: datetime) -> datetime:
    """From when on the provider must refuse the call. Only later is it asked whether it took it.

    However long a process was stopped right before it wrote, or somebody in between held the call back:
    it is not taken once another may have sent it again.
    """
    return claimed_at + min(policy.lease, policy.quiet)


def record_outcome(
    state: State,
    outcome: Outcome,
    *,
    attempt_id: str,
    now: datetime,
    policy: RetryPolicy,
    chance: float,
    simulated: bool,
    probe_at: datetime | None = None,
) -> Change:
    """What the provider said to the attempt. Where a receipt was faster, only the attempt is closed.

    `probe_at` is when a provider that does not answer is tried next, by whatever waits then.
    """
    ended = AttemptEnd(
        attempt_id=attempt_id,
        outcome=name_of(outcome),
        at=now,
        status_code=201 if isinstance(outcome, Accepted) else outcome.status_code,
        reason=None if isinstance(outcome, Accepted) else outcome.reason,
    )
    if state.open_attempt != attempt_id:
        return Change(state, ended=ended)
    match outcome:
        case Accepted(notify_id=notify_id, template_version=version):
            state = replace(state, used_version=version)
            return Change(_accepted(state, notify_id, now, policy, simulated=simulated), ended=ended)
        case Rejected(reason=reason):
            return Change(_end(state, Status.PERMANENT_FAILURE, now, reason), ended=ended)
        case TryAgain():
            return Change(_try_again(state, outcome, now, policy, chance, probe_at), ended=ended)
        case _:
            # The attempt stays open: it is asked about once the provider cannot be still taking it.
            look_at = now + policy.quiet
            return Change(replace(state, lease_until=None, due_at=look_at, reason=outcome.reason))


def hand_back(state: State, *, attempt_id: str, now: datetime) -> Change:
    """The claim was too old to call: nothing was sent, and nothing more is done by this holder."""
    if state.open_attempt != attempt_id:
        return Change(state)
    ended = AttemptEnd(attempt_id, OutcomeName.NOT_TAKEN, now, reason="the claim was too old to call")
    return Change(_closed(state, due_at=now), ended=ended)


def record_look(
    state: State, found: tuple[str, Status] | None, *, attempt_id: str, now: datetime, policy: RetryPolicy
) -> Change:
    """What the provider knows under our reference: its id and status, or nothing.

    Only the second look that finds nothing lets the delivery be sent again, and only within a day:
    after that somebody has to decide.
    """
    if state.open_attempt != attempt_id or state.open_attempt_at is None:
        return Change(state)
    if found is not None:
        notify_id, status = found
        ended = AttemptEnd(attempt_id, OutcomeName.ACCEPTED, now, reason="found by its reference")
        sent = _accepted(state, notify_id, now, policy, simulated=False)
        return Change(_settled(sent, status, now, now), ended=ended)
    if state.looks + 1 < 2:
        later = replace(state, looks=state.looks + 1, lease_until=None, due_at=now + policy.second_look)
        return Change(later)
    ended = AttemptEnd(attempt_id, OutcomeName.NOT_TAKEN, now, reason="the provider does not know it")
    if now - state.open_attempt_at > policy.resend_within:
        return Change(_end(state, Status.DEAD, now, MAY_HAVE_BEEN_SENT), ended=ended)
    if now - state.tried_since > policy.give_up_after:
        return Change(_end(state, Status.DEAD, now, "given up: the provider does not know it"), ended=ended)
    return Change(_closed(state, due_at=now), ended=ended)


def record_unanswered(
    state: State,
    *,
    attempt_id: str | None,
    now: datetime,
    policy: RetryPolicy,
    chance: float,
    probe_at: datetime | None = None,
) -> Change:
    """A look or a poll had no answer: ask again later, while there can be one.

    `attempt_id` is the attempt that was open when it was asked. Where another is by now, the asker comes
    too late: it must not take the delivery out of the hands of whoever sends it. `probe_at` is as for
    `record_outcome`.
    """
    if is_final(state.status) or state.open_attempt != attempt_id:
        return Change(state)
    if (too_late := _past_asking(state, now, policy)) is not None:
        return too_late
    if state.status in UNDERWAY:
        return record_poll(state, Status.SENDING, now=now, policy=policy)
    wait = wait_before_try(policy, tries=state.polls + 1, limited=False, chance=chance)
    due_at = min(now + wait, probe_at or now + wait)
    return Change(replace(state, lease_until=None, due_at=due_at, polls=state.polls + 1))


def record_poll(
    state: State,
    status: Status | None,
    *,
    now: datetime,
    policy: RetryPolicy,
    completed_at: datetime | None = None,
) -> Change:
    """What the provider says of a silent delivery; None where it does not know it (any longer)."""
    if is_final(state.status):
        return Change(state)
    if status is None and state.sent_at is not None and now - state.sent_at > policy.provider_keeps:
        return Change(_end(state, Status.TECHNICAL_FAILURE, now, "the provider no longer knows it"))
    if status is not None and status not in UNDERWAY:
        return Change(_settled(state, status, now, completed_at or now))
    wait = wait_before_poll(policy, letter=state.channel is Channel.LETTER, polls=state.polls)
    return Change(replace(state, lease_until=None, due_at=now + wait, polls=state.polls + 1))


def record_receipt(
    state: State,
    status: Status,
    *,
    notify_id: str,
    now: datetime,
    policy: RetryPolicy,
    completed_at: datetime | None,
) -> Change | None:
    """What a receipt says; None where it says nothing new, or speaks of another message.

    It may arrive before the answer to the send: then it is the answer. Nor is anything sent again of
    which a receipt tells, even where the provider did not know it when it was asked.
    """
    if state.notify_id is not None and state.notify_id != notify_id:
        return None
    if state.status in WAITING and state.attempts == 0:
        return None
    if state.status not in WAITING and (status is state.status or not may_become(state.status, status)):
        return None
    ended = None
    if state.open_attempt is not None:
        ended = AttemptEnd(state.open_attempt, OutcomeName.ACCEPTED, now, reason="known by its receipt")
    if state.status in WAITING:
        state = _accepted(state, notify_id, now, policy, simulated=False)
    return Change(_settled(state, status, now, completed_at or now), ended=ended)


def cancel(state: State, *, now: datetime) -> Change | None:
    """Take back what nobody has begun to send; None where it cannot be taken back any more."""
    if state.status not in WAITING or state.open_attempt is not None:
        return None
    return Change(_end(state, Status.CANCELLED, now, "the notification was removed"))


def expire(state: State, *, now: datetime) -> Change | None:
    """End what nobody has begun to send once its notification is of no use any more; None otherwise."""
    if state.status not in WAITING or state.open_attempt is not None:
        return None
    return Change(_end(state, Status.EXPIRED, now, "the notification expired"))


def give_up(state: State, *, step: Step, attempt_id: str | None, now: datetime, reason: str) -> Change:
    """End a delivery whose `step` can never be done. What may be with the provider needs a decision."""
    if is_final(state.status) or state.open_attempt != attempt_id:
        return Change(state)
    if step is Step.SEND:
        outcome, end = OutcomeName.NOT_TAKEN, _end(state, Status.TECHNICAL_FAILURE, now, reason)
    else:
        outcome, end = OutcomeName.UNCERTAIN, _end(state, Status.DEAD, now, MAY_HAVE_BEEN_SENT)
    ended = None if attempt_id is None else AttemptEnd(attempt_id, outcome, now, reason=reason)
    return Change(end, ended=ended)


def replay(state: State, *, now: datetime, last_attempt: str | None, although_unsure: bool) -> Change | None:
    """Take up again what ended `dead`; None where it did not, or where that is not to be risked.

    What the provider has is followed again. What it may have is taken up only `although_unsure`: it is asked
    for first, with the `last_attempt` open again, and sent only where it is not known.
    """
    if state.status is not Status.DEAD:
        return None
    again = replace(
        state, status=Status.PENDING, due_at=now, completed_at=None, reason=None, polls=0, replayed_at=now
    )
    if state.notify_id is not None:
        return Change(replace(again, status=Status.SENDING))
    if state.reason != MAY_HAVE_BEEN_SENT:
        return Change(again)
    if not although_unsure or last_attempt is None:
        return None
    return Change(replace(again, open_attempt=last_attempt, open_attempt_at=now))


def _past_asking(state: State, now: datetime, policy: RetryPolicy) -> Change | None:
    """The end of what could not be asked about in time; None before that."""
    # Twice as long as the provider keeps a message, nobody can be answered about it any more.
    if state.sent_at is not None and now - state.sent_at > 2 * policy.provider_keeps:
        return Change(_end(state, Status.TECHNICAL_FAILURE, now, "the provider could not be asked in time"))
    if state.open_attempt_at is None or now - state.open_attempt_at <= policy.resend_within:
        return None
    reason = "the provider cannot be asked"
    ended = AttemptEnd(state.open_attempt or "", OutcomeName.UNCERTAIN, now, reason=reason)
    return Change(_end(state, Status.DEAD, now, MAY_HAVE_BEEN_SENT), ended=ended)


def _accepted(state: State, notify_id: str, now: datetime, policy: RetryPolicy, *, simulated: bool) -> State:
    wait = wait_before_poll(policy, letter=state.channel is Channel.LETTER, polls=0)
    closed = _closed(state, due_at=now + wait)
    taken = replace(closed, status=Status.SENDING, notify_id=notify_id, sent_at=now, reason=None, polls=0)
    return _end(taken, Status.DELIVERED, now, "simulated") if simulated else taken


def _settled(state: State, status: Status, now: datetime, completed_at: datetime) -> State:
    if status in UNDERWAY or not may_become(state.status, status):
        return state
    return _end(state, status, completed_at, PLAIN_REASON.get(status))


def _try_again(
    state: State,
    outcome: TryAgain,
    now: datetime,
    policy: RetryPolicy,
    chance: float,
    probe_at: datetime | None,
) -> State:
    if now - state.tried_since > policy.give_up_after:
        return _end(state, Status.DEAD, now, f"given up: {outcome.reason}")
    wait = wait_before_try(policy, tries=state.attempts, limited=outcome.limit is not None, chance=chance)
    due_at = min(now + wait, probe_at or now + wait)
    return replace(_closed(state, due_at=due_at), reason=outcome.reason)


def _closed(state: State, *, due_at: datetime) -> State:
    return replace(state, open_attempt=None, open_attempt_at=None, looks=0, lease_until=None, due_at=due_at)


def _end(state: State, status: Status, at: datetime, reason: str | None) -> State:
    return replace(
        state,
        status=status,
        completed_at=at,
        reason=reason,
        due_at=None,
        lease_until=None,
        open_attempt=None,
        open_attempt_at=None,
        looks=0,
    )
