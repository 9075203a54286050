"""The part of the OpenAPI document about the audit."""

from typing import Any

from postroom.features import audit
from postroom.interfaces.api import schemas
from postroom.interfaces.api.openapi_parts import (
    ANYONE,
    FILTERS,
    MOMENT,
    UUID,
    in_json,
    in_query,
    operation,
    reference_to,
)

_ENTRY: dict[str, Any] = {
    "id": "01a20ad8-5d12-7ab0-8c11-5f2f1c6c9a10",
    "at": "2026-11-12T17:31:02.511907Z",
    "kind": "action",
    "detail": "Approved",
    "actor": "amala.officer@hackney.gov.uk",
    "note": "Checked against the invoice.",
    "ip": "192.0.2.17",
    "notificationId": "01a20ad8-4a56-73f5-9ece-71a17e565c2f",
    "service": "repairs",
    "correlationId": "01a20ad8-5d0f-7e11-a4f0-cf1f5a3c7d02",
    "seal": 412,
}
_FILTERS = [
    in_query("targetId", "About the notifications of a target.", {"type": "string"}),
    in_query("user", "By who did it: an email address, or a service's name.", {"type": "string"}),
    in_query("notificationId", "About one notification.", UUID),
    in_query("service", "Of one service, by its name.", {"type": "string"}),
    in_query("kind", "Of one kind.", {"type": "string", "enum": list(audit.Kind)}),
    in_query("from", "Not before this.", MOMENT),
    in_query("to", "Before this.", MOMENT),
    *FILTERS[-2:],
    in_query("format", "As JSON, or as CSV for a spreadsheet.", {"type": "string", "enum": ["json", "csv"]}),
]


def audit_paths() -> dict[str, Any]:
    page = in_json(
        "A page, the newest first.",
        {"type": "array", "items": reference_to(schemas.AuditItem)},
        [_ENTRY],
        Link='The next page, as rel="next".',
    )
    page["content"]["text/csv"] = {"schema": {"type": "string"}}
    return {
        "/audit": {
            "get": operation(
                name="listAudit",
                summary="Read who did what, when: all of it for auditors and admins, a service its own",
                tag="audit",
                answers={200: page},
                problems=(400, 401, 403, 429, 503),
                security=ANYONE,
                parameters=_FILTERS,
            )
        }
    }
