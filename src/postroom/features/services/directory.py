"""Who a key, a name or a token belongs to: looked up once, remembered for some seconds."""

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

import msgspec
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.features.limits import NOTHING_CHOSEN, ServiceLimits
from postroom.features.services import store
from postroom.features.services.names import is_name
from postroom.kit.clock import Clock
from postroom.kit.crypto import Vault
from postroom.kit.database import Database

_MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class RegisteredService:
    id: str
    name: str
    credential_id: str | None
    default_group: str | None
    prepend_name: bool
    template_names: Mapping[str, str]
    limits: ServiceLimits = NOTHING_CHOSEN


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

    async def by_api_key(self, key: str) -> RegisteredService | None:
        return await self._look_up(
            ("key", self._mark(key)),
            lambda conn: store.service_by_key(conn, self._vault.digest(key), now=self._clock()),
        )

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


def _to_service(row: Row[Any]) -> RegisteredService:
    return RegisteredService(
        id=row.id,
        name=row.name,
        credential_id=row.credential_id,
        default_group=row.default_group,
        prepend_name=row.prepend_name,
        template_names=msgspec.json.decode(row.template_names, type=dict[str, str]),
        limits=msgspec.json.decode(row.limits, type=ServiceLimits),
    )
