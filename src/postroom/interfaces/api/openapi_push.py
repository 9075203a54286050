"""The part of the OpenAPI document about popups while no page is open."""

from typing import Any

from postroom.interfaces.api import push_schemas
from postroom.interfaces.api.openapi_inbox import PEOPLE
from postroom.interfaces.api.openapi_parts import (
    UUID,
    in_json,
    in_path,
    json_body,
    operation,
    reference_to,
)

STRUCTS = (
    push_schemas.PushSubscriptionBody,
    push_schemas.PushEndpointBody,
    push_schemas.PushSubscriptionItem,
    push_schemas.PushItem,
)

_TAG = "popups"
_REFUSED = (400, 401, 403, 413, 429, 503)
_KEY = "BLf_JHuQu7hvzvc4G2x2FXpOeh1tKVuYf29T16r8xhuWvz2Lq9vQtkBLHVrVjQUQNACFhd66oHfBdFzXSMdXX58"
_ENDPOINT = "https://updates.push.example.com/wpush/v2/gAAAAABn"
_BODIES: dict[str, Any] = {
    "browser": {
        "endpoint": _ENDPOINT,
        "expirationTime": None,
        "keys": {
            "p256dh": _KEY,
            "auth": "BTBZMqHH6r4Tts7J_aSIgg",
        },
    }
}
_SUBSCRIPTION = {
    "id": "01a20ad8-4a56-73f5-9ece-71a17e565c2f",
    "createdDate": "2026-11-23T09:30:00Z",
    "confirmedDate": "2026-11-24T08:55:00Z",
    "expiresDate": None,
}
_GONE = {204: {"description": "Nothing more is pushed to it."}}


def describe_structs(components: dict[str, Any]) -> None:
    """What no type says."""
    components["PushSubscriptionBody"]["required"] = ["endpoint", "keys"]
    components["PushKeysBody"]["required"] = ["p256dh", "auth"]
    components["PushEndpointBody"]["required"] = ["endpoint"]


def push_paths() -> dict[str, Any]:
    return {
        "/push": {"get": _get()},
        "/push/subscriptions": {"post": _subscribe(), "delete": _unsubscribe()},
        "/push/subscriptions/{id}": {"delete": _remove()},
    }


def _get() -> dict[str, Any]:
    shown = {"publicKey": _KEY, "subscriptions": [_SUBSCRIPTION]}
    return operation(
        name="getPush",
        summary="What a browser subscribes to popups with, and which of yours do",
        tag=_TAG,
        answers={200: in_json("The last confirmed first.", reference_to(push_schemas.PushItem), shown)},
        problems=(401, 403, 429, 503),
        security=PEOPLE,
    )


def _subscribe() -> dict[str, Any]:
    made = in_json(
        "It is pushed what is new for you. The same again confirms it.",
        reference_to(push_schemas.PushSubscriptionItem),
        _SUBSCRIPTION,
    )
    return operation(
        name="subscribeBrowser",
        summary="Have popups pushed to a browser of yours",
        tag=_TAG,
        answers={201: made},
        problems=_REFUSED,
        security=PEOPLE,
        body=json_body(push_schemas.PushSubscriptionBody, _BODIES),
    )


def _unsubscribe() -> dict[str, Any]:
    return operation(
        name="unsubscribeBrowser",
        summary="Push nothing more to a browser, by its address",
        tag=_TAG,
        answers=_GONE,
        problems=(*_REFUSED, 404),
        security=PEOPLE,
        body=json_body(push_schemas.PushEndpointBody, {"browser": {"endpoint": _ENDPOINT}}),
    )


def _remove() -> dict[str, Any]:
    return operation(
        name="removeSubscription",
        summary="Push nothing more to a browser, by the id of its subscription",
        tag=_TAG,
        answers=_GONE,
        problems=(400, 401, 403, 404, 429, 503),
        security=PEOPLE,
        parameters=[in_path("id", "The subscription's id.", UUID)],
    )
