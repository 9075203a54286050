"""Who a key, a name or a token belongs to: looked up once, remembered for some seconds."""

import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

import msgspec
from sqlalchemy import Row

from postroom.domain.caller import Grant, ServiceCaller
from postroom.domain.scope import from_text
from postroom.features.limits import NOTHING_CHOSEN, ServiceLimits
from postroom.features.services import store
from postroom.features.services.api_keys import Consumer
from postroom.features.services.grants import grants_to
from postroom.features.services.names import is_name
from postroom.kit.clock import Clock
from postroom.kit.crypto import Vault
from postroom.kit.database import AsyncConnection, Database, DatabaseUnavailable, LockTimeout

_MOST_REMEMBERED = 10_000
_USED_TO_THE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class RegisteredService:
    id: str
    name: str
    credential_id: str | None
    default_group: str | None
    prepend_name: bool
    template_names: Mapping[str, str]
    limits: ServiceLimits = NOTHING_CHOSEN
    trusted_params: tuple[str, ...] = ()
    link_hosts: tuple[str, ...] = ()
    """Where its follow-on links may lead."""


@dataclass(frozen=True, slots=True)
class KnownKey:
    """What a key lets in: its service, and that service as a caller with the key's scopes."""

    service: RegisteredService
    caller: ServiceCaller


class Directory:
    """The registered services. A key that is revoked is refused at most `remember` later."""

    def __init__(
        self, *, database: Database, vault: Vault, clock: Clock, remember: timedelta = timedelta(seconds=5)
    ) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._remember = remember
        self._marks = os.urandom(32)
        self._known: dict[tuple[str, bytes | str], tuple[datetime, RegisteredService | None]] = {}
        self._known_keys: dict[bytes, tuple[datetime, KnownKey | None]] = {}

    async def by_api_key(self, key: str) -> KnownKey | None:
        mark = self._mark(key)
        remembered = self._known_keys.get(mark)
        if remembered is not None and self._clock() < remembered[0]:
            return remembered[1]
        return await self._look_up_key(mark, self._vault.digest(key))

    async def by_consumer(self, consumer: Consumer) -> KnownKey | None:
        """By a token of the council's own, whose signature has been verified."""
        index = consumer.index(self._vault)
        remembered = self._known_keys.get(index)
        if remembered is not None and self._clock() < remembered[0]:
            return remembered[1]
        return await self._look_up_key(index, index)

    async def by_receipt_token(self, token: str) -> RegisteredService | None:
        return await self._look_up(
            ("receipts", self._mark(token)),
            lambda conn: store.service_by_receipt_token(conn, self._vault.digest(token)),
        )

    async def by_name(self, name: str) -> RegisteredService | None:
        if not is_name(name):
            return None
        return await self._look_up(("name", name), lambda conn: store.service_by_name(conn, name))

    async def by_id(self, service_id: str) -> RegisteredService | None:
        return await self._look_up(("id", service_id), lambda conn: store.service_by_id(conn, service_id))

    async def every(self) -> list[RegisteredService]:
        async with self._database.reading() as conn:
            return [_to_service(row) for row in await store.all_services(conn)]

    def _mark(self, key: str) -> bytes:
        """What a key is remembered by in this process: a tenth of the work of its lasting digest."""
        return blake2b(key.encode(), key=self._marks, digest_size=32).digest()

    async def _look_up_key(self, mark: bytes, digest: bytes) -> KnownKey | None:
        now = self._clock()
        until = now + self._remember
        async with self._database.reading() as conn:
            row = await store.service_by_key(conn, digest, now=now)
            known = None if row is None else _to_known_key(row, await grants_to(conn, row.id))
        if row is not None:
            until = until if row.expires_at is None else min(until, row.expires_at)
            if row.last_used_at is None or now - row.last_used_at >= _USED_TO_THE:
                await self._note_use(row.key_id, now)
        if len(self._known_keys) >= _MOST_REMEMBERED:
            self._known_keys.clear()
        self._known_keys[mark] = (until, known)
        return known

    async def _note_use(self, key_id: str, now: datetime) -> None:
        """For whoever lists the keys. That it cannot be written keeps nobody out."""
        with suppress(DatabaseUnavailable, LockTimeout):
            async with self._database.transaction() as conn:
                await store.update_api_key(conn, key_id, {"last_used_at": now})

    async def _look_up(
        self,
        what: tuple[str, bytes | str],
        find: Callable[[AsyncConnection], Awaitable[Row[Any] | None]],
    ) -> RegisteredService | None:
        now = self._clock()
        known = self._known.get(what)
        if known is not None and now < known[0]:
            return known[1]
        async with self._database.reading() as conn:
            row = await find(conn)
        service = None if row is None else _to_service(row)
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        self._known[what] = (now + self._remember, service)
        return service


def _to_known_key(row: Row[Any], grants: tuple[Grant, ...]) -> KnownKey:
    caller = ServiceCaller(service_id=row.id, name=row.name, scopes=from_text(row.scopes), grants=grants)
    return KnownKey(service=_to_service(row), caller=caller)


def _to_service(row: Row[Any]) -> RegisteredService:
    return RegisteredService(
        id=row.id,
        name=row.name,
        credential_id=row.credential_id,
        default_group=row.default_group,
        prepend_name=row.prepend_name,
        template_names=msgspec.json.decode(row.template_names, type=dict[str, str]),
        limits=msgspec.json.decode(row.limits, type=ServiceLimits),
        trusted_params=msgspec.json.decode(row.trusted_params, type=tuple[str, ...]),
        link_hosts=msgspec.json.decode(row.link_hosts, type=tuple[str, ...]),
    )
