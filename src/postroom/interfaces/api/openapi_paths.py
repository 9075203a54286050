"""The paths of the OpenAPI document: every operation with its parameters and its answers."""

from typing import Any

from postroom.interfaces.api import examples, schemas
from postroom.interfaces.api.openapi_audit import audit_paths
from postroom.interfaces.api.openapi_feedback import feedback_paths
from postroom.interfaces.api.openapi_inbox import inbox_paths
from postroom.interfaces.api.openapi_mark import mark_operation
from postroom.interfaces.api.openapi_members import members_paths
from postroom.interfaces.api.openapi_parts import (
    ANYONE,
    COUNT_FILTERS,
    DEAD_LETTER,
    DEAD_LETTER_FILTERS,
    FILTERS,
    FORMAT,
    ID,
    IDEMPOTENCY_KEY,
    IF_MATCH,
    IF_NONE_MATCH,
    RATE_LIMITS,
    REFRESH,
    SERVICE,
    SERVICES,
    UUID,
    VALIDATE_ONLY,
    header_texts,
    in_json,
    in_path,
    json_body,
    operation,
    reference_to,
)
from postroom.interfaces.api.openapi_push import push_paths
from postroom.interfaces.api.openapi_services import service_paths

_ASKING_NOTIFY = (400, 401, 403, 404, 424, 429, 503)
_TEMPLATE_ID = in_path("templateId", "The template's id.", UUID)


def all_paths() -> dict[str, Any]:
    return {
        **_of_notifications(),
        **_of_one_notification(),
        **_of_dead_letters(),
        **audit_paths(),
        **feedback_paths(),
        **inbox_paths(),
        **members_paths(),
        **push_paths(),
        **service_paths(),
        **_of_messages(),
        **_of_operations(),
    }


def _of_notifications() -> dict[str, Any]:
    item = reference_to(schemas.NotificationItem)
    tag = "notifications"
    page = in_json(
        "A page, newest first.",
        {"type": "array", "items": item},
        [examples.NOTIFICATION],
        Link='The next page, as rel="next".',
    )
    page["content"]["text/csv"] = {
        "schema": {"type": "string", "description": "All pages, with what the list masks masked."}
    }
    return {
        "/notifications": {
            "post": _create(tag, item),
            "get": operation(
                name="listNotifications",
                summary="List notifications, a page as JSON or all of them as CSV",
                tag=tag,
                answers={200: page},
                problems=(400, 401, 403, 429, 503),
                security=ANYONE,
                parameters=[*FILTERS, FORMAT],
            ),
        },
        "/notifications/count": {
            "get": operation(
                name="countNotifications",
                summary="Count notifications",
                tag=tag,
                answers={200: _counted(), 304: {"description": "It is the number that the asker has."}},
                problems=(400, 401, 403, 429, 503),
                security=ANYONE,
                parameters=[*COUNT_FILTERS, IF_NONE_MATCH],
            ),
        },
        "/notifications/bulk": {"post": _bulk(tag)},
        "/notifications/mark": {"post": mark_operation(tag)},
    }


def _create(tag: str, item: dict[str, Any]) -> dict[str, Any]:
    created = in_json(
        "Accepted and kept. What is to be sent is sent next.",
        item,
        examples.NOTIFICATION,
        Location="Where it is.",
        ETag="Its version, for If-Match.",
        **{"Idempotent-Replay": "true, where the Idempotency-Key had been used before."},
        **RATE_LIMITS,
    )
    valid = in_json(
        "Asked with validateOnly: it would be accepted.",
        reference_to(schemas.ValidationItem),
        examples.VALIDATION,
        **RATE_LIMITS,
    )
    return operation(
        name="createNotification",
        summary="Notify somebody",
        tag=tag,
        answers={200: valid, 201: created},
        problems=(400, 401, 403, 409, 413, 422, 429, 503),
        security=SERVICES,
        parameters=[IDEMPOTENCY_KEY, VALIDATE_ONLY],
        body=json_body(schemas.NotificationBody, examples.NEW_NOTIFICATIONS),
    )


def _bulk(tag: str) -> dict[str, Any]:
    results = in_json(
        "A result for each, in their order: what POST would have answered to it alone.",
        {"type": "array", "items": reference_to(schemas.BulkResult)},
        examples.BULK_RESULTS,
        **RATE_LIMITS,
    )
    many = {"type": "array", "items": {"type": "object"}, "minItems": 1, "maxItems": 1_000}
    described = "1 to 1,000 bodies of POST /notifications. They give way to what is posted alone."
    return operation(
        name="createNotifications",
        summary="Notify many",
        tag=tag,
        answers={207: results},
        problems=(400, 401, 403, 413, 422, 429, 503),
        security=SERVICES,
        parameters=[IDEMPOTENCY_KEY, VALIDATE_ONLY],
        body={
            "required": True,
            "content": {
                "application/json": {
                    "schema": many | {"description": described},
                    "example": examples.NEW_BULK,
                }
            },
        },
    )


def _of_one_notification() -> dict[str, Any]:
    item = reference_to(schemas.NotificationItem)
    one = in_json(
        "The notification.", item, examples.NOTIFICATION, ETag="Its version, for If-Match and If-None-Match."
    )
    same = {"description": "It is as the asker has it.", "headers": header_texts({"ETag": "Its version."})}
    tag = "notifications"
    return {
        "/notifications/{id}/timeline": {"get": _timeline(tag)},
        "/notifications/{id}": {
            "get": operation(
                name="getNotification",
                summary="Get one notification",
                tag=tag,
                answers={200: one, 304: same},
                problems=(400, 401, 403, 404, 429, 503),
                security=ANYONE,
                parameters=[ID, IF_NONE_MATCH],
            ),
            "patch": operation(
                name="actOnNotification",
                summary="Record what somebody did about it",
                tag=tag,
                answers={200: one},
                problems=(400, 401, 403, 404, 409, 412, 413, 429, 503),
                security=ANYONE,
                parameters=[ID, IF_MATCH],
                body=json_body(schemas.ActionBody, examples.ACTIONS),
            ),
            "delete": operation(
                name="removeNotification",
                summary="Remove it from every list and count",
                tag=tag,
                answers={204: {"description": "Removed. What nobody had begun to send is cancelled."}},
                problems=(400, 401, 403, 404, 409, 429, 503),
                security=ANYONE,
                parameters=[ID],
            ),
        },
    }


def _counted() -> dict[str, Any]:
    item = reference_to(schemas.CountItem)
    return in_json("How many.", item, examples.COUNT, ETag="The number, for If-None-Match.")


def _timeline(tag: str) -> dict[str, Any]:
    lines = {"type": "array", "items": reference_to(schemas.TimelineItem)}
    told = in_json("What happened, the oldest first; then what is still to come.", lines, examples.TIMELINE)
    return operation(
        name="getTimeline",
        summary="Read what became of it, in plain English",
        tag=tag,
        answers={200: told},
        problems=(400, 401, 403, 404, 429, 503),
        security=ANYONE,
        parameters=[ID],
    )


def _of_dead_letters() -> dict[str, Any]:
    letter = reference_to(schemas.DeadLetterItem)
    tag = "dead letters"
    page = in_json(
        "A page, newest first.",
        {"type": "array", "items": letter},
        [examples.DEAD_LETTER],
        Link='The next page, as rel="next".',
    )
    return {
        "/dead-letters": {
            "get": operation(
                name="listDeadLetters",
                summary="List what was given up, or needs a decision",
                tag=tag,
                answers={200: page},
                problems=(400, 401, 403, 429, 503),
                security=SERVICES,
                parameters=DEAD_LETTER_FILTERS,
            )
        },
        "/dead-letters/{deliveryId}": {
            "get": operation(
                name="getDeadLetter",
                summary="Get one, with all its tries",
                tag=tag,
                answers={200: in_json("The dead letter.", letter, examples.DEAD_LETTER)},
                problems=(400, 401, 403, 404, 429, 503),
                security=SERVICES,
                parameters=[DEAD_LETTER],
            )
        },
        **_of_replays(tag),
    }


def _of_replays(tag: str) -> dict[str, Any]:
    item = reference_to(schemas.ReplayedItem)
    replayed = in_json("So many are taken up again.", item, examples.REPLAYED)
    return {
        "/dead-letters/{deliveryId}/replay": {
            "post": operation(
                name="replayDeadLetter",
                summary="Take one up again",
                tag=tag,
                answers={200: replayed},
                problems=(400, 401, 403, 404, 409, 413, 429, 503),
                security=SERVICES,
                parameters=[DEAD_LETTER],
                body=json_body(schemas.ReplayBody, examples.REPLAYS) | {"required": False},
            )
        },
        "/dead-letters/replay": {
            "post": operation(
                name="replayDeadLetters",
                summary="Take up again all that are chosen",
                tag=tag,
                answers={200: replayed},
                problems=(400, 401, 403, 413, 429, 503),
                security=SERVICES,
                body=json_body(schemas.ReplayManyBody, examples.REPLAYS_OF_MANY),
            )
        },
    }


def _of_messages() -> dict[str, Any]:
    message_id = in_path("notificationId", "Notify's id, a delivery's or a notification's.", UUID)
    found = in_json("The message.", reference_to(schemas.MessageStatusItem), examples.MESSAGE_STATUS)
    return {
        "/message-status/{service}/{notificationId}": {
            "get": operation(
                name="getMessageStatus",
                summary="Ask GOV.UK Notify about one message",
                tag="messages",
                answers={200: found},
                problems=_ASKING_NOTIFY,
                security=SERVICES,
                parameters=[SERVICE, message_id],
            )
        },
        **_of_templates(),
    }


def _of_templates() -> dict[str, Any]:
    template = reference_to(schemas.TemplateItem)
    listed = in_json("The templates.", {"type": "array", "items": template}, [examples.TEMPLATE])
    return {
        "/templates/{service}": {
            "get": operation(
                name="listTemplates",
                summary="List the templates of a service",
                tag="messages",
                answers={200: listed},
                problems=_ASKING_NOTIFY,
                security=SERVICES,
                parameters=[SERVICE, REFRESH],
            )
        },
        "/templates/{service}/{templateId}": {
            "get": operation(
                name="getTemplate",
                summary="Get one template",
                tag="messages",
                answers={200: in_json("The template.", template, examples.TEMPLATE)},
                problems=_ASKING_NOTIFY,
                security=SERVICES,
                parameters=[SERVICE, _TEMPLATE_ID, REFRESH],
            )
        },
        "/templates/{service}/{templateId}/preview": {"post": _preview()},
    }


def _preview() -> dict[str, Any]:
    made = in_json(
        "The template filled in, by GOV.UK Notify itself.",
        reference_to(schemas.PreviewItem),
        examples.PREVIEW,
    )
    return operation(
        name="previewTemplate",
        summary="See what would go out",
        tag="messages",
        answers={200: made},
        problems=(*_ASKING_NOTIFY, 413),
        security=SERVICES,
        parameters=[SERVICE, _TEMPLATE_ID],
        body=json_body(schemas.PreviewBody, examples.PREVIEWS) | {"required": False},
    )


def _of_operations() -> dict[str, Any]:
    health = reference_to(schemas.Health)
    well = in_json("Ready.", health, {"status": "ok", "checks": {"database": "ok"}})
    unwell = in_json(
        "Not ready.", health, {"status": "unavailable", "checks": {"database": "does not answer"}}
    )
    alive = in_json("Alive.", health, {"status": "ok", "checks": {}})
    text = {
        "description": "Prometheus' text format.",
        "content": {"text/plain": {"schema": {"type": "string"}}},
    }
    paths = {"/receipts/govuk-notify": {"post": _receipt()}}
    for path, name, summary, answers in (
        ("/metrics", "metrics", "Where everything stands, for Prometheus", {200: text}),
        ("/health/live", "healthLive", "Health", {200: alive}),
        ("/health/ready", "healthReady", "Health", {200: well, 503: unwell}),
        ("/health", "health", "Health", {200: well, 503: unwell}),
    ):
        asked = operation(
            name=name, summary=summary, tag="operations", answers=answers, problems=(), security=[]
        )
        paths[path] = {"get": asked}
    return paths


def _receipt() -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": ["id", "status"],
        "properties": {"id": {"type": "string"}, "status": {"type": "string"}},
    }
    return operation(
        name="takeReceipt",
        summary="Take a delivery receipt of GOV.UK Notify",
        tag="operations",
        answers={204: {"description": "Kept, whether its message is known or not."}},
        problems=(400, 401, 403, 413, 503),
        security=[{"receiptToken": []}],
        body={
            "required": True,
            "content": {"application/json": {"schema": schema, "example": examples.RECEIPT}},
        },
    )
