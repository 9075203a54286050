"""The OpenAPI 3.1 document: the schemas come from the wire's structs, the rest from the tables below.

`python -m postroom.interfaces.api.openapi docs/openapi.json` writes it, with `--check` it compares.
"""

import sys
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from postroom.domain.action import ActionType
from postroom.domain.channel import Channel
from postroom.domain.status import Status
from postroom.interfaces.api import examples, schemas
from postroom.interfaces.api.query import LARGEST_LIMIT

_STRUCTS = (
    schemas.NotificationBody,
    schemas.ActionBody,
    schemas.NotificationItem,
    schemas.MessageStatusItem,
    schemas.TemplateItem,
    schemas.Problem,
    schemas.Health,
)
_PROBLEMS = {
    400: "Something that was sent needs to be corrected; every field at fault is named.",
    401: "Who calls is not known.",
    403: "The caller may not do this.",
    404: "There is no such thing, or not for this caller.",
    409: "It is in a state that does not allow this.",
    412: "It has changed since the ETag in If-Match.",
    422: "The Idempotency-Key came with another body before.",
    413: "The body is too large.",
    424: "GOV.UK Notify does not accept the service's key.",
    429: "The service has used its calls of a minute; Retry-After says when to ask again.",
    503: "Busy: nothing was changed, and Retry-After says when to try again.",
}
_RATE_LIMITS = {
    "RateLimit-Limit": "The calls that your service may make in a minute.",
    "RateLimit-Remaining": "Those that are left now.",
    "RateLimit-Reset": "The seconds after which all of them are.",
    "RateLimit-Policy": "The limit with its time in seconds, as in 12000;w=60.",
}
_UUID = {"type": "string", "format": "uuid"}
_MOMENT = {"type": "string", "description": "A date, or a time by RFC 3339."}


def _path(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "description": description, "schema": schema}


def _query(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


_ID = _path("id", "The notification's id.", _UUID)
_SERVICE = _path(
    "service",
    "The name of your service (or its Notify key, where the configuration takes keys).",
    {"type": "string", "minLength": 1},
)
_REFRESH = _query("refresh", "Ask GOV.UK Notify now.", {"type": "boolean"})
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key with the same body makes one notification, however often it is sent.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of the version that is acted on.",
    "schema": {"type": "string"},
}
_CHANNELS = {"type": "array", "items": {"type": "string", "enum": [*Channel, "All"]}}
_FILTERS = [
    _query("notificationType", "One or more channels, repeated or with commas.", _CHANNELS),
    _query("targetId", "What it is about.", {"type": "string"}),
    _query("targetType", "The kind of thing that it is about.", {"type": "string"}),
    _query("user", "Whom it addresses: an e-mail address, group:<name> or patch:<id>.", {"type": "string"}),
    _query("isReadStatus", "Whether the asker has read it.", {"type": "boolean"}),
    _query("requireAction", "Whether it asks for an action.", {"type": "boolean"}),
    _query("performedActionType", "The last action.", {"type": "string", "enum": list(ActionType)}),
    _query("createdFrom", "Not before this.", _MOMENT),
    _query("createdTo", "Before this.", _MOMENT),
    _query("reference", "The service's own reference.", {"type": "string"}),
    _query("limit", "How many a page has.", {"type": "integer", "minimum": 1, "maximum": LARGEST_LIMIT}),
    _query("cursor", "Where the page begins, from a Link header.", _UUID),
]
_ANYONE: list[dict[str, list[str]]] = [{"apiKey": []}, {"officerToken": []}]
_SERVICES: list[dict[str, list[str]]] = [{"apiKey": []}]


def _reference(struct: type[msgspec.Struct]) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{struct.__name__}"}


