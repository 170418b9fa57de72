"""The errors of the helper and of the app: what their docstrings draw, what the contract fixes, what they hand on."""

from __future__ import annotations

import copy
import json
import pickle
import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, get_args

import pytest
from botocore.exceptions import ClientError

from chalicelib import errors as app_errors
from chalicelib.cross_account import AssumeRoleDenied, CrossAccountError, InvalidInput
from chalicelib.cross_account import errors as helper_errors
from chalicelib.errors import CheckDenied, InternalError, to_cross_account_error

ErrorClass = type[CrossAccountError]
SECRET = "text that may hold anything"


def classes_of(module: ModuleType) -> dict[str, ErrorClass]:
    """The errors that a module defines, by name."""
    return {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, CrossAccountError) and value.__module__ == module.__name__
    }


CLASSES = classes_of(helper_errors) | classes_of(app_errors)
FIXED = {
    "MissingAccountId": "Missing account_id",
    "InvalidAccountId": "Invalid account ID format",
    "InvalidSettings": "Internal server error",
    "AwsError": "AWS API error occurred",
    "InternalError": "Internal server error",
}
"""The contract of a direct invocation; each also for the classes below it."""

ROOTS = {helper_errors: ("CrossAccountError",), app_errors: ("InvalidInput", "AwsError", "InternalError")}
MODULES = pytest.mark.parametrize("module", ROOTS, ids=["helper", "app"])


def drawing(module: ModuleType) -> list[str]:
    """The lines of a docstring that draw a class."""
    first_words = "|".join(ROOTS[module])
    return [line for line in (module.__doc__ or "").splitlines() if re.match(rf"[ |]*(\+--|({first_words})\b)", line)]


def outline(module: ModuleType, error_class: ErrorClass, margin: str = "", branch: str = "") -> Iterator[str]:
    """A class and those of the module below it, as a drawing should have them."""
    yield f"{margin}{branch}{error_class.__name__}"
    for child in error_class.__subclasses__():
        if classes_of(module).get(child.__name__) is child:
            yield from outline(module, child, margin + "    " * bool(branch), "+-- ")


def values_drawn(module: ModuleType, name: str) -> tuple[int, int, str | None]:
    """The status, the HTTP status and the fixed message of a class; what is not drawn is its parent's."""
    (line,) = (line for line in drawing(module) if re.search(rf"\b{name}\b", line))
    (header,) = (line for line in (module.__doc__ or "").splitlines() if "HTTP" in line and "status" in line)
    middle = header.index("message")  # the status stands to the left of it, the HTTP status to the right
    parent: Any = CLASSES[name].__bases__[0]
    status = re.search(r"\b\d{3}\b", line[:middle])
    http_status = re.search(r"\b\d{3}\b", line[middle:])
    return (
        int(status[0]) if status else parent.status,
        int(http_status[0]) if http_status else parent.http_status,
        next((message for message in FIXED.values() if message in line), parent.fixed_message),
    )


@MODULES
def test_the_docstring_draws_every_class_under_its_parent(module: ModuleType) -> None:
    drawn = [re.match(r"[ |]*(\+-- )?\w+", line)[0].replace("|", " ") for line in drawing(module)]  # type: ignore[index]
    margin = " " * (len(drawn[0]) - len(drawn[0].lstrip()))
    assert drawn == [line for root in ROOTS[module] for line in outline(module, CLASSES[root], margin)]


@MODULES
def test_the_docstring_draws_the_values_of_every_class(module: ModuleType) -> None:
    names = set(classes_of(module)) - {"CrossAccountError"}
    drawn = {name: values_drawn(module, name) for name in names}
    assert drawn == {
        name: (CLASSES[name].status, CLASSES[name].http_status, CLASSES[name].fixed_message) for name in names
    }


def test_an_error_without_a_class_of_its_own_is_500_on_both_ways() -> None:
    assert (CrossAccountError.status, CrossAccountError.http_status) == (500, 500)


def test_the_contract_fixes_the_message_of_these_classes_and_no_others() -> None:
    own = "What happened."
    for name, error_class in CLASSES.items():
        fixed = {FIXED[base.__name__] for base in error_class.__mro__ if base.__name__ in FIXED}
        assert {error_class(own).public_message()} == (fixed or {own}), name


def test_where_the_message_is_fixed_the_hint_says_what_happened_as_well() -> None:
    error = AssumeRoleDenied("AssumeRole was denied.", hint="Does the role exist?")
    assert error.as_dict()["hint"] == "AssumeRole was denied. Does the role exist?"


def test_where_the_message_is_the_errors_own_the_hint_does_not_repeat_it() -> None:
    assert InvalidInput("Too long.", hint="Shorten it.").as_dict()["hint"] == "Shorten it."


