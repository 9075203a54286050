"""Problems become exceptions, whose texts give nothing away."""

import json
from typing import Any

import pytest

from postroom_client.errors import Invalid, NotFound, UnexpectedAnswer, error_of, read_problem

PROBLEM = {
    "type": "about:blank",
    "title": "Bad Request",
    "status": 400,
    "detail": "2 field(s) at fault",
    "userErrorMessage": "Some of what was sent needs to be corrected.",
    "devErrorMessages": ["email: Use an address.", "templateId: Give one."],
    "errors": [
        {"field": "email", "message": "Use an address."},
        {"field": "templateId", "message": "Give one."},
    ],
    "correlationId": "c-1",
}


def test_invalid_names_every_field() -> None:
    error = error_of(400, PROBLEM)

    assert isinstance(error, Invalid)
    assert error.errors == {"email": "Use an address.", "templateId": "Give one."}
    assert str(error) == "email: Use an address.; templateId: Give one."
    assert (error.status, error.correlation_id) == (400, "c-1")
    assert error.user_message == "Some of what was sent needs to be corrected."


def test_not_found_says_which_kind_of_absence() -> None:
    error = error_of(404, {"detail": "There is no such notification.", "reason": "retention-expired"})

    assert isinstance(error, NotFound)
    assert (str(error), error.reason) == ("There is no such notification.", "retention-expired")


@pytest.mark.parametrize("errors", [None, 3, ["x"], {"email": ["x"]}, [{"field": "email"}]], ids=repr)
def test_errors_of_another_form_are_passed_over(errors: Any) -> None:
    error = error_of(400, {"detail": ["not", "text"], "errors": errors})

    assert isinstance(error, Invalid)
    assert (error.errors, str(error)) == ({}, "Postroom answered with status 400.")


@pytest.mark.parametrize("status", [302, 404, 418, 500, 503])
def test_without_a_problem_only_the_status_is_told(status: int) -> None:
    assert str(error_of(status, None)) == f"Postroom answered with status {status}."


def test_a_status_that_is_not_known_is_unexpected() -> None:
    assert type(error_of(418, PROBLEM)) is UnexpectedAnswer


@pytest.mark.parametrize(
    ("body", "media_type", "problem"),
    [
        pytest.param(PROBLEM, "application/problem+json", PROBLEM, id="a problem"),
        pytest.param(PROBLEM, "Application/Problem+JSON; charset=utf-8", PROBLEM, id="with parameters"),
        pytest.param(PROBLEM, "application/json", None, id="other JSON"),
        pytest.param(["x"], "application/problem+json", None, id="no object"),
    ],
)
def test_reads_problems(body: Any, media_type: str, problem: Any) -> None:
    assert read_problem(json.dumps(body).encode(), media_type=media_type) == problem


def test_a_problem_that_is_none_is_passed_over() -> None:
    assert read_problem(b"<html>", media_type="application/problem+json") is None