def _operation(
    *,
    name: str,
    summary: str,
    tag: str,
    answers: dict[int, dict[str, Any]],
    problems: tuple[int, ...],
    security: list[dict[str, list[str]]],
    parameters: list[dict[str, Any]] | None = None,
    body: dict[str, Any] | None = None,
) -> dict[str, Any]:
    responses = {str(status): answer for status, answer in answers.items()}
    for status in sorted(problems):
        responses[str(status)] = _problem(status)
    operation: dict[str, Any] = {
        "operationId": name,
        "summary": summary,
        "tags": [tag],
        "parameters": parameters or [],
        "responses": responses,
        "security": security,
    }
    if body is not None:
        operation["requestBody"] = body
    return operation


def _problem(status: int) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": _PROBLEMS[status],
        "content": {"application/problem+json": {"schema": _reference(schemas.Problem)}},
    }
    if status in (429, 503):
        answer["headers"] = _headers({"Retry-After": "Seconds."} | (_RATE_LIMITS if status == 429 else {}))
    return answer


def _headers(texts: dict[str, str]) -> dict[str, Any]:
    return {name: {"schema": {"type": "string"}, "description": text} for name, text in texts.items()}


def _json(description: str, schema: dict[str, Any], example: Any, **headers: str) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": description,
        "content": {"application/json": {"schema": schema, "example": example}},
    }
    if headers:
        answer["headers"] = _headers(headers)
    return answer


def _body(struct: type[msgspec.Struct], named_examples: dict[str, Any]) -> dict[str, Any]:
    shown = {name: {"value": value} for name, value in named_examples.items()}
    return {
        "required": True,
        "content": {"application/json": {"schema": _reference(struct), "examples": shown}},
    }


def _notifications() -> dict[str, Any]:
    item = _reference(schemas.NotificationItem)
    created = _json(
        "Accepted and kept. What is to be sent is sent next.",
        item,
        examples.NOTIFICATION,
        Location="Where it is.",
        ETag="Its version, for If-Match.",
        **{"Idempotent-Replay": "true, where the Idempotency-Key had been used before."},
        **_RATE_LIMITS,
    )
    page = _json(
        "A page, newest first.",
        {"type": "array", "items": item},
        [examples.NOTIFICATION],
        Link='The next page, as rel="next".',
    )
    tag = "notifications"
    return {
        "/notifications": {
            "post": _operation(
                name="createNotification",
                summary="Notify somebody",
                tag=tag,
                answers={201: created},
                problems=(400, 401, 403, 409, 413, 422, 429, 503),
                security=_SERVICES,
                parameters=[_IDEMPOTENCY_KEY],
                body=_body(schemas.NotificationBody, examples.NEW_NOTIFICATIONS),
            ),
            "get": _operation(
                name="listNotifications",
                summary="List notifications",
                tag=tag,
                answers={200: page},
                problems=(400, 401, 429, 503),
                security=_ANYONE,
                parameters=_FILTERS,
            ),
        },
    }


def _one_notification() -> dict[str, Any]:
    item = _reference(schemas.NotificationItem)
    one = _json("The notification.", item, examples.NOTIFICATION, ETag="Its version, for If-Match.")
    tag = "notifications"
    return {
        "/notifications/{id}": {
            "get": _operation(
                name="getNotification",
                summary="Get one notification",
                tag=tag,
                answers={200: one},
                problems=(400, 401, 404, 429, 503),
                security=_ANYONE,
                parameters=[_ID],
            ),
            "patch": _operation(
                name="actOnNotification",
                summary="Record what somebody did about it",
                tag=tag,
                answers={200: one},
                problems=(400, 401, 404, 409, 412, 413, 429, 503),
                security=_ANYONE,
                parameters=[_ID, _IF_MATCH],
                body=_body(schemas.ActionBody, examples.ACTIONS),
            ),
            "delete": _operation(
                name="removeNotification",
                summary="Remove it from every list and count",
                tag=tag,
                answers={204: {"description": "Removed. What nobody had begun to send is cancelled."}},
                problems=(400, 401, 404, 409, 429, 503),
                security=_ANYONE,
                parameters=[_ID],
            ),
        },
    }


