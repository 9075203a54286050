"""The paths of feedback and webhooks in the OpenAPI document."""

from typing import Any

from postroom.features.webhooks import Actor, Kind
from postroom.features.webhooks.retry import Outcome
from postroom.features.webhooks.told import FeedbackItem
from postroom.interfaces.api import schemas
from postroom.interfaces.api.openapi_parts import (
    FILTERS,
    MOMENT,
    SERVICES,
    UUID,
    in_json,
    in_path,
    in_query,
    json_body,
    operation,
    reference_to,
)

STRUCTS = (
    FeedbackItem,
    schemas.WebhookBody,
    schemas.WebhookItem,
    schemas.WebhookAttemptItem,
    schemas.ResendBody,
    schemas.ResentItem,
)

_EVENT: dict[str, Any] = {
    "id": "01a20ad8-4a5b-7b53-8f0c-2f9d5b1f7f10",
    "type": "delivered",
    "timestamp": "2026-11-12T17:27:49.102331Z",
    "cursor": "1284",
    "data": {
        "notificationId": "01a20ad8-4a56-73f5-9ece-71a17e565c2f",
        "sequence": 1284,
        "deliveryId": "01a20ad8-4a56-73f5-9ece-71a20565adb1",
        "channel": "Email",
        "status": "delivered",
        "reason": None,
        "action": None,
        "actor": "postroom",
        "reference": "invoice-42",
        "targetId": "7e6041e2-01b6-4c41-9ccd-5b0932616b50",
        "targetType": "Tenure",
        "correlationId": "01a20ad8-4a50-7c21-9d3f-0c1d5a3f2b11",
    },
}
_WEBHOOK: dict[str, Any] = {
    "url": "https://repairs.example.gov.uk/postroom",
    "secret": None,
    "isOn": True,
    "offAt": None,
    "offReason": None,
    "failingSince": None,
    "formerSecretUntil": None,
    "waiting": 0,
    "createdAt": "2026-11-12T17:20:00.000000Z",
}
_ATTEMPT: dict[str, Any] = {
    "id": "01a20ad8-4b12-7001-8a5e-8a6f2f3c9d01",
    "eventId": _EVENT["id"],
    "notificationId": _EVENT["data"]["notificationId"],
    "number": 1,
    "at": "2026-11-12T17:27:49.230114Z",
    "tookMs": 12,
    "statusCode": 204,
    "error": None,
    "outcome": "delivered",
}
_WITH_SECRET = _WEBHOOK | {"secret": "whsec_…"}
_TAG = "feedback"


def describe_structs(components: dict[str, Any]) -> None:
    """What the structs' types do not say."""
    components["FeedbackItem"]["properties"]["type"]["enum"] = list(Kind)
    components["FeedbackData"]["properties"]["actor"]["enum"] = list(Actor)
    components["WebhookAttemptItem"]["properties"]["outcome"]["enum"] = list(Outcome)


def feedback_paths() -> dict[str, Any]:
    return {**_of_feedback(), **_of_webhook(), **_of_attempts()}


def _of_feedback() -> dict[str, Any]:
    place = {"type": "string", "pattern": "^([0-9]{1,18}|now)$"}
    since = in_query(
        "since", "The cursor of the last event that you have; now answers nothing but where to go on.", place
    )
    resent = in_json("Those that will be sent again.", reference_to(schemas.ResentItem), {"resent": 1})
    return {
        "/feedback": {
            "get": operation(
                name="listFeedback",
                summary="Read what happened to your notifications",
                tag=_TAG,
                answers={
                    200: in_json(
                        "Events, the oldest first. They are kept for 30 days.",
                        {"type": "array", "items": reference_to(FeedbackItem)},
                        [_EVENT],
                        Link='What is there beyond, as rel="next".',
                    )
                },
                problems=(400, 401, 403, 429, 503),
                security=SERVICES,
                parameters=[since, FILTERS[-2]],
            )
        },
        "/feedback/{eventId}/resend": {
            "post": operation(
                name="resendEvent",
                summary="Have your webhook called again with one event",
                tag=_TAG,
                answers={200: resent},
                problems=(400, 401, 403, 404, 409, 413, 429, 503),
                security=SERVICES,
                parameters=[in_path("eventId", "The event's id.", UUID)],
            )
        },
        "/feedback/resend": {
            "post": operation(
                name="resendEvents",
                summary="Have your webhook called again with all events since a moment",
                tag=_TAG,
                answers={200: resent},
                problems=(400, 401, 403, 409, 413, 429, 503),
                security=SERVICES,
                body=json_body(schemas.ResendBody, {"since": {"since": "2026-11-12T17:00:00Z"}}),
            )
        },
    }


def _of_webhook() -> dict[str, Any]:
    item = reference_to(schemas.WebhookItem)
    return {
        "/webhook": {
            "put": operation(
                name="setWebhook",
                summary="Be called back, signed by Standard Webhooks",
                tag=_TAG,
                answers={
                    200: in_json("Changed, and on. Its secret stays.", item, _WEBHOOK),
                    201: in_json("New. The secret is shown this once.", item, _WITH_SECRET),
                },
                problems=(400, 401, 403, 413, 429, 503),
                security=SERVICES,
                body=json_body(schemas.WebhookBody, {"url": {"url": _WEBHOOK["url"]}}),
            ),
            "get": operation(
                name="getWebhook",
                summary="See your webhook, and whether it works",
                tag=_TAG,
                answers={200: in_json("Your webhook.", item, _WEBHOOK)},
                problems=(401, 403, 404, 429, 503),
                security=SERVICES,
            ),
            "delete": operation(
                name="removeWebhook",
                summary="Be called back no more",
                tag=_TAG,
                answers={204: {"description": "Removed. The feed stays."}},
                problems=(401, 403, 404, 429, 503),
                security=SERVICES,
            ),
        },
        "/webhook/rotate": {
            "post": operation(
                name="rotateWebhookSecret",
                summary="Get a new secret; for 24 hours calls are signed with the former one too",
                tag=_TAG,
                answers={200: in_json("The new secret, shown this once.", item, _WITH_SECRET)},
                problems=(401, 403, 404, 413, 429, 503),
                security=SERVICES,
            )
        },
    }


def _of_attempts() -> dict[str, Any]:
    return {
        "/webhook/attempts": {
            "get": operation(
                name="listWebhookAttempts",
                summary="See every try to call you back",
                tag=_TAG,
                answers={
                    200: in_json(
                        "A page, newest first.",
                        {"type": "array", "items": reference_to(schemas.WebhookAttemptItem)},
                        [_ATTEMPT],
                        Link='The next page, as rel="next".',
                    )
                },
                problems=(400, 401, 403, 429, 503),
                security=SERVICES,
                parameters=[
                    in_query("eventId", "Of one event.", UUID),
                    in_query("notificationId", "Of one notification.", UUID),
                    in_query("outcome", "With one outcome.", {"type": "string", "enum": list(Outcome)}),
                    in_query("madeFrom", "Made then or later.", MOMENT),
                    in_query("madeTo", "Made before.", MOMENT),
                    *FILTERS[-2:],
                ],
            )
        }
    }
