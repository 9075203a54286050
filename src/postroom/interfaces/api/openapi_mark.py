"""The part of the OpenAPI document about marking what a person's list holds."""

from typing import Any

from postroom.interfaces.api import schemas
from postroom.interfaces.api.mark import KNOWN
from postroom.interfaces.api.openapi_inbox import PEOPLE
from postroom.interfaces.api.openapi_parts import FILTERS, in_json, json_body, operation, reference_to

_BODIES: dict[str, Any] = {
    "all": {"actionType": "IsRead"},
    "some": {"actionType": "IsSeen", "ids": ["01a20ad8-4a56-73f5-9ece-71a17e565c2f"]},
}


def mark_operation(tag: str) -> dict[str, Any]:
    marked = in_json(
        "So many were changed, the newest first.",
        reference_to(schemas.MarkedItem),
        {"marked": 3, "isComplete": True},
    )
    return operation(
        name="markNotifications",
        summary="Mark all that your list holds as seen, read, unread or archived",
        tag=tag,
        answers={200: marked},
        problems=(400, 401, 403, 413, 429, 503),
        security=PEOPLE,
        parameters=[each for each in FILTERS if each["name"] in KNOWN],
        body=json_body(schemas.MarkBody, _BODIES),
    )
