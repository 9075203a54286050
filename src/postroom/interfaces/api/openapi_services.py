"""The paths of services and their keys in the OpenAPI document."""

from typing import Any

from postroom.domain.scope import EVERY_SCOPE, Scope
from postroom.features.limits import ServiceLimits
from postroom.features.services.credentials import KEY_TYPES
from postroom.interfaces.api import service_schemas as schemas
from postroom.interfaces.api.openapi_parts import (
    ANYONE,
    IF_MATCH,
    MOMENT,
    UUID,
    in_json,
    in_path,
    json_body,
    operation,
    reference_to,
)

STRUCTS = (
    ServiceLimits,
    schemas.ServiceBody,
    schemas.ServiceChangesBody,
    schemas.ServiceItem,
    schemas.NewServiceItem,
    schemas.ReceiptTokenItem,
    schemas.KeyBody,
    schemas.RotateKeyBody,
    schemas.KeyItem,
)

_TAG = "services"
_ADMINS: list[dict[str, list[str]]] = [{"officerToken": []}]
_NAME = in_path("name", "The service's name.", {"type": "string", "minLength": 1})
_KEY_ID = in_path("keyId", "The key's id.", UUID)
_READ = (401, 403, 404, 429, 503)
_WRITTEN = (400, 401, 403, 404, 413, 429, 503)
_ETAG = {"ETag": "For If-Match."}

_KEY: dict[str, Any] = {
    "id": "01a20ad8-4a50-7c21-9d3f-0c1d5a3f2b11",
    "name": "first",
    "state": "valid",
    "scopes": sorted(EVERY_SCOPE),
    "createdAt": "2026-11-12T17:20:00.000000Z",
    "expiresAt": None,
    "revokedAt": None,
    "lastUsedAt": "2026-11-12T17:27:47.622467Z",
    "key": None,
}
_NEW_KEY = _KEY | {"key": "postroom_…", "lastUsedAt": None}
_SERVICE: dict[str, Any] = {
    "name": "repairs",
    "owner": "repairs.team@hackney.gov.uk",
    "environment": "production",
    "notifyKey": {"name": "repairs-live", "type": "live"},
    "hasWebhook": True,
    "webhookUrl": "https://repairs.example.gov.uk/postroom",
    "webhookIsOn": True,
    "defaultGroup": "repairs-officers",
    "prependName": False,
    "templateNames": {"production": {"no-access": "9500a44b-8a7f-4fff-a3b8-45763f84874e"}},
    "limits": {"callsAMinute": 600},
    "trustedParams": [],
    "allowedLinkHosts": ["*.hackney.gov.uk"],
    "isActive": True,
    "createdAt": "2026-11-12T17:20:00.000000Z",
    "webhookSecret": None,
}
_REGISTRATIONS: dict[str, Any] = {
    "screen only": {"name": "income", "owner": "income.team@hackney.gov.uk"},
    "all of it": {
        "name": "repairs",
        "owner": "repairs.team@hackney.gov.uk",
        "environment": "production",
        "notifyKey": "repairs-live-<service id>-<secret>",
        "webhookUrl": "https://repairs.example.gov.uk/postroom",
        "templateNames": {"production": {"no-access": "9500a44b-8a7f-4fff-a3b8-45763f84874e"}},
        "limits": {"callsAMinute": 600},
        "defaultGroup": "repairs-officers",
        "allowedLinkHosts": ["*.hackney.gov.uk"],
    },
}
_CHANGES: dict[str, Any] = {
    "another owner": {"owner": "joe.bloggs@hackney.gov.uk"},
    "switched off": {"isActive": False},
}


def describe_structs(components: dict[str, Any]) -> None:
    """What the structs' types do not say."""
    limits = reference_to(ServiceLimits)
    for name in ("ServiceBody", "ServiceChangesBody", "ServiceItem"):
        components[name]["properties"]["limits"] = limits
    for name in ("ServiceBody", "ServiceChangesBody"):
        components[name]["properties"]["notifyKeyType"]["description"] = f"One of {', '.join(KEY_TYPES)}."
    for name, field in (("KeyBody", "expiresAt"), ("RotateKeyBody", "expiresAt")):
        components[name]["properties"][field]["description"] = MOMENT["description"]
    components["KeyItem"]["properties"]["state"]["enum"] = ["valid", "expired", "revoked"]
    components["KeyItem"]["properties"]["scopes"]["items"]["enum"] = sorted(Scope)


def service_paths() -> dict[str, Any]:
    return {**_of_services(), **_of_one_service(), **_of_keys(), **_of_one_key()}


