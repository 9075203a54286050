"""Taking the steps of escalations that are due: each makes a notification by `create`, once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, true

from postroom.domain.action import ActionType
from postroom.domain.audience import audience_of
from postroom.domain.caller import ServiceCaller
from postroom.domain.errors import Forbidden, Invalid
from postroom.domain.escalation import Unless
from postroom.domain.notification import Notification
from postroom.features import audit, readers
from postroom.features.notifications import store
from postroom.features.notifications.create import Creator
from postroom.features.notifications.escalation import (
    LEASE,
    DueStep,
    drop_all,
    drop_step,
    due_steps,
    hold_step,
    lock_step,
    open_step,
)
from postroom.features.notifications.idempotency import Once
from postroom.features.recipients import members_of
from postroom.features.services import Directory
from postroom.kit.crypto import CannotOpen, Vault
from postroom.kit.database import AsyncConnection, Database
from postroom.kit.log import get_logger

log = get_logger(__name__)

AT_ONCE = 100
KEEP_KEYS = timedelta(days=400)
"""By its key a step that was taken is known again, however long a crashed worker is away."""


@dataclass(frozen=True, slots=True)
class Escalator:
    """Takes steps that are due, one after the other."""

    database: Database
    creator: Creator
    directory: Directory
    vault: Vault
    clock: Callable[[], datetime]

    async def take_due(self) -> int:
        """Take what is due now, up to AT_ONCE; how many steps made a notification."""
        async with self.database.reading() as conn:
            keys = await due_steps(conn, now=self.clock(), most=AT_ONCE)
        return sum([await self.take(key) for key in keys])

    async def take(self, key: tuple[str, int]) -> bool:
        """Take a step, unless it is not needed any more, or another worker has it."""
        step = await self._claimed(key)
        if step is None:
            return False
        service = await self.directory.by_id(step.service_id)
        name = "" if service is None else service.name
        try:
            made = await self.creator.create(
                step.request,
                caller=ServiceCaller(step.service_id, name),
                now=self.clock(),
                once=Once(key=_key_of(step), body=b"escalation", keep=KEEP_KEYS),
            )
        except (Invalid, Forbidden) as error:
            fields = [fault.field for fault in error.errors] if isinstance(error, Invalid) else ["service"]
            await self._record(step, key, f"failed: {', '.join(fields)}")
            return False
        await self._record(step, key, made.notification.id + await self._unheard(made.notification))
        return True

    async def _unheard(self, made: Notification) -> str:
        """What the audit adds where it went to a group or patch in which nobody is known."""
        audience = audience_of(made.personal.user or "")
        if audience is None:
            return ""
        async with self.database.reading() as conn:
            members, _ = await members_of(conn, audience, vault=self.vault, limit=1)
        return "" if members else f", but nobody is known in {audience}"

    async def _claimed(self, key: tuple[str, int]) -> DueStep | None:
        now = self.clock()
        async with self.database.transaction() as conn:
            row = await lock_step(conn, key, now=now)
            if row is None:
                return None
            if await _is_over(conn, row):
                return None
            await hold_step(conn, key, until=now + LEASE)
        try:
            return open_step(row, vault=self.vault)
        except CannotOpen as error:
            log.error("step of an escalation cannot be opened", reason=str(error), notification=key[0])
            return None

    async def _record(self, step: DueStep, key: tuple[str, int], what: str) -> None:
        """The step is over; the audit says which notification it made, or why it made none."""
        entry = audit.Entry(
            kind=audit.Kind.ESCALATED,
            at=self.clock(),
            notification_id=step.notification_id,
            service_id=step.service_id,
            detail=f"step {step.number} of {step.steps}: {what}"[:255],
            correlation_id=step.request.correlation_id,
        )
        async with self.database.transaction() as conn:
            if await drop_step(conn, key):
                await audit.record(conn, [entry], vault=self.vault)


async def _is_over(conn: AsyncConnection, step: Row[Any]) -> bool:
    """Whether what it waits for has happened, undone since or not. Where somebody acted, all steps go."""
    row = await store.notification(conn, step.notification_id, visible=true())
    if row is None or row.action is not None:
        await drop_all(conn, step.notification_id)
        return True
    if step.unless == Unless.ACTED:
        return False
    was_read = (
        row.first_read_at is not None
        or await readers.anyone_has_read(conn, row.id)
        or await audit.was_done(conn, row.id, detail=ActionType.IS_READ.value)
    )
    if was_read:
        await drop_step(conn, (step.notification_id, step.number))
    return was_read


def _key_of(step: DueStep) -> str:
    return f"postroom escalation {step.notification_id} {step.number}"
