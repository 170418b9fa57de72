from __future__ import annotations

import re

import pytest

from chalicelib import errors
from chalicelib.errors import AssumeRoleDenied, CrossAccountError, InvalidInput

DRAWING = [line for line in (errors.__doc__ or "").splitlines() if line.startswith("    ")]
STATUS, HTTP = DRAWING[0].index("status"), DRAWING[0].index("HTTP") - 2


def drawn() -> dict[str, tuple[str, int, int]]:
    """Each class of the docstring's tree with its parent, status and HTTP status; what is not drawn is inherited."""
    found = {"CrossAccountError": ("Exception", 500, 500)}
    above = ["CrossAccountError"]
    for line in DRAWING:
        if match := re.match(r"    ([| ]*)\+-- (\w+)", line):
            depth = len(match[1]) // 4 + 1
            parent = above[depth - 1]
            above[depth:] = [match[2]]
            status = re.search(r"\b\d{3}\b", line[STATUS : STATUS + 6])
            http_status = re.search(r"\b\d{3}\b", line[HTTP:])
            found[match[2]] = (
                parent,
                int(status[0]) if status else found[parent][1],
                int(http_status[0]) if http_status else found[parent][2],
            )
    return found


DRAWN = drawn()
CLASSES = {
    name: value
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, CrossAccountError)
}


def test_the_drawing_has_every_class_and_no_other() -> None:
    assert set(DRAWN) == set(CLASSES)


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_stands_under_its_parent(name: str) -> None:
    assert CLASSES[name].__bases__[0].__name__ == DRAWN[name][0]


@pytest.mark.parametrize("name", sorted(set(CLASSES) - {"AwsError"}))
def test_a_class_has_the_drawn_statuses(name: str) -> None:
    assert (CLASSES[name].status, CLASSES[name].http_status) == DRAWN[name][1:]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("MissingAccountId", "Missing account_id"),
        ("InvalidAccountId", "Invalid account ID format"),
        *((name, "AWS API error occurred") for name, value in CLASSES.items() if issubclass(value, errors.AwsError)),
        *(
            (name, "Internal server error")
            for name, value in CLASSES.items()
            if issubclass(value, errors.InternalError)
        ),
    ],
)
def test_the_contract_fixes_the_message(name: str, message: str) -> None:
    error = CLASSES[name]("What happened.")
    assert error.public_message() == message
    assert message in (errors.__doc__ or "")


@pytest.mark.parametrize("name", ["InvalidInput", "UnknownCheck", "AccountNotAllowed"])
def test_other_bad_input_says_its_own_sentence(name: str) -> None:
    assert CLASSES[name]("params must be an object.").public_message() == "params must be an object."


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


@pytest.mark.parametrize("name", CLASSES)
def test_a_stage_is_one_of_the_three(name: str) -> None:
    assert CLASSES[name].stage in ("input", "assume", "check")
