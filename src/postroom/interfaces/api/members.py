"""The endpoints of groups and patches: who is in them. A key needs a scope of its own, a person a role."""

from collections.abc import Mapping
from typing import Any

from litestar import delete, get, post, put
from litestar.params import FromPath
from litestar.types import ASGIApp

from postroom.domain.audience import Audience, AudienceKind, audience_named
from postroom.domain.errors import FieldError, Invalid
from postroom.domain.scope import Scope
from postroom.features import recipients
from postroom.interfaces.api.answer import json_answer
from postroom.interfaces.api.body import read_body
from postroom.interfaces.api.parts import AnyRequest, parts_of
from postroom.interfaces.api.query import DEFAULT_LIMIT, next_link, parse, read_limit, read_parameters
from postroom.interfaces.api.schemas import AudienceItem, MemberItem, MembersBody

_KINDS = {"groups": AudienceKind.GROUP, "patches": AudienceKind.PATCH}
_LISTS = [f"/{place}" for place in _KINDS]
_MEMBERS = [f"/{place}/{{name:str}}/members" for place in _KINDS]
_PAGED = ("limit", "cursor")
_INDEX_DIGITS = 32


@get(_LISTS)
async def list_audiences(request: AnyRequest) -> ASGIApp:
    postroom, authenticator = parts_of(request)
    await authenticator.administrator(request, scope=Scope.MEMBERS)
    place, given = _place(request), _given(request, _PAGED)
    limit = _limit(given)
    async with postroom.database.reading() as conn:
        found, after = await recipients.audiences(conn, _KINDS[place], after=given.get("cursor"), limit=limit)
    headers = next_link(f"/{place}", given.items(), cursor=after, prefix=postroom.settings.api_prefix)
    return json_answer([AudienceItem(each.name, each.members) for each in found], headers=headers)


@get(_MEMBERS)
async def list_members(request: AnyRequest, name: FromPath[str]) -> ASGIApp:
    postroom, authenticator = parts_of(request)
    await authenticator.administrator(request, scope=Scope.MEMBERS)
    audience, given = _audience(request, name), _given(request, _PAGED)
    limit, errors = _limit(given), list[FieldError]()
    after = parse(given, "cursor", _read_cursor, errors)
    if errors:
        raise Invalid(errors)
    async with postroom.database.reading() as conn:
        found, after = await recipients.members_of(
            conn, audience, vault=postroom.vault, after=after, limit=limit
        )
    path = request.scope["path"]
    headers = next_link(path, given.items(), cursor=after, prefix=postroom.settings.api_prefix)
    return json_answer([_to_item(each) for each in found], headers=headers)


@put(_MEMBERS, status_code=204)
async def set_members(request: AnyRequest, name: FromPath[str]) -> None:
    await _write(request, name, recipients.set_members)


@post(_MEMBERS, status_code=204)
async def add_members(request: AnyRequest, name: FromPath[str]) -> None:
    await _write(request, name, recipients.add_members)


@delete(_MEMBERS, status_code=204)
async def remove_member(request: AnyRequest, name: FromPath[str]) -> None:
    postroom, authenticator = parts_of(request)
    await authenticator.administrator(request, scope=Scope.MEMBERS)
    audience, given = _audience(request, name), _given(request, ("user",))
    if "user" not in given:
        raise Invalid([FieldError("user", "Say whom to remove, by their email address.")])
    async with postroom.database.transaction() as conn:
        await recipients.remove_member(conn, audience, given["user"], vault=postroom.vault)
    postroom.memberships.forget()


async def _write(request: AnyRequest, name: str, write: Any) -> None:
    postroom, authenticator = parts_of(request)
    await authenticator.administrator(request, scope=Scope.MEMBERS)
    audience = _audience(request, name)
    body, faults = await read_body(request, MembersBody)
    if body.members is None and not faults:
        faults.append(FieldError("members", "Send a list of email addresses."))
    if faults or body.members is None:
        raise Invalid(faults)
    async with postroom.database.transaction() as conn:
        await write(conn, audience, body.members, vault=postroom.vault, now=postroom.clock())
    postroom.memberships.forget()


def _place(request: AnyRequest) -> str:
    """The first part of the path: which kind of audience is meant."""
    return str(request.scope["path"]).split("/")[1]


def _audience(request: AnyRequest, name: str) -> Audience:
    audience = audience_named(_KINDS[_place(request)], name)
    if audience is None:
        raise Invalid([FieldError("name", "Use up to 120 characters, without commas and colons.")])
    return audience


def _given(request: AnyRequest, known: tuple[str, ...]) -> Mapping[str, str]:
    return {name: values[0] for name, values in read_parameters(request, known=known).items()}


def _limit(given: Mapping[str, str]) -> int:
    errors: list[FieldError] = []
    limit: int = parse(given, "limit", read_limit, errors) or DEFAULT_LIMIT
    if errors:
        raise Invalid(errors)
    return limit


def _read_cursor(text: str) -> str:
    if len(text) != _INDEX_DIGITS or set(text) - set("0123456789abcdef"):
        raise ValueError("Use the cursor of a Link header as it stands.")
    return text


def _to_item(member: recipients.Member) -> MemberItem:
    return MemberItem(email=member.email, registered_at=member.registered_at, told_at=member.told_at)
