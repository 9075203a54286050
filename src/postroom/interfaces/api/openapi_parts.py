"""What the OpenAPI document is made of: parameters, answers and problems."""

from typing import Any

import msgspec

from postroom.domain.action import ActionType
from postroom.domain.channel import CARRIED, Channel
from postroom.features.notifications.dead_letters import Cause
from postroom.interfaces.api import schemas
from postroom.interfaces.api.query import LARGEST_LIMIT

PROBLEMS = {
    400: "Something that was sent needs to be corrected; every field at fault is named.",
    401: "Who calls is not known.",
    403: "The caller may not do this; where the scope of a key is missing, it is named.",
    404: "There is no such thing, or not for this caller.",
    409: "It is in a state that does not allow this.",
    412: "It has changed since the ETag in If-Match.",
    422: "The Idempotency-Key came with another body before.",
    413: "The body is too large.",
    424: "GOV.UK Notify does not accept the service's key.",
    429: "The service has used its calls of a minute; Retry-After says when to ask again.",
    503: "Busy: nothing was changed, and Retry-After says when to try again.",
}
RATE_LIMITS = {
    "RateLimit-Limit": "The calls that your service may make in a minute.",
    "RateLimit-Remaining": "Those that are left now.",
    "RateLimit-Reset": "The seconds after which all of them are.",
    "RateLimit-Policy": "The limit with its time in seconds, as in 12000;w=60.",
}
UUID = {"type": "string", "format": "uuid"}
MOMENT = {"type": "string", "description": "A date, or a time by RFC 3339."}


def in_path(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "description": description, "schema": schema}


def in_query(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


ID = in_path("id", "The notification's id.", UUID)
SERVICE = in_path(
    "service",
    "The name of your service (or its Notify key, where the configuration takes keys).",
    {"type": "string", "minLength": 1},
)
REFRESH = in_query("refresh", "Ask GOV.UK Notify now.", {"type": "boolean"})
VALIDATE_ONLY = in_query(
    "validateOnly",
    "Judge it as ever, and keep and send nothing. It counts as a call, and uses no Idempotency-Key.",
    {"type": "boolean"},
)
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key with the same body makes one notification, however often it is sent.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of the version that is acted on.",
    "schema": {"type": "string"},
}
IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of the version that the asker has.",
    "schema": {"type": "string"},
}
CHANNELS = {"type": "array", "items": {"type": "string", "enum": [*Channel, "All"]}}
FILTERS = [
    in_query("notificationType", "One or more channels, repeated or with commas.", CHANNELS),
    in_query("targetId", "What it is about.", {"type": "string"}),
    in_query("targetType", "The kind of thing that it is about.", {"type": "string"}),
    in_query("user", "Whom it addresses: an e-mail address, group:<name> or patch:<id>.", {"type": "string"}),
    in_query("isReadStatus", "Whether the asker has read it.", {"type": "boolean"}),
    in_query("isSeenStatus", "Whether the asker has seen it; for a person.", {"type": "boolean"}),
    in_query(
        "isArchived",
        "What the asker has archived, and nothing else; for a person. It is left out otherwise.",
        {"type": "boolean"},
    ),
    in_query("requireAction", "Whether it asks for an action.", {"type": "boolean"}),
    in_query("needsAction", "Whether it still waits for somebody's decision.", {"type": "boolean"}),
    in_query("overdue", "With true, what has waited for a decision for days.", {"type": "boolean"}),
    in_query("performedActionType", "The last action.", {"type": "string", "enum": list(ActionType)}),
    in_query("createdFrom", "Not before this.", MOMENT),
    in_query("createdTo", "Before this.", MOMENT),
    in_query("reference", "The service's own reference.", {"type": "string"}),
    in_query("messageId", "The id of one of its deliveries, ours or GOV.UK Notify's.", UUID),
    in_query(
        "service",
        "Another service whose notifications you may read, or All: by a grant, or for a person by a role.",
        {"type": "string"},
    ),
    in_query("limit", "How many a page has.", {"type": "integer", "minimum": 1, "maximum": LARGEST_LIMIT}),
    in_query("cursor", "Where the page begins, from a Link header.", UUID),
]
COUNT_FILTERS = FILTERS[:-2]
FORMAT = in_query(
    "format",
    "As JSON, or as CSV for a spreadsheet; else what the Accept header asks for.",
    {"type": "string", "enum": ["json", "csv"]},
)
_CARRIED = {"type": "string", "enum": list(CARRIED)}
_CAUSE = {"type": "string", "enum": list(Cause)}
DEAD_LETTER_FILTERS = [
    in_query("channel", "Of one channel.", _CARRIED),
    in_query("templateId", "Of one template.", UUID),
    in_query("reference", "The service's own reference.", {"type": "string"}),
    in_query("cause", "Why it is dead.", _CAUSE),
    in_query("diedFrom", "Given up then or later.", MOMENT),
    in_query("diedTo", "Given up before.", MOMENT),
    *FILTERS[-2:],
]
DEAD_LETTER = in_path("deliveryId", "The delivery's id.", UUID)
SERVICES: list[dict[str, list[str]]] = [{"apiKey": []}, {"serviceToken": []}]
ANYONE: list[dict[str, list[str]]] = [*SERVICES, {"officerToken": []}]


def reference_to(struct: type[msgspec.Struct]) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{struct.__name__}"}


def operation(
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
        responses[str(status)] = problem_answer(status)
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


def problem_answer(status: int) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": PROBLEMS[status],
        "content": {"application/problem+json": {"schema": reference_to(schemas.Problem)}},
    }
    if status in (429, 503):
        answer["headers"] = header_texts({"Retry-After": "Seconds."} | (RATE_LIMITS if status == 429 else {}))
    return answer


def header_texts(texts: dict[str, str]) -> dict[str, Any]:
    return {name: {"schema": {"type": "string"}, "description": text} for name, text in texts.items()}


def in_json(description: str, schema: dict[str, Any], example: Any, **headers: str) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": description,
        "content": {"application/json": {"schema": schema, "example": example}},
    }
    if headers:
        answer["headers"] = header_texts(headers)
    return answer


def json_body(struct: type[msgspec.Struct], named_examples: dict[str, Any]) -> dict[str, Any]:
    shown = {name: {"value": value} for name, value in named_examples.items()}
    return {
        "required": True,
        "content": {"application/json": {"schema": reference_to(struct), "examples": shown}},
    }
