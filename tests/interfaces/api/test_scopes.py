"""What a key may be used for: each endpoint has its scope, and says which where it is missing."""

from typing import Any

import pytest

from postroom.domain.scope import EVERY_SCOPE, Scope
from postroom.interfaces.api.openapi import document

pytestmark = pytest.mark.asyncio(loop_scope="module")

NO_ID = "00000000-0000-4000-8000-000000000000"
LET_IN = (200, 400, 404, 409)
"""What a request is answered that is let in: it may be wrong all the same, or of what is not there."""
NEEDED = {
    ("post", "/notifications"): Scope.WRITE,
    ("get", "/notifications"): Scope.READ,
    ("get", "/notifications/count"): Scope.READ,
    ("post", "/notifications/bulk"): Scope.WRITE,
    ("get", "/notifications/{id}"): Scope.READ,
    ("get", "/notifications/{id}/timeline"): Scope.READ,
    ("patch", "/notifications/{id}"): Scope.WRITE,
    ("delete", "/notifications/{id}"): Scope.WRITE,
    ("get", "/audit"): Scope.READ,
    ("get", "/dead-letters"): Scope.READ,
    ("get", "/dead-letters/{deliveryId}"): Scope.READ,
    ("post", "/dead-letters/{deliveryId}/replay"): Scope.WRITE,
    ("post", "/dead-letters/replay"): Scope.WRITE,
    ("get", "/message-status/{service}/{notificationId}"): Scope.READ,
    ("get", "/templates/{service}"): Scope.TEMPLATES,
    ("get", "/templates/{service}/{templateId}"): Scope.TEMPLATES,
    ("post", "/templates/{service}/{templateId}/preview"): Scope.TEMPLATES,
    ("get", "/services"): Scope.READ,
    ("get", "/services/{name}"): Scope.READ,
    ("get", "/services/{name}/keys"): Scope.READ,
    ("get", "/feedback"): Scope.READ,
    ("post", "/feedback/{eventId}/resend"): Scope.WRITE,
    ("post", "/feedback/resend"): Scope.WRITE,
    ("get", "/webhook"): Scope.READ,
    ("put", "/webhook"): Scope.WRITE,
    ("delete", "/webhook"): Scope.WRITE,
    ("post", "/webhook/rotate"): Scope.WRITE,
    ("get", "/webhook/attempts"): Scope.READ,
    ("get", "/groups"): Scope.MEMBERS,
    ("get", "/groups/{name}/members"): Scope.MEMBERS,
    ("put", "/groups/{name}/members"): Scope.MEMBERS,
    ("post", "/groups/{name}/members"): Scope.MEMBERS,
    ("delete", "/groups/{name}/members"): Scope.MEMBERS,
    ("get", "/patches"): Scope.MEMBERS,
    ("get", "/patches/{name}/members"): Scope.MEMBERS,
    ("put", "/patches/{name}/members"): Scope.MEMBERS,
    ("post", "/patches/{name}/members"): Scope.MEMBERS,
    ("delete", "/patches/{name}/members"): Scope.MEMBERS,
}


async def test_every_endpoint_that_takes_a_key_is_here() -> None:
    taking = {
        (method, path)
        for path, operations in document()["paths"].items()
        for method, operation in operations.items()
        if {"apiKey": []} in operation["security"]
    }

    assert set(NEEDED) == taking


@pytest.mark.parametrize(("place", "scope"), NEEDED.items(), ids=str)
async def test_a_key_without_its_scope_is_403_and_the_scope_is_named(
    place: tuple[str, str], scope: Scope, office: Any
) -> None:
    method, path = place
    for name in ("{id}", "{notificationId}", "{templateId}", "{deliveryId}", "{eventId}"):
        path = path.replace(name, NO_ID)
    # A group may have any name; a service that calls reads itself alone.
    path = path.replace("{service}", "other").replace("{name}", "other")
    body = {} if method in ("post", "patch", "put") else None
    others = (await office.issue(scopes=EVERY_SCOPE - {scope})).key
    alone = (await office.issue(scopes=[scope])).key

    problem = await office.problem(403, method.upper(), path, key=others, body=body)
    assert problem["detail"] == f"This key has not the scope {scope}."
    assert (await office.call(method.upper(), path, key=alone, body=body)).status in LET_IN
