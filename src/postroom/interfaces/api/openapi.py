"""The OpenAPI 3.1 document: the schemas come from the wire's structs, the rest from the tables below.

`python -m postroom.interfaces.api.openapi docs/openapi.json` writes it, with `--check` it compares.
"""

import sys
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from postroom.domain.status import Status
from postroom.interfaces.api import (
    openapi_feedback,
    openapi_members,
    openapi_push,
    openapi_services,
    schemas,
)
from postroom.interfaces.api.openapi_paths import all_paths

_STRUCTS = (
    schemas.NotificationBody,
    schemas.ActionBody,
    schemas.NotificationItem,
    schemas.MessageStatusItem,
    schemas.TemplateItem,
    schemas.PreviewBody,
    schemas.PreviewItem,
    schemas.ValidationItem,
    schemas.CountItem,
    schemas.MarkBody,
    schemas.MarkedItem,
    schemas.TimelineItem,
    schemas.BulkResult,
    schemas.DeadLetterItem,
    schemas.ReplayBody,
    schemas.ReplayManyBody,
    schemas.ReplayedItem,
    schemas.AuditItem,
    *openapi_feedback.STRUCTS,
    *openapi_members.STRUCTS,
    *openapi_push.STRUCTS,
    *openapi_services.STRUCTS,
    schemas.Problem,
    schemas.Health,
)


@cache
def document() -> dict[str, Any]:
    """The whole document, as JSON values."""
    _, components = msgspec.json.schema_components(_STRUCTS, ref_template="#/components/schemas/{name}")
    components["DeliveryItem"]["properties"]["status"]["enum"] = list(Status)
    openapi_feedback.describe_structs(components)
    openapi_push.describe_structs(components)
    openapi_services.describe_structs(components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Postroom",
            "version": "1.0.0",
            "description": "Notifications for every service: on the screen, by email, text and letter.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": all_paths(),
        "components": {
            "schemas": components,
            "securitySchemes": {
                "apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"},
                "officerToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "serviceToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
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
