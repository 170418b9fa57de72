from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib import answers, errors
from chalicelib.errors import CheckDenied, CrossAccountError, InternalError, ResultTooLarge, UnknownCheck

CLASSES = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, CrossAccountError)]
QUIET = {"account_id": "123456789012"}
LOUD = {**QUIET, "raise_on_error": True}


def raising(error: BaseException) -> Callable[[], dict[str, Any]]:
    def work() -> dict[str, Any]:
        raise error

    return work


def test_a_success_is_200_with_a_body_of_json_text() -> None:
    answer = answers.direct(QUIET, lambda: {"message": "Successfully processed request"})
    assert answer == {"statusCode": 200, "body": '{"message": "Successfully processed request"}'}


@pytest.mark.parametrize("error_class", CLASSES)
def test_a_failure_answers_its_status_message_and_error(error_class: type[CrossAccountError]) -> None:
    error = error_class("What happened.", hint="Do that.", code="Code", request_id="r-1")
    answer = answers.direct(QUIET, raising(error))
    assert answer["statusCode"] == error_class.status
    assert json.loads(answer["body"]) == {"message": error.public_message(), "error": error.as_dict()}


@pytest.mark.parametrize("error_class", CLASSES)
def test_with_raise_on_error_the_same_failure_is_raised(error_class: type[CrossAccountError]) -> None:
    error = error_class("What happened.")
    with pytest.raises(CrossAccountError) as caught:
        answers.direct(LOUD, raising(error))
    assert caught.value is error


@pytest.mark.parametrize("error_class", CLASSES)
def test_a_route_answers_the_failures_http_status(error_class: type[CrossAccountError]) -> None:
    error = error_class("What happened.")
    status, body = answers.http(raising(error))
    assert status == error_class.http_status
    assert body == {"message": error.public_message(), "error": error.as_dict()}


@pytest.mark.parametrize("event", [None, [], "raise_on_error", {"raise_on_error": "true"}, {"raise_on_error": 1}])
def test_only_a_true_in_an_object_raises(event: Any) -> None:
    assert answers.direct(event, raising(UnknownCheck("x")))["statusCode"] == 400


def test_what_nobody_foresaw_is_an_internal_error_by_its_type_alone() -> None:
    answer = answers.direct(QUIET, raising(ZeroDivisionError("text that may hold anything")))
    assert answer["statusCode"] == 500
    body = json.loads(answer["body"])
    assert body["message"] == "Internal server error"
    assert body["error"]["type"] == "InternalError"
    assert "ZeroDivisionError" in body["error"]["hint"]
    assert "text that may hold anything" not in json.dumps(answer)


def test_what_nobody_foresaw_is_raised_without_its_text() -> None:
    with pytest.raises(InternalError) as caught:
        answers.direct(LOUD, raising(ZeroDivisionError("text that may hold anything")))
    assert "text that may hold anything" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_what_nobody_foresaw_is_logged_by_its_place(log: Callable[[], list[dict[str, Any]]]) -> None:
    answers.direct(QUIET, raising(ZeroDivisionError("text that may hold anything")))
    (line,) = log()
    assert (line["level"], line["raised"]) == ("ERROR", "ZeroDivisionError")
    assert "in work" in line["where"][-1]
    assert "text that may hold anything" not in json.dumps(line)


def test_an_interrupt_is_no_failure_of_ours() -> None:
    with pytest.raises(KeyboardInterrupt):
        answers.direct(QUIET, raising(KeyboardInterrupt()))


@pytest.mark.parametrize("text", ["x" * answers.MOST_BYTES, '"' * (answers.MOST_BYTES // 2)])
def test_more_than_a_lambda_may_answer_is_an_error_that_names_the_way_out(text: str) -> None:
    answer = answers.direct(QUIET, lambda: {"result": text})
    body = json.loads(answer["body"])
    assert (answer["statusCode"], body["error"]["type"]) == (500, "ResultTooLarge")
    assert "6 MB" in body["error"]["hint"]


def test_more_than_a_lambda_may_answer_is_raised_if_asked() -> None:
    with pytest.raises(ResultTooLarge):
        answers.direct(LOUD, lambda: {"result": "x" * answers.MOST_BYTES})


def test_more_than_a_lambda_may_answer_is_500_on_a_route() -> None:
    status, body = answers.http(lambda: {"result": "x" * answers.MOST_BYTES})
    assert (status, body["error"]["type"]) == (500, "ResultTooLarge")


def test_an_answer_just_under_the_limit_is_given() -> None:
    room = answers.MOST_BYTES - len(json.dumps({"statusCode": 200, "body": json.dumps({"result": ""})}))
    assert answers.direct(QUIET, lambda: {"result": "x" * room})["statusCode"] == 200


def test_an_error_is_a_small_answer_whatever_failed() -> None:
    answer = answers.direct(QUIET, raising(CheckDenied("x", hint="y", code="z")))
    assert len(json.dumps(answer)) < 1000


def test_a_plain_answer_is_the_outcome_itself() -> None:
    assert answers.plain(lambda: {"count": 0}) == {"count": 0}


@pytest.mark.parametrize("error_class", CLASSES)
def test_a_plain_answer_raises_every_failure_by_its_class(error_class: type[CrossAccountError]) -> None:
    with pytest.raises(error_class) as raised:
        answers.plain(raising(error_class("What happened.")))
    assert type(raised.value) is error_class


def test_a_plain_answer_raises_what_nobody_foresaw_without_its_text() -> None:
    with pytest.raises(InternalError) as raised:
        answers.plain(raising(ZeroDivisionError("text that may hold anything")))
    assert "text that may hold anything" not in str(raised.value)
    assert raised.value.__suppress_context__


def test_a_plain_answer_too_large_for_a_lambda_is_raised() -> None:
    with pytest.raises(ResultTooLarge):
        answers.plain(lambda: {"result": "x" * answers.MOST_BYTES})
