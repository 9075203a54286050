"""The keys that services call with: issued, rotated, listed, revoked. Only digests of them are kept."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row

from postroom.domain.errors import Conflict, FieldError, Invalid, NotFound
from postroom.domain.scope import EVERY_SCOPE, Scope, from_text, to_text
from postroom.features import audit
from postroom.features.services import store
from postroom.kit.crypto import Vault, new_secret
from postroom.kit.database import AsyncConnection
from postroom.kit.ids import is_id, new_id

API_KEY_PREFIX = "postroom_"
LONGEST_NAME = 64
LABEL_OF_TOKENS = "token"
STILL_TO_COME = "Choose a time that is still to come."


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key as it is shown, once."""

    service_id: str
    key: str = field(repr=False)
    id: str = ""
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of a key, without the key. `last_used_at` is right to the hour."""

    id: str
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    def state(self, now: datetime) -> str:
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "valid"


@dataclass(frozen=True, slots=True)
class Consumer:
    """Whom a service token of the council's own names: a consumer of its APIs, and the token's id."""

    name: str
    token_id: str

    def index(self, vault: Vault) -> bytes:
        """What stands in a digest's place, shorter than one: no key that is sent can be taken for it."""
        named = msgspec.json.encode([self.token_id, self.name]).decode()
        return vault.blind_index(named, purpose="consumer")


async def issue_key(
    conn: AsyncConnection,
    *,
    vault: Vault,
    service_id: str,
    name: str,
    now: datetime,
    expires_at: datetime | None = None,
    scopes: Iterable[Scope] = EVERY_SCOPE,
    faults: Sequence[FieldError] = (),
    by: audit.By | None = None,
) -> NewKey:
    """Give the service one more API key. Only its digest is kept; the key itself is in the answer alone.

    Invalid with `faults`, which were found before, and its own.
    """
    if every := [*faults, *_faults(name, scopes, expires_at, now=now)]:
        raise Invalid(every)
    key = API_KEY_PREFIX + new_secret()
    row = _row(service_id, name, vault.digest(key), now=now, expires_at=expires_at, scopes=scopes)
    await store.insert_api_key(conn, row)
    await _note(conn, audit.Kind.KEY_ISSUED, service_id, str(row["id"]), by)
    return NewKey(service_id=service_id, key=key, id=str(row["id"]), expires_at=expires_at)


async def admit_token(
    conn: AsyncConnection,
    consumer: Consumer,
    *,
    vault: Vault,
    service_id: str,
    now: datetime,
    expires_at: datetime | None = None,
    scopes: Iterable[Scope] = EVERY_SCOPE,
    by: audit.By | None = None,
) -> ApiKey:
    """Let the service call with a token of the council's own. It is listed, expires and is revoked as a key.

    Conflict where the token calls for a service already.
    """
    digest = consumer.index(vault)
    if await store.api_key_by_digest(conn, digest) is not None:
        raise Conflict("This token has been admitted before: revoke that, and have a new token issued.")
    if faults := _faults(LABEL_OF_TOKENS, scopes, expires_at, now=now):
        raise Invalid(faults)
    name = f"{LABEL_OF_TOKENS} {consumer.token_id} of {consumer.name}"[:LONGEST_NAME]
    row = _row(service_id, name, digest, now=now, expires_at=expires_at, scopes=scopes)
    await store.insert_api_key(conn, row)
    await _note(conn, audit.Kind.KEY_ISSUED, service_id, str(row["id"]), by)
    return await find_key(conn, str(row["id"]), service_id=service_id)


async def rotate_key(
    conn: AsyncConnection,
    key_id: str,
    *,
    vault: Vault,
    service_id: str,
    now: datetime,
    expires_at: datetime | None = None,
    old_expires_at: datetime | None = None,
    faults: Sequence[FieldError] = (),
    by: audit.By | None = None,
) -> NewKey:
    """A new key like that one. The old one works on until it is revoked, or until the moment that is given.

    Without `expires_at` the new one lasts as long as the old one did from its beginning.
    """
    old = await find_key(conn, key_id, service_id=service_id)
    if old.state(now) != "valid":
        raise Conflict(f"This key is {old.state(now)}: add a new one instead.")
    if expires_at is None and old.expires_at is not None:
        expires_at = now + (old.expires_at - old.created_at)
    if old_expires_at is not None and old_expires_at <= now:
        faults = [*faults, FieldError("oldExpiresAt", STILL_TO_COME)]
    made = await issue_key(
        conn,
        vault=vault,
        service_id=service_id,
        name=old.name,
        now=now,
        expires_at=expires_at,
        scopes=old.scopes,
        faults=faults,
        by=by,
    )
    if old_expires_at is not None and (old.expires_at is None or old_expires_at < old.expires_at):
        await store.update_api_key(conn, key_id, {"expires_at": old_expires_at})
        await _note(conn, audit.Kind.KEY_CHANGED, service_id, key_id, by)
    return made


async def revoke_key(
    conn: AsyncConnection, key_id: str, *, service_id: str, now: datetime, by: audit.By | None = None
) -> ApiKey:
    """End the key; once ended it stays so, at its first moment. NotFound where the service has none such."""
    found = await find_key(conn, key_id, service_id=service_id)
    if found.revoked_at is not None:
        return found
    await store.update_api_key(conn, key_id, {"revoked_at": now})
    await _note(conn, audit.Kind.KEY_REVOKED, service_id, key_id, by)
    return replace(found, revoked_at=now)


async def keys_of(conn: AsyncConnection, service_id: str) -> list[ApiKey]:
    """The service's keys, revoked and expired ones too, oldest first."""
    return [_to_key(row) for row in await store.api_keys_of(conn, service_id)]


async def find_key(conn: AsyncConnection, key_id: str, *, service_id: str) -> ApiKey:
    """One of the service's keys; NotFound where it has none of this id."""
    row = await store.api_key(conn, key_id, service_id=service_id) if is_id(key_id) else None
    if row is None:
        raise NotFound("The service has no key with this id: `postroom services key list` shows them.")
    return _to_key(row)


async def _note(
    conn: AsyncConnection, kind: audit.Kind, service_id: str, key_id: str, by: audit.By | None
) -> None:
    await audit.record_of_service(conn, kind, service_id=service_id, by=by, detail=f"key {key_id.lower()}")


def _faults(
    name: str, scopes: Iterable[Scope], expires_at: datetime | None, *, now: datetime
) -> list[FieldError]:
    faults = []
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        faults.append(FieldError("name", f"Use 1 to {LONGEST_NAME} printable characters."))
    if not frozenset(scopes):
        faults.append(FieldError("scopes", f"Use one or more of {', '.join(Scope)}."))
    if expires_at is not None and expires_at <= now:
        faults.append(FieldError("expiresAt", STILL_TO_COME))
    return faults


def _row(
    service_id: str,
    name: str,
    digest: bytes,
    *,
    now: datetime,
    expires_at: datetime | None,
    scopes: Iterable[Scope],
) -> dict[str, object]:
    return {
        "id": new_id(),
        "service_id": service_id,
        "name": name,
        "digest": digest,
        "created_at": now,
        "expires_at": expires_at,
        "revoked_at": None,
        "scopes": to_text(scopes),
        "last_used_at": None,
    }


def _to_key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        id=row.id,
        name=row.name,
        scopes=from_text(row.scopes),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )
