"""The circuits of this process: whether a provider may be called now, and until when what is due waits."""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import urlsplit

from postroom.domain import circuit as rules
from postroom.domain.circuit import CLOSED, Circuit, CircuitPolicy, Position
from postroom.domain.delivery import Change, State, await_provider
from postroom.domain.lane import Lane
from postroom.domain.retry import RetryPolicy
from postroom.domain.status import UNDERWAY
from postroom.features.notifications.changes import Gate, Held
from postroom.features.services import Credentials
from postroom.kit.clock import Clock
from postroom.kit.crypto import CannotOpen
from postroom.kit.database import AsyncConnection, Batch
from postroom.kit.log import get_logger

log = get_logger(__name__)

WAITS = "waits: GOV.UK Notify does not answer"

FURTHEST = timedelta(hours=1)
"""So far what waits is spread. An answer makes it due at once, so this costs no time."""
_BETWEEN = timedelta(milliseconds=50)
"""Between two moments that are given to what waits: twenty come back each second, not all that wait."""


class Call(StrEnum):
    """What is asked of a provider. It may answer questions while it takes nothing, or the reverse: calls of
    one kind open the circuit of the other too, but only its own answers close each."""

    SEND = "send"
    ASK = "ask"


class Way(NamedTuple):
    """What a circuit is for: one kind of call to one address of a provider."""

    address: str
    call: Call


class Circuits:
    """A circuit for each way. They live in the memory of one process; another learns for itself."""

    def __init__(self, *, policy: CircuitPolicy) -> None:
        self._policy = policy
        self._circuits: dict[Way, Circuit] = {}
        self._promised: dict[tuple[Way, Lane], datetime] = {}
        self._anybody_back = False

    def ask(self, way: Way, *, delivery_id: str, lane: Lane, now: datetime) -> datetime | None:
        """None where the delivery's call may be made; else until when it waits, each a little longer."""
        circuit = self._circuits.get(way, CLOSED)
        patient = lane is not Lane.SINGLE
        circuit = rules.ask(circuit, caller=delivery_id, patient=patient, now=now, policy=self._policy)
        if rules.lets_through(circuit, delivery_id):
            if circuit is not CLOSED:
                self._circuits[way] = circuit
            return None
        earliest = rules.next_probe(circuit, now=now, patient=patient, policy=self._policy)
        return self._promise((way, lane), earliest, now)

    def answered(self, way: Way) -> None:
        """A call had a proper answer. The first one ever tells something, too: others may wait already."""
        before = self._circuits.get(way)
        self._circuits[way] = rules.answered()
        if before is None or before.position is not Position.CLOSED:
            self._anybody_back = True
            self._promised = {key: until for key, until in self._promised.items() if key[0] != way}
        if before is not None and before.position is not Position.CLOSED:
            log.info("the provider answers again", provider=host_of(way), call=way.call)

    def failed(self, way: Way, *, delivery_id: str, now: datetime) -> datetime | None:
        """A call had none. When the provider is tried next, where that is not at once."""
        before = self._circuits.get(way, CLOSED)
        chance = random.random()  # noqa: S311 - spreads probes, guards nothing
        after = rules.failed(before, caller=delivery_id, now=now, policy=self._policy, chance=chance)
        self._circuits[way] = after
        if before.position is Position.CLOSED and after.position is Position.OPEN:
            log.warning(
                "the provider does not answer", provider=host_of(way), call=way.call, failures=after.failures
            )
            self._doubt(way.address, after)
        if after.position is Position.CLOSED:
            return None
        return rules.next_probe(after, now=now, patient=False, policy=self._policy)

    def let_go(self, *, delivery_id: str, now: datetime) -> None:
        """A delivery that was let through does not call after all."""
        for way, circuit in self._circuits.items():
            self._circuits[way] = rules.let_go(circuit, caller=delivery_id, now=now)

    def is_closed(self, way: Way) -> bool:
        """Whether the provider answered this process the last time that it mattered."""
        return way in self._circuits and self._circuits[way].position is Position.CLOSED

    def let_all_through(self) -> bool:
        """Whether no provider is known not to answer."""
        return all(circuit.position is Position.CLOSED for circuit in self._circuits.values())

    def states(self) -> Mapping[Way, Position]:
        return {way: circuit.position for way, circuit in self._circuits.items()}

    def take_news(self) -> bool:
        """Whether a provider has come back since this was asked last."""
        news, self._anybody_back = self._anybody_back, False
        return news

    def keep_news(self) -> None:
        """Say again that those are back that are."""
        self._anybody_back = any(each.position is Position.CLOSED for each in self._circuits.values())

    def _doubt(self, address: str, opened: Circuit) -> None:
        """Other calls to an address that fails are tried by one of them first, not by all that are due."""
        for other in (Way(address, call) for call in Call):
            if self._circuits.get(other, CLOSED).position is Position.CLOSED:
                self._circuits[other] = opened

    def _promise(self, key: tuple[Way, Lane], earliest: datetime, now: datetime) -> datetime:
        """A moment of its own for each that waits: however many they are, so few come back each second."""
        last = self._promised.get(key, earliest)
        after = earliest if last > now + FURTHEST else max(earliest, last)
        until = after + _BETWEEN * (0.5 + random.random())  # noqa: S311 - spreads, guards nothing
        self._promised[key] = until
        return until


class CircuitGate:
    """Holds back what would call a provider that does not answer; the rest is for the gate `within`."""

    def __init__(
        self,
        *,
        circuits: Circuits,
        within: Gate,
        credentials: Credentials,
        clock: Clock,
        policy: RetryPolicy,
    ) -> None:
        self._circuits = circuits
        self._within = within
        self._credentials = credentials
        self._clock = clock
        self._policy = policy

    async def locked(self, conn: AsyncConnection, held: Sequence[Held]) -> Mapping[str, Change]:
        now = self._clock()
        waiting = {
            state.id: await_provider(state, until=until, now=now, policy=self._policy, reason=WAITS)
            for state, *_ in held
            if (until := self._until(state, await way_of(state, self._credentials), now)) is not None
        }
        sending = [each for each in _sending(held) if each.state.id not in waiting]
        instead = await self._within.locked(conn, sending) if sending else {}
        for delivery_id in instead:
            self._circuits.let_go(delivery_id=delivery_id, now=now)
        return {**waiting, **instead}

    async def at_once(self, batch: Batch, held: Sequence[Held]) -> Mapping[str, Change] | None:
        """While every circuit lets all through, there is nothing to hold back, and nobody to let go."""
        if not self._circuits.let_all_through():
            return None
        sending = _sending(held)
        return await self._within.at_once(batch, sending) if sending else {}

    def _until(self, state: State, way: Way | None, now: datetime) -> datetime | None:
        if way is None:
            return None
        return self._circuits.ask(way, delivery_id=state.id, lane=state.lane, now=now)


def _sending(held: Sequence[Held]) -> list[Held]:
    return [each for each in held if _would(each.state) is Call.SEND]


async def way_of(state: State, credentials: Credentials) -> Way | None:
    """Whom its next step calls; None where there is no key to call with, which the sender tells of."""
    try:
        credential = await credentials.get(state.credential_id)
    except CannotOpen:
        return None
    return None if credential is None else Way(credential.base_url, _would(state))


def _would(state: State) -> Call:
    return Call.ASK if state.status in UNDERWAY or state.open_attempt is not None else Call.SEND


def host_of(way: Way) -> str:
    """An address may hold more than a log should."""
    return urlsplit(way.address).netloc.rpartition("@")[2]
