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
UNDOCUMENTED = {"/", "/docs", "/docs/assets/{name}", "/openapi.json"}
"""Pages for people, and the document itself."""
NOTHING_TO_GET_WRONG = {
    ("/health", "get"),
    ("/health/live", "get"),
    ("/health/ready", "get"),
    ("/metrics", "get"),
}


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
    told = {(method, path) for path, operations in document()["paths"].items() for method in operations}

    assert {(method, path) for method, path in served if path not in UNDOCUMENTED} == told


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: str(mode.value))
async def test_no_answer_surprises(office: Any, mode: GenerationMode) -> None:
    """No 5xx and no undocumented answer, to right requests and to wrong ones."""
    tried = await asyncio.to_thread(_try_all, office.url, office.key, office.receipt_token, mode)

    every = {(path, method) for path, operations in document()["paths"].items() for method in operations}
    assert tried == (every if mode is GenerationMode.POSITIVE else every - NOTHING_TO_GET_WRONG)


def _try_all(url: str, key: str, receipt_token: str, mode: GenerationMode) -> set[tuple[str, str]]:
    schema = schemathesis.openapi.from_dict(document() | {"servers": [{"url": url}]})
    tried = set()
    for operation in _operations(schema):
        place = (operation.path, operation.method.lower())
        if mode is GenerationMode.NEGATIVE and place in NOTHING_TO_GET_WRONG:
            continue
        authorization = f"Bearer {receipt_token}" if "receipts" in operation.path else None
        _try(operation, url, key, authorization, mode)
        tried.add(place)
    return tried


def _operations(schema: Any) -> Iterator[Any]:
    for result in schema.get_all_operations():
        yield result.ok()


def _try(operation: Any, url: str, key: str, authorization: str | None, mode: GenerationMode) -> None:
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
        headers = {"x-api-key": key} if authorization is None else {"Authorization": authorization}
        response = case.call(base_url=url, session=session, headers=headers)
        case.validate_response(response, checks=CHECKS)

    with requests.Session() as session:
        check()