def _messages() -> dict[str, Any]:
    message_id = _path("notificationId", "Notify's id, a delivery's or a notification's.", _UUID)
    template = _reference(schemas.TemplateItem)
    problems = (400, 401, 403, 404, 424, 429, 503)
    return {
        "/message-status/{service}/{notificationId}": {
            "get": _operation(
                name="getMessageStatus",
                summary="Ask GOV.UK Notify about one message",
                tag="messages",
                answers={
                    200: _json("The message.", _reference(schemas.MessageStatusItem), examples.MESSAGE_STATUS)
                },
                problems=problems,
                security=_SERVICES,
                parameters=[_SERVICE, message_id],
            )
        },
        "/templates/{service}": {
            "get": _operation(
                name="listTemplates",
                summary="List the templates of a service",
                tag="messages",
                answers={
                    200: _json("The templates.", {"type": "array", "items": template}, [examples.TEMPLATE])
                },
                problems=problems,
                security=_SERVICES,
                parameters=[_SERVICE, _REFRESH],
            )
        },
        "/templates/{service}/{templateId}": {
            "get": _operation(
                name="getTemplate",
                summary="Get one template",
                tag="messages",
                answers={200: _json("The template.", template, examples.TEMPLATE)},
                problems=problems,
                security=_SERVICES,
                parameters=[_SERVICE, _path("templateId", "The template's id.", _UUID), _REFRESH],
            )
        },
    }


def _operations() -> dict[str, Any]:
    health = _reference(schemas.Health)
    well = _json("Ready.", health, {"status": "ok", "checks": {"database": "ok"}})
    unwell = _json("Not ready.", health, {"status": "unavailable", "checks": {"database": "does not answer"}})
    paths = {
        "/receipts/govuk-notify": {
            "post": _operation(
                name="takeReceipt",
                summary="Take a delivery receipt of GOV.UK Notify",
                tag="operations",
                answers={204: {"description": "Kept, whether its message is known or not."}},
                problems=(400, 401, 403, 413, 503),
                security=[{"receiptToken": []}],
                body={
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "required": ["id", "status"],
                                "properties": {"id": {"type": "string"}, "status": {"type": "string"}},
                            },
                            "example": examples.RECEIPT,
                        }
                    },
                },
            )
        }
    }
    for path, name, answers in (
        ("/health/live", "healthLive", {200: _json("Alive.", health, {"status": "ok", "checks": {}})}),
        ("/health/ready", "healthReady", {200: well, 503: unwell}),
        ("/health", "health", {200: well, 503: unwell}),
    ):
        operation = _operation(
            name=name, summary="Health", tag="operations", answers=answers, problems=(), security=[]
        )
        paths[path] = {"get": operation}
    return paths


@cache
def document() -> dict[str, Any]:
    """The whole document, as JSON values."""
    _, components = msgspec.json.schema_components(_STRUCTS, ref_template="#/components/schemas/{name}")
    components["DeliveryItem"]["properties"]["status"]["enum"] = list(Status)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Postroom",
            "version": "1.0.0",
            "description": "Notifications for every service: on the screen, by email, text and letter.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": {**_notifications(), **_one_notification(), **_messages(), **_operations()},
        "components": {
            "schemas": components,
            "securitySchemes": {
                "apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"},
                "officerToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "receiptToken": {"type": "http", "scheme": "bearer"},
            },
        },
    }


@cache
def document_bytes(prefix: str = "") -> bytes:
    """The document as it is served, for an API whose paths stand below the prefix."""
    whole = document() | {"servers": [{"url": prefix or "/"}]}
    return msgspec.json.format(msgspec.json.encode(whole), indent=2) + b"\n"


def main(arguments: list[str]) -> int:
    """Write the document to the file, or with --check say whether it is current."""
    check, *rest = arguments if arguments[:1] == ["--check"] else ["", *arguments]
    path = Path(rest[0])
    if not check:
        path.write_bytes(document_bytes())
        return 0
    return 0 if path.exists() and path.read_bytes() == document_bytes() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
