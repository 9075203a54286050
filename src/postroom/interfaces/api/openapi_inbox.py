"""The paths of what officers see as it happens, in the OpenAPI document."""

from typing import Any

from postroom.interfaces.api.openapi_parts import operation

PEOPLE: list[dict[str, list[str]]] = [{"officerToken": []}]

_TAG = "notifications"
_LAST_EVENT_ID = {
    "name": "Last-Event-ID",
    "in": "header",
    "required": False,
    "description": "The id of the last event that came: the stream goes on after it.",
    "schema": {"type": "string"},
}
_EVENTS = """What changes for the asking person, as it happens, by server-sent events. Read it with `fetch`.

| event | data |
|---|---|
| `new` | a notification, as in the list |
| `changed` | the same. Where others see it too, `isReadStatus`, `isSeenStatus` and `isArchived` are \
left out: they stay as you have them |
| `removed` | `id` |
| `count` | `unread`, `isExact` |
| `reset` | nothing: load the list anew |

A stream is ended after a quarter of an hour, and with its token; come again with `Last-Event-ID`. What was \
changed within the last 15 minutes is then told, once; after longer, or where it was very much, `reset` is."""


def inbox_paths() -> dict[str, Any]:
    stream = {
        "description": _EVENTS,
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
    return {
        "/notifications/stream": {
            "get": operation(
                name="streamNotifications",
                summary="Be told what changes, as it happens",
                tag=_TAG,
                answers={200: stream},
                problems=(400, 401, 403, 429, 503),
                security=PEOPLE,
                parameters=[_LAST_EVENT_ID],
            )
        }
    }
