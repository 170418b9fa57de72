"""Results and errors as a Lambda function or a route returns them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib import cross_account, errors
from chalicelib.cross_account import CrossAccountError
from chalicelib.errors import CheckDenied, InternalError, ResultTooLarge, UnknownCheck
from chalicelib.outputs.responses import (
    MAX_BYTES,
    Handler,
    check_http_response_size,
    check_response_size,
    http_error,
    http_response,
    lambda_envelope,
    raise_errors,
)

CLASSES = {
    value
    for module in (cross_account, errors)
    for value in vars(module).values()
    if isinstance(value, type) and issubclass(value, CrossAccountError)
}
EVENT = {"account_id": "123456789012"}
RAISE = {**EVENT, "raise_on_error": True}
SECRET = "text that may hold anything"
TOO_LARGE = {"result": "x" * MAX_BYTES}


def failing(error: BaseException) -> Handler:
    def work(_event: Any, _context: Any) -> dict[str, Any]:
        raise error

    return work


def returning(body: dict[str, Any]) -> Handler:
    return lambda _event, _context: body


def enveloped(work: Handler, event: Any = EVENT) -> dict[str, Any]:
    return lambda_envelope(work)(event, None)


def http(work: Handler) -> tuple[int, Any]:
    status, body, headers = http_response(lambda: work(None, None))()
    assert headers == {"Content-Type": "application/json"}
    return status, json.loads(body)


def test_a_success_is_200_with_a_body_of_json_text() -> None:
    response = enveloped(returning({"message": "Successfully processed request"}))
    assert response == {"statusCode": 200, "body": '{"message": "Successfully processed request"}'}


def test_a_plain_response_is_the_result_itself() -> None:
    assert raise_errors(returning({"count": 0}))(EVENT, None) == {"count": 0}


def test_a_route_responds_200_with_json_text() -> None:
    assert http_response(lambda: {"count": 0})()[:2] == (200, '{"count": 0}')


@pytest.mark.parametrize("decorator", [lambda_envelope, raise_errors])
def test_a_decorated_function_keeps_its_name(decorator: Callable[[Handler], Handler]) -> None:
    """Chalice names the Lambda function after it."""

    def sweep(event: Any, context: Any) -> dict[str, Any]:
        """Run one check."""
        return {}

    assert (decorator(sweep).__name__, decorator(sweep).__doc__) == ("sweep", "Run one check.")


@pytest.mark.parametrize("decorator", [lambda_envelope, raise_errors])
def test_a_decorated_function_gets_the_event_and_the_context(decorator: Callable[[Handler], Handler]) -> None:
    received = []

    @decorator
    def work(event: Any, context: Any) -> dict[str, Any]:
        received.append((event, context))
        return {}

    work(EVENT, "context")
    assert received == [(EVENT, "context")]


def test_every_failure_returns_its_own_status_message_and_error() -> None:
    for error_class in CLASSES:
        error = error_class("What happened.", hint="Do that.", code="Code", request_id="r-1")
        response = enveloped(failing(error))
        assert response["statusCode"] == error_class.status, error_class
        assert json.loads(response["body"]) == {"message": error.public_message(), "error": error.as_dict()}


def test_every_failure_has_its_own_http_status_on_a_route() -> None:
    for error_class in CLASSES:
        error = error_class("What happened.")
        expected = (error_class.http_status, {"message": error.public_message(), "error": error.as_dict()})
        assert http(failing(error)) == expected, error_class


def test_with_raise_on_error_every_failure_is_raised_as_it_is() -> None:
    for error_class in CLASSES:
        error = error_class("What happened.")
        with pytest.raises(error_class) as caught:
            enveloped(failing(error), RAISE)
        assert caught.value is error


def test_without_an_envelope_every_failure_is_raised_as_it_is() -> None:
    for error_class in CLASSES:
        error = error_class("What happened.")
        with pytest.raises(error_class) as caught:
            raise_errors(failing(error))(EVENT, None)
        assert caught.value is error


def test_only_a_true_in_an_object_raises() -> None:
    events: list[Any] = [None, [], "raise_on_error", {"raise_on_error": "true"}, {"raise_on_error": 1}]
    for event in events:
        assert enveloped(failing(UnknownCheck("x")), event)["statusCode"] == 400


def test_raise_on_error_leaves_a_success_as_it_is() -> None:
    assert enveloped(returning({}), RAISE) == {"statusCode": 200, "body": "{}"}


@pytest.mark.parametrize("respond", [lambda work: json.loads(enveloped(work)["body"]), lambda work: http(work)[1]])
def test_an_unexpected_error_is_an_internal_one_known_by_its_type_alone(respond: Callable[[Handler], Any]) -> None:
    body = respond(failing(ZeroDivisionError(SECRET)))
    assert body["message"] == "Internal server error"
    assert body["error"]["type"] == "InternalError"
    assert "ZeroDivisionError" in body["error"]["hint"]
    assert SECRET not in json.dumps(body)


def test_an_unexpected_error_is_500_on_both_ways() -> None:
    error = ZeroDivisionError(SECRET)
    assert enveloped(failing(error))["statusCode"] == http_error(error)[0] == 500


@pytest.mark.parametrize(("decorator", "event"), [(lambda_envelope, RAISE), (raise_errors, EVENT)])
def test_an_unexpected_error_is_raised_without_its_text(decorator: Callable[[Handler], Handler], event: Any) -> None:
    with pytest.raises(InternalError) as caught:
        decorator(failing(ZeroDivisionError(SECRET)))(event, None)
    assert SECRET not in str(caught.value)
    assert caught.value.__suppress_context__  # Lambda logs the traceback, with the context if there is one


def test_an_unexpected_error_is_logged_once(log: Callable[[], list[dict[str, Any]]]) -> None:
    enveloped(failing(ZeroDivisionError(SECRET)))
    (line,) = log()
    assert (line["level"], line["raised"], line["stage"]) == ("ERROR", "ZeroDivisionError", "input")
    assert "in work" in line["where"][-1]


@pytest.mark.parametrize("decorator", [lambda_envelope, raise_errors])
def test_an_interrupt_is_not_caught(decorator: Callable[[Handler], Handler]) -> None:
    with pytest.raises(KeyboardInterrupt):
        decorator(failing(KeyboardInterrupt()))(EVENT, None)


@pytest.mark.parametrize("text", ["x" * MAX_BYTES, '"' * (MAX_BYTES // 4 + 1)], ids=["long", "escaped"])
def test_a_result_too_large_for_lambda_is_an_error_that_names_the_way_out(text: str) -> None:
    response = enveloped(returning({"result": text}))
    error = json.loads(response["body"])["error"]
    assert (response["statusCode"], error["type"]) == (500, "ResultTooLarge")
    assert "6 MB at most" in error["hint"]
    assert "Ask for less" in error["hint"]


@pytest.mark.parametrize(("decorator", "event"), [(lambda_envelope, RAISE), (raise_errors, EVENT)])
def test_a_result_too_large_for_lambda_can_be_raised(decorator: Callable[[Handler], Handler], event: Any) -> None:
    with pytest.raises(ResultTooLarge):
        decorator(returning(TOO_LARGE))(event, None)


def test_a_result_too_large_for_lambda_is_500_on_a_route() -> None:
    status, body = http(returning(TOO_LARGE))
    assert (status, body["error"]["type"]) == (500, "ResultTooLarge")


TEXTS = ("x", '"', "\\", "\n", "\x7f", "é", "\N{BUCKET}")
"""Of each its JSON text is another in the envelope: as it is, or escaped once more."""


def longest(response: Callable[[str], dict[str, Any]], text: str, more: int = 0) -> dict[str, Any]:
    """A response with the text as often as 6 MB can hold it, and so many times more."""
    empty, once = (len(json.dumps(response(text * times))) for times in (0, 1))
    return response(text * ((MAX_BYTES - empty) // (once - empty) + more))


@pytest.mark.parametrize(
    "response",
    [lambda text: {"statusCode": 200, "body": json.dumps({"result": text})}, lambda text: {"result": text}],
    ids=["in an envelope", "plain"],
)
def test_a_response_of_six_megabytes_is_returned_and_a_longer_one_is_refused(response: Any) -> None:
    for text in TEXTS:
        assert check_response_size(longest(response, text))
        with pytest.raises(ResultTooLarge):
            check_response_size(longest(response, text, more=1))


def test_a_page_that_lambda_cannot_return_is_refused() -> None:
    page = "<p>Zürich</p>\n" * (MAX_BYTES // 15)
    with pytest.raises(ResultTooLarge):
        check_http_response_size(200, page, {})


def test_the_headers_count() -> None:
    body = "x" * (MAX_BYTES - 200)
    assert check_http_response_size(200, body, {}) == (200, body, {})
    with pytest.raises(ResultTooLarge):
        check_http_response_size(200, body, {"Content-Security-Policy": "x" * 200})


def test_the_response_to_an_error_is_small() -> None:
    response = enveloped(failing(CheckDenied("x", hint="y", code="z")))
    assert len(json.dumps(response)) < 1000
