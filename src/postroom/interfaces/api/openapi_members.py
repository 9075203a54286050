"""The part of the OpenAPI document about the members of groups and patches."""

from typing import Any

from postroom.interfaces.api import schemas
from postroom.interfaces.api.openapi_parts import (
    ANYONE,
    FILTERS,
    in_json,
    in_path,
    in_query,
    json_body,
    operation,
    reference_to,
)

STRUCTS = (schemas.MembersBody, schemas.MemberItem, schemas.AudienceItem)

_TAG = "groups and patches"
_REFUSED = (400, 401, 403, 429, 503)
_SOME = {"estates": {"members": ["amala.officer@hackney.gov.uk", "joe.officer@hackney.gov.uk"]}}
_NOBODY: dict[str, Any] = {"nobody": {"members": []}}
_MEMBER = {
    "email": "amala.officer@hackney.gov.uk",
    "registeredAt": "2026-11-23T09:30:00Z",
    "toldAt": None,
}
_LIMIT = FILTERS[-2]
_CURSOR = in_query("cursor", "Where the page begins, from a Link header.", {"type": "string"})
_NEXT = 'The next page, as rel="next".'


def members_paths() -> dict[str, Any]:
    return {**_of("groups", "Group", "group"), **_of("patches", "Patch", "patch")}


def _of(place: str, named: str, kind: str) -> dict[str, Any]:
    text = {"type": "string", "minLength": 1, "maxLength": 120}
    name = in_path("name", f"The {kind}'s name, as in {kind}:<name>.", text)
    listed = {"type": "array", "items": reference_to(schemas.AudienceItem)}
    return {
        f"/{place}": {
            "get": operation(
                name=f"list{named}{'e' * (named == 'Patch')}s",
                summary=f"List the {place} that have members",
                tag=_TAG,
                answers={
                    200: in_json("A page, by name.", listed, [{"name": "estates", "members": 2}], Link=_NEXT)
                },
                problems=_REFUSED,
                security=ANYONE,
                parameters=[_LIMIT, _CURSOR],
            )
        },
        f"/{place}/{{name}}/members": _of_members(named, kind, name),
    }


def _of_members(named: str, kind: str, name: dict[str, Any]) -> dict[str, Any]:
    page = {"type": "array", "items": reference_to(schemas.MemberItem)}
    user = in_query("user", "Whom to remove, by their email address.", {"type": "string"})
    writes: dict[str, Any] = {"tag": _TAG, "problems": (*_REFUSED, 413), "security": ANYONE}
    return {
        "get": operation(
            name=f"list{named}Members",
            summary=f"See who is in a {kind}: registered here, or told by their token",
            tag=_TAG,
            answers={200: in_json("A page, in no order that means anything.", page, [_MEMBER], Link=_NEXT)},
            problems=_REFUSED,
            security=ANYONE,
            parameters=[name, _LIMIT, _CURSOR],
        ),
        "put": operation(
            name=f"set{named}Members",
            summary=f"Register these as members of a {kind}, and nobody else",
            answers={204: {"description": "Registered. Whom their token makes a member stays one."}},
            parameters=[name],
            body=json_body(schemas.MembersBody, _SOME | _NOBODY),
            **writes,
        ),
        "post": operation(
            name=f"add{named}Members",
            summary=f"Register members of a {kind} beside those that it has",
            answers={204: {"description": "Registered."}},
            parameters=[name],
            body=json_body(schemas.MembersBody, _SOME),
            **writes,
        ),
        "delete": operation(
            name=f"remove{named}Member",
            summary=f"End a registered membership of a {kind}",
            tag=_TAG,
            answers={204: {"description": "Ended. Whom their token makes a member stays one."}},
            problems=(*_REFUSED, 404),
            security=ANYONE,
            parameters=[name, user | {"required": True}],
        ),
    }
