"""The OpenAPI document and the API say the same, to requests as it allows them and to others."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from postroom.interfaces.api.application import HANDLERS
from postroom.interfaces.api.openapi import document

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    # What the library does inside its own strategies.
    pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning"),
]

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = 25
UNDOCUMENTED = {
    "/",
    "/f/{token}",
    "/docs",
    "/docs/assets/{name}",
    "/openapi.json",
    "/bell.json",
    "/bell/bell.js",
    "/bell/{version}/bell.js",
    "/push.js",
    "/push-worker.js",
}
"""Pages for people, scripts for pages, and the document itself."""
ADMINS = "postroom admins"
NOTHING_TO_GET_WRONG = {
    ("/health", "get"),
    ("/health/live", "get"),
    ("/health/ready", "get"),
    ("/metrics", "get"),
    ("/push", "get"),
}


@pytest.fixture(scope="module")
def chosen() -> dict[str, str]:
    return {"POSTROOM_ADMIN_GROUPS": ADMINS}


ENDLESS = {("/notifications/stream", "get")}
"""What is answered for as long as its asker stays; here it is asked by whom it refuses (test_stream.py)."""


async def test_the_document_names_every_endpoint_and_no_other() -> None:
    served = {
        (method.lower(), path.replace("{notification_id:str}", "{id}").replace(":str", ""))
        for handler in HANDLERS
        for path in handler.paths
        for method in handler.http_methods  # type: ignore[attr-defined]
    }
    served = {(method, path.replace("{message_id}", "{notificationId}")) for method, path in served}
    served = {(method, path.replace("{template_id}", "{templateId}")) for method, path in served}
    served = {(method, path.replace("{delivery_id}", "{deliveryId}")) for method, path in served}
    served = {(method, path.replace("{event_id}", "{eventId}")) for method, path in served}
    served = {(method, path.replace("{key_id}", "{keyId}")) for method, path in served}
    served = {(method, path.replace("{subscription_id}", "{id}")) for method, path in served}
    told = {(method, path) for path, operations in document()["paths"].items() for method in operations}

    assert {(method, path) for method, path in served if path not in UNDOCUMENTED} == told


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: str(mode.value))
async def test_no_answer_surprises(office: Any, mode: GenerationMode) -> None:
    """No 5xx and no undocumented answer, to right requests and to wrong ones."""
    callers = {
        "apiKey": {"x-api-key": office.key},
        "officerToken": {"Authorization": f"Bearer {office.token(groups=(ADMINS,))}"},
        "receiptToken": {"Authorization": f"Bearer {office.receipt_token}"},
    }
    tried = await asyncio.to_thread(_try_all, office.url, callers, mode)

    every = {(path, method) for path, operations in document()["paths"].items() for method in operations}
    assert tried == (every if mode is GenerationMode.POSITIVE else every - NOTHING_TO_GET_WRONG)


Callers = dict[str, dict[str, str]]
"""The headers of each kind of caller, by what the document names it."""


def _try_all(url: str, callers: Callers, mode: GenerationMode) -> set[tuple[str, str]]:
    schema = schemathesis.openapi.from_dict(document() | {"servers": [{"url": url}]})
    tried = set()
    for operation in _operations(schema):
        place = (operation.path, operation.method.lower())
        if mode is GenerationMode.NEGATIVE and place in NOTHING_TO_GET_WRONG:
            continue
        security = document()["paths"][operation.path][place[1]]["security"]
        [caller, *_] = security[0] if security else ["apiKey"]
        _try(operation, url, callers["apiKey" if place in ENDLESS else caller], mode)
        tried.add(place)
    return tried


def _operations(schema: Any) -> Iterator[Any]:
    for result in schema.get_all_operations():
        yield result.ok()


def _try(operation: Any, url: str, headers: dict[str, str], mode: GenerationMode) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Any) -> None:
        response = case.call(base_url=url, session=session, headers=headers)
        case.validate_response(response, checks=CHECKS)

    with requests.Session() as session:
        check()