def _of_services() -> dict[str, Any]:
    item = reference_to(schemas.ServiceItem)
    made = {"service": _SERVICE | {"webhookSecret": "whsec_…"}, "apiKey": _NEW_KEY, "receiptToken": "…"}
    return {
        "/services": {
            "get": operation(
                name="listServices",
                summary="List the services; a service is shown itself alone",
                tag=_TAG,
                answers={200: in_json("By their names.", {"type": "array", "items": item}, [_SERVICE])},
                problems=(401, 403, 429, 503),
                security=ANYONE,
            ),
            "post": operation(
                name="registerService",
                summary="Register a service",
                tag=_TAG,
                answers={
                    201: in_json(
                        "Registered. Its key, receipt token and webhook secret are shown this once.",
                        reference_to(schemas.NewServiceItem),
                        made,
                        Location="Where it is.",
                        **_ETAG,
                    )
                },
                problems=(400, 401, 403, 409, 413, 503),
                security=_ADMINS,
                body=json_body(schemas.ServiceBody, _REGISTRATIONS),
            ),
        }
    }


def _of_one_service() -> dict[str, Any]:
    item = reference_to(schemas.ServiceItem)
    token = in_json(
        "The new one, shown this once. The former one is refused.",
        reference_to(schemas.ReceiptTokenItem),
        {"receiptToken": "…"},
    )
    return {
        "/services/{name}": {
            "get": operation(
                name="getService",
                summary="Read what a service is registered with",
                tag=_TAG,
                answers={200: in_json("The service.", item, _SERVICE, **_ETAG)},
                problems=_READ,
                security=ANYONE,
                parameters=[_NAME],
            ),
            "patch": operation(
                name="changeService",
                summary="Change what a service is registered with, or switch it off",
                tag=_TAG,
                answers={200: in_json("As it is now.", item, _SERVICE, **_ETAG)},
                problems=(400, 401, 403, 404, 412, 413, 503),
                security=_ADMINS,
                parameters=[_NAME, IF_MATCH],
                body=json_body(schemas.ServiceChangesBody, _CHANGES),
            ),
        },
        "/services/{name}/receipt-token": {
            "post": operation(
                name="replaceReceiptToken",
                summary="Get a new token for GOV.UK Notify's receipts",
                tag=_TAG,
                answers={200: token},
                problems=(401, 403, 404, 413, 503),
                security=_ADMINS,
                parameters=[_NAME],
            )
        },
    }


def _of_keys() -> dict[str, Any]:
    item = reference_to(schemas.KeyItem)
    new = in_json("The key, shown this once.", item, _NEW_KEY)
    return {
        "/services/{name}/keys": {
            "get": operation(
                name="listKeys",
                summary="List a service's API keys, never the keys themselves",
                tag=_TAG,
                answers={200: in_json("The oldest first.", {"type": "array", "items": item}, [_KEY])},
                problems=_READ,
                security=ANYONE,
                parameters=[_NAME],
            ),
            "post": operation(
                name="issueKey",
                summary="Give a service one more API key",
                tag=_TAG,
                answers={201: new},
                problems=_WRITTEN,
                security=_ADMINS,
                parameters=[_NAME],
                body=json_body(
                    schemas.KeyBody,
                    {
                        "for reading": {
                            "name": "dashboard",
                            "scopes": ["notifications:read"],
                            "expiresAt": "2030-01-01T00:00:00Z",
                        }
                    },
                )
                | {"required": False},
            ),
        },
    }


def _of_one_key() -> dict[str, Any]:
    new = in_json("The key, shown this once.", reference_to(schemas.KeyItem), _NEW_KEY)
    return {
        "/services/{name}/keys/{keyId}/rotate": {
            "post": operation(
                name="rotateKey",
                summary="Issue a key in the place of another, which works on for a while",
                tag=_TAG,
                answers={201: new},
                problems=(*_WRITTEN, 409),
                security=_ADMINS,
                parameters=[_NAME, _KEY_ID],
                body=json_body(
                    schemas.RotateKeyBody, {"with an overlap": {"oldExpiresAt": "2030-01-01T00:00:00Z"}}
                )
                | {"required": False},
            )
        },
        "/services/{name}/keys/{keyId}": {
            "delete": operation(
                name="revokeKey",
                summary="End a key; it is refused within five seconds",
                tag=_TAG,
                answers={204: {"description": "Revoked."}},
                problems=(400, 401, 403, 404, 413, 503),
                security=_ADMINS,
                parameters=[_NAME, _KEY_ID],
            )
        },
    }
