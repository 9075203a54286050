"""The endpoints of a service's API keys: issued, rotated and revoked by admins."""

from datetime import datetime

from litestar import delete, get, post
from litestar.params import FromPath
from litestar.types import ASGIApp

from postroom.domain.errors import FieldError
from postroom.domain.scope import EVERY_SCOPE, Scope
from postroom.features.services import (
    ApiKey,
    NewKey,
    find_key,
    find_profile,
    issue_key,
    keys_of,
    revoke_key,
    rotate_key,
)
from postroom.interfaces.api.answer import json_answer
from postroom.interfaces.api.body import read_body
from postroom.interfaces.api.notifications import checked_id
from postroom.interfaces.api.parts import AnyRequest, parts_of
from postroom.interfaces.api.query import parse, read_moment
from postroom.interfaces.api.roles import admin, reader_of_services, signed
from postroom.interfaces.api.service_schemas import KeyBody, KeyItem, RotateKeyBody

ADDED = "added"


@get("/services/{name:str}/keys")
async def list_keys(request: AnyRequest, name: FromPath[str]) -> ASGIApp:
    postroom, _ = parts_of(request)
    await reader_of_services(request, of=name)
    async with postroom.database.reading() as conn:
        profile = await find_profile(conn, name, vault=postroom.vault)
        found = await keys_of(conn, profile.id)
    now = postroom.clock()
    return json_answer([to_key_item(each, now=now) for each in found])


@post("/services/{name:str}/keys")
async def issue_new_key(request: AnyRequest, name: FromPath[str]) -> ASGIApp:
    postroom, _ = parts_of(request)
    caller = await admin(request)
    body, faults = await read_body(request, KeyBody, may_be_empty=True)
    scopes = _read_scopes(body.scopes, faults)
    expires_at = _read_moment("expiresAt", body.expires_at, faults)
    now = postroom.clock()
    async with postroom.database.transaction() as conn:
        profile = await find_profile(conn, name, vault=postroom.vault, lock=True)
        made = await issue_key(
            conn,
            vault=postroom.vault,
            service_id=profile.id,
            name=ADDED if body.name is None else body.name,
            now=now,
            expires_at=expires_at,
            scopes=scopes,
            faults=faults,
            by=signed(request, caller),
        )
        key = await find_key(conn, made.id, service_id=profile.id)
    return json_answer(to_key_item(key, now=now, shown=made), status=201)


@post("/services/{name:str}/keys/{key_id:str}/rotate")
async def rotate_service_key(request: AnyRequest, name: FromPath[str], key_id: FromPath[str]) -> ASGIApp:
    postroom, _ = parts_of(request)
    caller = await admin(request)
    wanted_id = checked_id(key_id)
    body, faults = await read_body(request, RotateKeyBody, may_be_empty=True)
    expires_at = _read_moment("expiresAt", body.expires_at, faults)
    old_expires_at = _read_moment("oldExpiresAt", body.old_expires_at, faults)
    now = postroom.clock()
    async with postroom.database.transaction() as conn:
        profile = await find_profile(conn, name, vault=postroom.vault, lock=True)
        made = await rotate_key(
            conn,
            wanted_id,
            vault=postroom.vault,
            service_id=profile.id,
            now=now,
            expires_at=expires_at,
            old_expires_at=old_expires_at,
            faults=faults,
            by=signed(request, caller),
        )
        key = await find_key(conn, made.id, service_id=profile.id)
    return json_answer(to_key_item(key, now=now, shown=made), status=201)


@delete("/services/{name:str}/keys/{key_id:str}", status_code=204)
async def revoke_service_key(request: AnyRequest, name: FromPath[str], key_id: FromPath[str]) -> None:
    postroom, _ = parts_of(request)
    caller = await admin(request)
    wanted_id = checked_id(key_id)
    async with postroom.database.transaction() as conn:
        profile = await find_profile(conn, name, vault=postroom.vault, lock=True)
        await revoke_key(
            conn, wanted_id, service_id=profile.id, now=postroom.clock(), by=signed(request, caller)
        )


def to_key_item(key: ApiKey, *, now: datetime, shown: NewKey | None = None) -> KeyItem:
    """What is told of a key; the key itself only where it has just been issued."""
    return KeyItem(
        id=key.id,
        name=key.name,
        state=key.state(now),
        scopes=sorted(key.scopes),
        created_at=key.created_at,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
        last_used_at=key.last_used_at,
        key=None if shown is None else shown.key,
    )


def _read_scopes(names: list[str] | None, faults: list[FieldError]) -> frozenset[Scope]:
    """The scopes of those names; where none are named, those that every key has."""
    if names is None:
        return EVERY_SCOPE
    if not names or any(name not in set(Scope) for name in names):
        faults.append(FieldError("scopes", f"Use one or more of {', '.join(Scope)}."))
        return EVERY_SCOPE
    return frozenset(Scope(name) for name in names)


def _read_moment(field: str, text: str | None, faults: list[FieldError]) -> datetime | None:
    found: datetime | None = parse({} if text is None else {field: text}, field, read_moment, faults)
    return found
