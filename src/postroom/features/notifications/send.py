"""The step of a delivery that is due: send it, ask whether it was taken, or ask what became of it.

Each step is a short transaction to claim, the provider's answer outside any transaction, and a short
transaction to record. The claim on the delivery's own row decides who does the step; a job that is
handed out twice finds nothing to do.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from postroom.channels.carriers import CARRIERS
from postroom.channels.contract import Parcel
from postroom.channels.govuk_notify import (
    NotifyClient,
    NotifyClients,
    NotifyLimited,
    NotifyRefusedKey,
    NotifyUnavailable,
    status_of,
)
from postroom.domain import delivery as steps
from postroom.domain.channel import Channel
from postroom.domain.delivery import State, Step
from postroom.domain.outcome import Accepted, Limit, Outcome, TryAgain, speaks_of_presence
from postroom.domain.retry import RetryPolicy
from postroom.domain.status import Status
from postroom.features.notifications.changes import Apply, Changes, Done, Request
from postroom.features.notifications.circuits import Call, Circuits, Way
from postroom.features.notifications.follow_on import FollowOnLinks
from postroom.features.notifications.seal import open_personal
from postroom.features.notifications.settle import moment
from postroom.features.services import Credentials, Directory
from postroom.kit.clock import Clock
from postroom.kit.crypto import CannotOpen, Vault
from postroom.kit.ids import new_id
from postroom.kit.log import correlated, get_logger, write_attempt

log = get_logger(__name__)

Answer = TypeVar("Answer")

_NEAR = timedelta(seconds=1)
_CANNOT_OPEN = "what is kept of it cannot be opened: POSTROOM_SECRET is not the one that sealed it"
_REFUSED = (NotifyLimited, NotifyRefusedKey)


@dataclass(frozen=True, slots=True)
class _Unanswered:
    """`probe_at` is when the provider is tried next, where it is known not to answer anybody."""

    probe_at: datetime | None


class Sender:
    """Does the step that is due for a delivery."""

    def __init__(
        self,
        *,
        claims: Changes,
        changes: Changes,
        credentials: Credentials,
        directory: Directory,
        clients: NotifyClients,
        vault: Vault,
        limit_reached: Callable[[State, Limit], Awaitable[None]],
        circuits: Circuits,
        clock: Clock,
        policy: RetryPolicy,
        links: FollowOnLinks,
    ) -> None:
        self._links = links
        self._limit_reached = limit_reached
        self._claims = claims
        self._circuits = circuits
        self._changes = changes
        self._credentials = credentials
        self._directory = directory
        self._clients = clients
        self._vault = vault
        self._clock = clock
        self._policy = policy

    async def step(self, delivery_id: str) -> None:
        """Claim the step and do it.

        Where the database goes away, that is raised. What was not claimed is not begun; what came of a
        call and could not be recorded is asked about once the lease has lapsed.
        """
        claimed_at = _boot_seconds()
        done = await self._claim(delivery_id)
        early_by = self._early_by(done)
        if early_by is not None:
            await asyncio.sleep(early_by)
            claimed_at = _boot_seconds()
            done = await self._claim(delivery_id)
        if done.change is None or done.change.step in (Step.NOTHING, Step.WAIT):
            return
        with correlated(done.correlation_id):
            try:
                await self._do(done.change.step, done.change.state, done.personal, claimed_at)
            except CannotOpen as error:
                await self._put_off(done.change.step, done.change.state, error)

    async def _do(self, step: Step, state: State, sealed: bytes | None, claimed_at: float) -> None:
        client = await self._client(state)
        if client is None:
            await self._give_up(state, step)
        elif step is Step.SEND:
            await self._send(client, state, sealed, claimed_at)
        elif step is Step.LOOK:
            await self._look(client, state)
        else:
            await self._poll(client, state)

    async def _put_off(self, step: Step, state: State, error: CannotOpen) -> None:
        """Its key or its personal data cannot be opened, so nobody was called.

        Most likely it is this worker that has another secret than the rest: it is tried again for as long
        as what the provider refuses for now, and ends only then.
        """
        log.error("delivery cannot be opened", delivery=state.id, step=step, reason=str(error))
        self._circuits.let_go(delivery_id=state.id, now=self._clock())
        if step is Step.SEND:
            outcome = TryAgain(reason=_CANNOT_OPEN)
            await self._record_outcome(state, outcome, attempt_id=state.open_attempt or "", simulated=False)
        else:
            await self._record_unanswered(state, _Unanswered(None))

    async def _give_up(self, state: State, step: Step) -> None:
        reason = "the key that it was to be sent with is kept no longer"
        attempt_id = state.open_attempt
        await self._record(
            state,
            partial(steps.give_up, step=step, attempt_id=attempt_id, now=self._clock(), reason=reason),
        )

    async def _claim(self, delivery_id: str) -> Done:
        apply = partial(steps.claim, now=self._clock(), policy=self._policy, attempt_id=new_id())
        return await self._claims.submit(Request(delivery_id, apply, claims=True))

    def _early_by(self, done: Done) -> float | None:
        """How many seconds a job came before its time; None where it did not, or is not near it.

        The queue reckons by the database's clock, from the beginning of the transaction that put the job:
        some milliseconds before what we call the same moment.
        """
        if done.change is None or done.change.step is not Step.NOTHING or done.change.state.due_at is None:
            return None
        left = done.change.state.due_at - self._clock()
        return max(left.total_seconds(), 0.0) if left < _NEAR else None

    async def _client(self, state: State) -> NotifyClient | None:
        credential = await self._credentials.get(state.credential_id)
        return (
            None if credential is None else self._clients.of(base_url=credential.base_url, key=credential.key)
        )

    async def _send(
        self, client: NotifyClient, state: State, sealed: bytes | None, claimed_at: float
    ) -> None:
        attempt_id = state.open_attempt or ""
        carrier = CARRIERS[state.channel]
        personal = open_personal(self._vault, state.notification_id, sealed)
        personal = self._links.as_sent(personal, state.channel, notification_id=state.notification_id)
        parcel = Parcel(
            reference=state.id,
            template_id=state.template_id,
            personal=personal,
            until=steps.call_lapses(self._policy, claimed_at=state.open_attempt_at or self._clock()),
            prepend_name=state.channel is Channel.LETTER and await self._prepends_name(state.service_id),
        )
        since_claim = timedelta(seconds=_boot_seconds() - claimed_at)
        if not steps.may_still_call(self._policy, since_claim=since_claim):
            self._circuits.let_go(delivery_id=state.id, now=self._clock())
            await self._record(
                state, lambda now: steps.hand_back(now, attempt_id=attempt_id, now=self._clock())
            )
            return
        outcome = await carrier.send(client, parcel)
        probe_at = self._heard(Way(client.base_url, Call.SEND), state, answered=speaks_of_presence(outcome))
        simulated = isinstance(outcome, Accepted) and carrier.is_simulated(personal)
        await self._record_outcome(
            state, outcome, attempt_id=attempt_id, simulated=simulated, probe_at=probe_at
        )

    async def _prepends_name(self, service_id: str) -> bool:
        service = await self._directory.by_id(service_id)
        return service is not None and service.prepend_name

    def _heard(self, way: Way, state: State, *, answered: bool) -> datetime | None:
        """Tell the circuit how a call ended. When the provider is tried next, where it does not answer."""
        if answered:
            self._circuits.answered(way)
            return None
        return self._circuits.failed(way, delivery_id=state.id, now=self._clock())

    async def _record_outcome(
        self,
        state: State,
        outcome: Outcome,
        *,
        attempt_id: str,
        simulated: bool,
        probe_at: datetime | None = None,
    ) -> None:
        write_attempt(
            delivery=state.id,
            number=state.attempts,
            outcome=type(outcome).__name__,
            channel=state.channel,
        )
        await self._record(
            state,
            partial(
                steps.record_outcome,
                outcome=outcome,
                attempt_id=attempt_id,
                now=self._clock(),
                policy=self._policy,
                chance=random.random(),  # noqa: S311 - spreads retries, guards nothing
                simulated=simulated,
                probe_at=probe_at,
            ),
        )
        if isinstance(outcome, TryAgain) and outcome.limit is not None:
            await self._limit_reached(state, outcome.limit)

    async def _look(self, client: NotifyClient, state: State) -> None:
        """Ask whether the provider took an attempt whose end is not known."""
        messages = await self._asked(client, state, client.by_reference(state.id))
        if isinstance(messages, _Unanswered):
            await self._record_unanswered(state, messages)
            return
        found = None
        if messages:
            found = (messages[0].id, status_of(messages[0].status) or Status.SENDING)
        attempt_id = state.open_attempt or ""
        await self._record(
            state,
            lambda fresh: steps.record_look(
                fresh, found, attempt_id=attempt_id, now=self._clock(), policy=self._policy
            ),
        )

    async def _poll(self, client: NotifyClient, state: State) -> None:
        """Ask what became of a delivery of which no receipt came."""
        message = await self._asked(client, state, client.notification(state.notify_id or ""))
        if isinstance(message, _Unanswered):
            await self._record_unanswered(state, message)
            return
        status = None if message is None else status_of(message.status) or Status.SENDING
        completed_at = None if message is None else moment(message.completed_at)
        await self._record(
            state,
            lambda fresh: steps.record_poll(
                fresh, status, now=self._clock(), policy=self._policy, completed_at=completed_at
            ),
        )

    async def _asked(
        self, client: NotifyClient, state: State, question: Awaitable[Answer]
    ) -> "Answer | _Unanswered":
        """The provider's answer, of which the circuit is told."""
        way = Way(client.base_url, Call.ASK)
        try:
            answer = await question
        except _REFUSED:
            return _Unanswered(self._heard(way, state, answered=True))
        except NotifyUnavailable:
            return _Unanswered(self._heard(way, state, answered=False))
        self._heard(way, state, answered=True)
        return answer

    async def _record_unanswered(self, state: State, unanswered: "_Unanswered") -> None:
        chance = random.random()  # noqa: S311 - spreads retries, guards nothing
        await self._record(
            state,
            lambda fresh: steps.record_unanswered(
                fresh,
                attempt_id=state.open_attempt,
                now=self._clock(),
                policy=self._policy,
                chance=chance,
                probe_at=unanswered.probe_at,
            ),
        )

    async def _record(self, state: State, apply: Apply) -> None:
        await self._changes.submit(Request(state.id, apply, known=state))


def _boot_seconds() -> float:
    """A clock that goes on while the process, or the machine, is suspended."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
