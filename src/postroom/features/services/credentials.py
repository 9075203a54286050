"""The provider's keys: sealed at rest, open only where a call is made."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from postroom.features.limits import account_of
from postroom.features.services import store
from postroom.features.services.names import notify_service_id
from postroom.kit.crypto import Vault
from postroom.kit.database import AsyncConnection, Database

InUse = Callable[[AsyncConnection, str], Awaitable[bool]]
"""Whether a delivery that has not ended is sent with this credential."""

LIVE = "live"
KEY_TYPES = (LIVE, "team", "test")
"""A key does not show its type; a provider's limits are kept for each."""

_COLUMN = "credentials.sealed_key"


@dataclass(frozen=True, slots=True)
class Credential:
    """A key of the provider, and where that provider is. Its text form does not show the key."""

    id: str
    base_url: str
    key: str
    key_type: str = LIVE

    @property
    def account(self) -> bytes:
        """What names the provider's bucket that it draws from."""
        return account_of(
            base_url=self.base_url, notify_service_id=notify_service_id(self.key), key_type=self.key_type
        )

    def __repr__(self) -> str:
        return f"Credential(id={self.id!r})"


class Credentials:
    """Opens credentials by id and remembers them; a credential never changes under its id."""

    def __init__(self, *, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self._known: dict[str, Credential] = {}

    async def get(self, credential_id: str) -> Credential | None:
        """The credential, or None where it is kept no longer."""
        known = self._known.get(credential_id)
        if known is not None:
            return known
        async with self._database.reading() as conn:
            row = await store.credential(conn, credential_id)
        if row is None:
            return None
        key = open_key(self._vault, row)
        found = Credential(id=row.id, base_url=row.base_url, key=key, key_type=row.key_type)
        self._known[credential_id] = found
        return found

    def forget(self, credential_id: str) -> None:
        self._known.pop(credential_id, None)


def open_key(vault: Vault, row: Row[Any]) -> str:
    """The provider's key that is kept in this row; CannotOpen where another secret sealed it."""
    return vault.open(row.sealed_key, row=row.id, column=_COLUMN).decode()


async def keep(
    conn: AsyncConnection,
    *,
    vault: Vault,
    service_id: str,
    key: str,
    base_url: str,
    is_raw: bool,
    now: datetime,
    key_type: str = LIVE,
) -> str:
    """Keep a provider's key for a service, sealed; the same key and address again is one. Its id."""
    credential_id = id_of(vault=vault, service_id=service_id, key=key, base_url=base_url, key_type=key_type)
    row = {
        "id": credential_id,
        "service_id": service_id,
        "is_raw": is_raw,
        "base_url": base_url,
        "sealed_key": vault.seal(key.encode(), row=credential_id, column=_COLUMN),
        "used_at": now,
        "key_type": key_type,
    }
    await store.keep_credential(conn, row)
    return credential_id


async def check_opens(conn: AsyncConnection, credential_id: str | None, *, vault: Vault) -> None:
    """CannotOpen where the service's key was sealed with another secret than this process has."""
    row = None if credential_id is None else await store.credential(conn, credential_id)
    if row is not None:
        open_key(vault, row)


def id_of(*, vault: Vault, service_id: str, key: str, base_url: str, key_type: str = LIVE) -> str:
    """The id under which this service's key would be kept: drawn from the key, so that equal keys meet."""
    named = f"{service_id} {base_url} {key}" + ("" if key_type == LIVE else f" {key_type}")
    return str(UUID(bytes=vault.blind_index(named, purpose="credential")))


async def forget_raw_keys(
    conn: AsyncConnection, credentials: Credentials, *, unused_since: datetime, in_use: InUse
) -> int:
    """Give up the raw keys that no open delivery needs any more; how many went."""
    unused = [
        credential_id
        for credential_id in await store.raw_credential_ids(conn, unused_since=unused_since)
        if not await in_use(conn, credential_id)
    ]
    await store.delete_raw_credentials(conn, unused, unused_since=unused_since)
    for credential_id in unused:
        credentials.forget(credential_id)
    return len(unused)
