"""Whether what is due may be sent now: asked while its row is locked, before an attempt is opened."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.domain.channel import Channel
from postroom.domain.delivery import Change, State, put_off, suppress
from postroom.domain.outcome import Limit
from postroom.features.limits import (
    LimitDefaults,
    ProviderBuckets,
    PutOff,
    Suppress,
    Verdict,
    Wanted,
    send_limits,
)
from postroom.features.notifications import store
from postroom.features.notifications.changes import state_of
from postroom.features.services import Credentials, Directory
from postroom.kit.clock import Clock
from postroom.kit.crypto import CannotOpen
from postroom.kit.database import Database, DatabaseUnavailable, LockTimeout
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

    async def __call__(self, conn: AsyncConnection, rows: Sequence[Row[Any]]) -> Mapping[str, Change]:
        now = self._clock()
        wanted = [each for row in rows if (each := await self._wanted(row)) is not None]
        verdicts = await self._buckets.admit(conn, wanted, now=now)
        changes = {row.id: _instead(row, verdicts.get(row.id), now) for row in rows}
        return {delivery_id: change for delivery_id, change in changes.items() if change is not None}

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

    async def _wanted(self, row: Row[Any]) -> Wanted | None:
        """The question for one; None where there is no key to send it with, which the sender tells of."""
        try:
            credential = await self._credentials.get(row.credential_id)
        except CannotOpen:
            return None
        service = await self._directory.by_id(row.service_id)
        if credential is None or service is None:
            return None
        limits = send_limits(service.limits, key_type=credential.key_type, defaults=self._defaults)
        return Wanted(
            delivery_id=row.id,
            account=credential.account,
            limits=limits.provider,
            lane=row.lane,
            channel=Channel(row.channel),
            international=bool(row.international),
            recipient=row.recipient_index,
            content=row.content_index,
            template_id=row.template_id,
            same_template_an_hour=limits.same_template_an_hour,
            tried=row.attempts > 0,
        )


def _instead(row: Row[Any], verdict: Verdict | None, now: datetime) -> Change | None:
    match verdict:
        case PutOff(until=until, reason=reason):
            return put_off(state_of(row), until=until, reason=reason)
        case Suppress(reason=reason):
            return suppress(state_of(row), now=now, reason=reason)
        case _:
            return None