def test_an_error_object_has_the_five_fields_of_the_contract() -> None:
    error = AssumeRoleDenied("No.", hint="Ask.", code="AccessDenied", request_id="r-1")
    assert error.as_dict() == {
        "type": "AssumeRoleDenied",
        "stage": "assume",
        "code": "AccessDenied",
        "hint": "No. Ask.",
        "request_id": "r-1",
    }


def test_as_text_it_is_the_sentence_and_the_hint() -> None:
    assert str(InvalidInput("Too long.", hint="Shorten it.")) == "Too long. Shorten it."
    assert str(InvalidInput("Too long.")) == "Too long."


def test_each_class_has_its_stage() -> None:
    stages: dict[str, set[str]] = {}
    for name, error_class in CLASSES.items():
        stages.setdefault(error_class.stage, set()).add(name)
    assert stages == {
        "input": {"CrossAccountError", "InternalError", "InvalidInput", "UnknownCheck"}
        | {"MissingAccountId", "InvalidAccountId", "AccountNotAllowed", "ForeignRequest", "UnsupportedMediaType"},
        "settings": {"InvalidSettings"},
        "list": {"AccountsNotListed"},
        "assume": {"AwsError", "AssumeRoleDenied", "AssumeRoleThrottled", "AssumeRoleTimedOut", "AssumeRoleFailed"}
        | {"HubCredentialsRejected", "WrongAccount"},
        "check": {"CheckDenied", "CheckThrottled", "CheckTimedOut", "CheckCallFailed", "CheckFailed"}
        | {"RegionOff", "ServiceNotOffered", "ResultNotJson", "ResultTooLarge", "EveryAccountFailed"},
        "store": {"ResultsNotStored"},
    }
    assert set(stages) == set(get_args(helper_errors.Stage))


def test_one_error_can_have_another_stage_than_its_class() -> None:
    for name, error_class in CLASSES.items():
        usual = error_class("What happened.").stage
        assert error_class("What happened.", stage="store").as_dict()["stage"] == "store", name
        assert error_class("What happened.").as_dict()["stage"] == usual, name


def test_only_a_wrong_account_id_is_a_value_error_too() -> None:
    value_errors = {name for name, error_class in CLASSES.items() if issubclass(error_class, ValueError)}
    assert value_errors == {"MissingAccountId", "InvalidAccountId"}


def test_an_aws_error_is_a_client_error_with_the_code_from_aws() -> None:
    with pytest.raises(ClientError) as caught:
        raise AssumeRoleDenied("AssumeRole was denied.", hint="Ask.", code="AccessDenied", request_id="r-1")
    assert caught.value.response["Error"] == {"Code": "AccessDenied", "Message": "AssumeRole was denied."}
    assert caught.value.response["ResponseMetadata"]["RequestId"] == "r-1"


def test_where_aws_returned_no_code_the_client_error_has_the_name_of_the_class() -> None:
    error = CheckDenied("The check was denied.")
    assert error.response["Error"]["Code"] == "CheckDenied"
    assert error.response["ResponseMetadata"]["RequestId"] == ""
    assert error.code is None


@pytest.mark.parametrize(
    "copied",
    [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))],
    ids=["copy", "deepcopy", "pickle"],
)
def test_every_error_survives_being_copied(copied: Callable[[CrossAccountError], CrossAccountError]) -> None:
    for error_class in CLASSES.values():
        error = error_class("What happened.", hint="Do that.", code="Code", request_id="r-1", stage="store")
        same = copied(error)
        assert same is not error
        assert (type(same), str(same), vars(same)) == (error_class, str(error), vars(error)), error_class.__name__


def unexpected() -> Exception:
    """An exception that has been raised, with a text that may hold anything."""
    try:
        raise ZeroDivisionError(SECRET)
    except ZeroDivisionError as error:
        return error


def test_an_unexpected_error_becomes_an_internal_one_without_its_text() -> None:
    error = to_cross_account_error(unexpected(), "check")
    assert type(error) is InternalError
    assert (error.message, error.stage) == ("Unexpected ZeroDivisionError.", "check")
    assert SECRET not in str(error) + str(vars(error))


def test_an_unexpected_error_is_logged_with_its_place_and_not_its_text(log: Callable[[], list[dict[str, Any]]]) -> None:
    to_cross_account_error(unexpected(), "list")
    (line,) = log()
    assert (line["level"], line["message"]) == ("ERROR", "unexpected error")
    assert (line["raised"], line["stage"]) == ("ZeroDivisionError", "list")
    assert "in unexpected" in line["where"][-1]
    assert SECRET not in json.dumps(line)


def test_an_error_of_ours_stays_what_it_is_and_is_not_logged(log: Callable[[], list[dict[str, Any]]]) -> None:
    for error_class in CLASSES.values():
        error = error_class("What happened.")
        assert to_cross_account_error(error, "settings") is error
        assert error.stage == error_class.stage
    assert log() == []
