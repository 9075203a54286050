"""The templates that a provider's key can use: asked for once, remembered, kept while it is away."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from postroom.channels.govuk_notify import (
    NotifyClients,
    NotifyLimited,
    NotifyRefusedKey,
    NotifyTemplate,
    NotifyUnavailable,
)
from postroom.features.services import Credential
from postroom.kit.clock import Clock

_FRESH = timedelta(minutes=5)
_AGEING = timedelta(minutes=4)
"""From then on who wants the list has it asked for again, and does not wait for that."""
_AFTER_FAILURE = timedelta(seconds=5)
_UNKNOWN_ID = timedelta(seconds=5)
"""How old the list must be before an id that is not in it is worth asking for again."""


@dataclass(slots=True)
class _Entry:
    templates: Mapping[str, NotifyTemplate] | None
    asked_at: datetime
    """When the provider was last asked, whether it answered or not."""
    answered_at: datetime | None


class Catalogue:
    """A list of templates for each credential. `get` waits a second at most, `refreshed` a whole call."""

    def __init__(
        self, *, clients: NotifyClients, clock: Clock, patience: timedelta = timedelta(seconds=1)
    ) -> None:
        self._clients = clients
        self._clock = clock
        self._patience = patience
        self._entries: dict[str, _Entry] = {}
        self._asking: dict[str, asyncio.Task[None]] = {}

    async def get(
        self, credential: Credential, *, wanted: str | None = None
    ) -> Mapping[str, NotifyTemplate] | None:
        """The templates by id; None while they are not known because the provider does not answer.

        An id that is `wanted` and missing makes a list of some seconds' age worth asking for again.
        NotifyRefusedKey where the provider does not accept the key.
        """
        entry = self._entries.get(credential.id)
        if entry is None or self._is_worn(entry, wanted):
            asking = self._ask(credential)
            try:
                async with asyncio.timeout(self._patience.total_seconds()):
                    await asyncio.shield(asking)
            except (TimeoutError, NotifyUnavailable, NotifyLimited):
                pass
            entry = self._entries.get(credential.id)
        elif self._is_ageing(entry):
            self._ask(credential)
        return None if entry is None else entry.templates

    async def refreshed(self, credential: Credential) -> Mapping[str, NotifyTemplate]:
        """The templates as they are now. NotifyUnavailable, NotifyLimited or NotifyRefusedKey otherwise."""
        await asyncio.shield(self._ask(credential))
        return self._entries[credential.id].templates or {}

    async def current(self, credential: Credential) -> Mapping[str, NotifyTemplate]:
        """The templates, at most five minutes old, or older while the provider is away."""
        entry = self._entries.get(credential.id)
        if entry is not None and entry.templates is not None and not self._is_worn(entry, None):
            if self._is_ageing(entry):
                self._ask(credential)
            return entry.templates
        try:
            return await self.refreshed(credential)
        except (NotifyUnavailable, NotifyLimited):
            if entry is not None and entry.templates is not None:
                return entry.templates
            raise

    def _is_worn(self, entry: _Entry, wanted: str | None) -> bool:
        now = self._clock()
        if entry.answered_at != entry.asked_at:
            return now - entry.asked_at > _AFTER_FAILURE
        if wanted is not None and wanted not in (entry.templates or {}):
            return now - entry.asked_at > _UNKNOWN_ID
        return now - entry.asked_at > _FRESH

    def _is_ageing(self, entry: _Entry) -> bool:
        """Whether an answer, but not a failure, is old enough to be asked for ahead of time."""
        return entry.answered_at == entry.asked_at and self._clock() - entry.asked_at > _AGEING

    def _ask(self, credential: Credential) -> "asyncio.Task[None]":
        """Ask the provider, once for all who want to know at the same time."""
        asking = self._asking.get(credential.id)
        if asking is None:
            asking = asyncio.create_task(self._fetch(credential))
            self._asking[credential.id] = asking
            asking.add_done_callback(lambda done: self._asked(credential.id, done))
        return asking

    def _asked(self, credential_id: str, done: "asyncio.Task[None]") -> None:
        self._asking.pop(credential_id, None)
        if not done.cancelled():
            done.exception()

    async def _fetch(self, credential: Credential) -> None:
        now = self._clock()
        entry = self._entries.setdefault(
            credential.id, _Entry(templates=None, asked_at=now, answered_at=None)
        )
        entry.asked_at = now
        client = self._clients.of(base_url=credential.base_url, key=credential.key)
        try:
            templates = await client.templates()
        except NotifyRefusedKey:
            del self._entries[credential.id]
            raise
        entry.templates = {template.id: template for template in templates}
        entry.answered_at = now
