"""The API keys of a service: shown to developers, and issued, rotated and revoked by admins."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from litestar.handlers import HTTPRouteHandler

from postroom.domain.errors import Conflict, FieldError, Invalid
from postroom.domain.scope import Scope
from postroom.features.services import (
    ApiKey,
    NewKey,
    find_profile,
    issue_key,
    keys_of,
    revoke_key,
    rotate_key,
)
from postroom.interfaces.web.failures import show_failure
from postroom.interfaces.web.service_pages import ONE, SERVICES, named
from postroom.interfaces.web.shell import Answer
from postroom.interfaces.web.visit import ADMINS, READERS, Door, Visit, form, view

OVERLAP = timedelta(days=7)
"""How long the old key of a rotation works on."""
_LASTS = {"90": "90 days", "365": "A year", "": "No end"}
_LABELS = {
    Scope.WRITE: "Send notifications, and act on them",
    Scope.READ: "Read notifications and feedback",
    Scope.TEMPLATES: "Read templates",
}


def handlers(door: Door) -> list[HTTPRouteHandler]:
    keys = f"{ONE}/keys"
    return [
        view(door, keys, _show, on_error=show_failure),
        form(door, keys, _issue, on_error=show_failure),
        form(door, f"{keys}/rotate", _rotate, on_error=show_failure),
        form(door, f"{keys}/revoke", _revoke, on_error=show_failure),
    ]


async def _show(visit: Visit) -> Answer:
    visit.need(READERS)
    return await _page(visit, done="The key is revoked" if visit.asked("done") == "revoked" else None)


async def _page(
    visit: Visit,
    *,
    new: NewKey | None = None,
    done: str | None = None,
    errors: tuple[FieldError, ...] = (),
    status: int = 200,
) -> Answer:
    async with visit.app.database.reading() as conn:
        profile = await find_profile(conn, named(visit), vault=visit.app.vault)
        keys = await keys_of(conn, profile.id)
    return await visit.page(
        "keys.html",
        title=f"Keys of {profile.name}",
        status=status,
        errors=errors,
        back=f"{SERVICES}/{profile.name}",
        profile=profile,
        keys=keys,
        now=visit.app.clock(),
        new=new,
        done=done,
        is_admin=visit.is_any(ADMINS),
        scopes=_LABELS,
        chosen={each for each in Scope if f"scope-{each.name}" in visit.fields} or set(Scope),
        lasts=list(_LASTS.items()),
        name=visit.fields.get("name", ""),
        last=visit.fields.get("lasts", "365"),
        overlap=OVERLAP.days,
    )


async def _issue(visit: Visit) -> Answer:
    visit.need(ADMINS)
    name, lasts = visit.fields.get("name", "").strip(), visit.fields.get("lasts", "")
    now = visit.app.clock()
    scopes = [each for each in Scope if f"scope-{each.name}" in visit.fields]
    try:
        async with visit.app.database.transaction() as conn:
            profile = await find_profile(conn, named(visit), vault=visit.app.vault, lock=True)
            # A form that is sent twice makes one key.
            faults = _taken(name, await keys_of(conn, profile.id), now)
            made = await issue_key(
                conn,
                vault=visit.app.vault,
                service_id=profile.id,
                name=name,
                now=now,
                expires_at=now + timedelta(days=int(lasts)) if lasts in _LASTS and lasts else None,
                scopes=scopes,
                faults=faults,
                by=visit.signed,
            )
    except Invalid as error:
        faults = [FieldError(_FIELDS.get(each.field, each.field), each.message) for each in error.errors]
        return await _page(visit, errors=tuple(faults), status=400)
    return await _page(visit, new=made)


_FIELDS = {"scopes": "scope-WRITE", "expiresAt": "lasts"}


def _taken(name: str, keys: Sequence[ApiKey], now: datetime) -> list[FieldError]:
    if any(key.name == name and key.state(now) == "valid" for key in keys):
        return [FieldError("name", "There is a valid key of this name: choose another, or rotate that.")]
    return []


async def _rotate(visit: Visit) -> Answer:
    visit.need(ADMINS)
    key_id, now = visit.fields.get("key", ""), visit.app.clock()
    async with visit.app.database.transaction() as conn:
        profile = await find_profile(conn, named(visit), vault=visit.app.vault, lock=True)
        _check_successor(key_id, await keys_of(conn, profile.id), now)
        made = await rotate_key(
            conn,
            key_id,
            vault=visit.app.vault,
            service_id=profile.id,
            now=now,
            old_expires_at=now + OVERLAP,
            by=visit.signed,
        )
    return await _page(visit, new=made)


def _check_successor(key_id: str, keys: Sequence[ApiKey], now: datetime) -> None:
    """Conflict where the key has one already: a form that is sent twice makes one."""
    for old in keys:
        later = [key for key in keys if key.name == old.name and key.created_at > old.created_at]
        if old.id == key_id.lower() and any(key.state(now) == "valid" for key in later):
            raise Conflict("This key has a successor already, of the same name. Revoke that first.")


async def _revoke(visit: Visit) -> Answer:
    visit.need(ADMINS)
    async with visit.app.database.transaction() as conn:
        profile = await find_profile(conn, named(visit), vault=visit.app.vault, lock=True)
        await revoke_key(
            conn,
            visit.fields.get("key", ""),
            service_id=profile.id,
            now=visit.app.clock(),
            by=visit.signed,
        )
    return visit.go(f"{SERVICES}/{profile.name}/keys", done="revoked")
