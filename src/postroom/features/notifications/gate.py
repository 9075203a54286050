"""Whether what is due may be sent now: asked before an attempt is opened, and counted with its claim."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from postroom.domain.channel import Channel
from postroom.domain.delivery import Change, State, put_off, suppress
from postroom.domain.outcome import Limit
from postroom.features.limits import (
    LimitDefaults,
    ProviderBuckets,
    PutOff,
    SendLimits,
    Suppress,
    Verdict,
    Wanted,
    send_limits,
)
from postroom.features.notifications import store
from postroom.features.notifications.changes import Held
from postroom.features.services import Credentials, Directory
from postroom.kit.clock import Clock
from postroom.kit.crypto import CannotOpen
from postroom.kit.database import AsyncConnection, Batch, Database, DatabaseUnavailable, LockTimeout
from postroom.kit.log import get_logger

log = get_logger(__name__)

_SAID_AGAIN = timedelta(seconds=1)
"""What many calls in hand are told at once is written down once."""


class LimitsGate:
    """Asks the limits of the provider and for recipients; what they hold back is put off or suppressed."""

    def __init__(
        self,
        *,
        database: Database,
        buckets: ProviderBuckets,
        credentials: Credentials,
        directory: Directory,
        clock: Clock,
        defaults: LimitDefaults,
    ) -> None:
        self._database = database
        self._buckets = buckets
        self._credentials = credentials
        self._directory = directory
        self._clock = clock
        self._defaults = defaults
        self._said: dict[tuple[bytes, Limit, Channel], datetime] = {}

    async def locked(self, conn: AsyncConnection, held: Sequence[Held]) -> Mapping[str, Change]:
        now = self._clock()
        verdicts = await self._buckets.admit(conn, await self._all_wanted(held), now=now)
        return _instead_of(held, verdicts, now)

    async def at_once(self, batch: Batch, held: Sequence[Held]) -> Mapping[str, Change] | None:
        now = self._clock()
        wanted = await self._all_wanted(held)
        verdicts = await self._buckets.admit_at_once(self._database, batch, wanted, now=now)
        return None if verdicts is None else _instead_of(held, verdicts, now)

    async def reached(self, state: State, limit: Limit) -> None:
        """The provider refused a delivery by a limit of its own: hold back what it would refuse too."""
        credential = await self._credentials.get(state.credential_id)
        if credential is None:
            return
        now = self._clock()
        said = (credential.account, limit, state.channel)
        if said in self._said and now < self._said[said] + _SAID_AGAIN:
            return
        self._said = {each: at for each, at in self._said.items() if now < at + _SAID_AGAIN} | {said: now}
        try:
            async with self._database.transaction() as conn:
                row = await store.delivery(conn, state.id, service_id=state.service_id)
                await self._buckets.slow_down(
                    conn,
                    credential.account,
                    now=now,
                    daily=state.channel if limit is Limit.DAY else None,
                    international=row is not None and bool(row.international),
                )
        except (DatabaseUnavailable, LockTimeout):
            # The delivery itself waits already, and the next one that is refused says it again.
            log.warning("a limit that the provider named could not be written down", delivery=state.id)

    async def _all_wanted(self, held: Sequence[Held]) -> list[Wanted]:
        """The question for each; none where there is no key to send it with, which the sender tells of."""
        senders = {(each.state.credential_id, each.state.service_id) for each in held}
        tills = {sender: await self._till(*sender) for sender in senders}
        return [
            _wanted(each, *till)
            for each in held
            if (till := tills[each.state.credential_id, each.state.service_id]) is not None
        ]

    async def _till(self, credential_id: str, service_id: str) -> tuple[bytes, SendLimits] | None:
        """The provider's account that a service sends by, and the limits that hold there."""
        try:
            credential = await self._credentials.get(credential_id)
        except CannotOpen:
            return None
        service = await self._directory.by_id(service_id)
        if credential is None or service is None:
            return None
        limits = send_limits(service.limits, key_type=credential.key_type, defaults=self._defaults)
        return credential.account, limits


def _wanted(held: Held, account: bytes, limits: SendLimits) -> Wanted:
    state = held.state
    return Wanted(
        delivery_id=state.id,
        account=account,
        limits=limits.provider,
        lane=state.lane,
        channel=state.channel,
        international=bool(held.international),
        recipient=held.recipient_index,
        content=held.content_index,
        template_id=state.template_id,
        same_template_an_hour=limits.same_template_an_hour,
        tried=state.attempts > 0,
    )


def _instead_of(held: Sequence[Held], verdicts: Mapping[str, Verdict], now: datetime) -> dict[str, Change]:
    changes = ((each.state.id, _instead(each.state, verdicts.get(each.state.id), now)) for each in held)
    return {delivery_id: change for delivery_id, change in changes if change is not None}


def _instead(state: State, verdict: Verdict | None, now: datetime) -> Change | None:
    match verdict:
        case PutOff(until=until, reason=reason):
            return put_off(state, until=until, reason=reason)
        case Suppress(reason=reason):
            return suppress(state, now=now, reason=reason)
        case _:
            return None
