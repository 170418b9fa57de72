"""A check's own code goes wrong: it raises, or answers with what cannot be an answer."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.checks import CHECKS
from chalicelib.checks.check import Check, check
from chalicelib.outputs import responses
from tests.fake_aws import (
    EXTERNAL_ID,
    HUB_ARN,
    SESSION_SECRET,
    SESSION_TOKEN,
    Ending,
    FakeAws,
    Reply,
    Request,
    buckets,
    error,
)
from tests.faults import drive
from tests.faults.cases import TARGET, assert_told, through_the_doors

SECRET_TEXT = f"{SESSION_TOKEN} {SESSION_SECRET} {EXTERNAL_ID} {HUB_ARN}"

Ask = Callable[..., drive.Outcome]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, aws: FakeAws, log: drive.LogOfEverything) -> Ask:
    """Put a function into the table of checks, ask it through a door, and hold that nothing leaked."""

    def ask(function: Callable[..., Any], door: str) -> drive.Outcome:
        function.__doc__ = "Go wrong."
        made: Check = check(actions=["s3:ListAllMyBuckets"])(function)
        monkeypatch.setitem(CHECKS.entries, made.name, made)
        outcome = drive.ask(door, {"account_id": TARGET, "check": made.name})
        drive.assert_nothing_leaked(outcome.text, log.text)
        return outcome

    return ask


def circular() -> list[Any]:
    value: list[Any] = [1]
    value.append(value)
    return value


def bottomless() -> list[Any]:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    return value


class Secretive:
    def __repr__(self) -> str:
        return SECRET_TEXT


NOT_JSON: dict[str, tuple[Callable[[], Any], str]] = {
    "datetime": (lambda: {"at": datetime.now(UTC)}, "datetime"),
    "bytes": (lambda: [SESSION_TOKEN.encode()], "bytes"),
    "set": (lambda: {SESSION_TOKEN}, "set"),
    "nan": (lambda: {"ratio": math.nan}, "NaN"),
    "infinity": (lambda: math.inf, "infinity"),
    "decimal": (lambda: Decimal("1.5"), "Decimal"),
    "circular": (circular, "contains itself"),
    "bottomless": (bottomless, "list"),
    "object-with-a-telling-repr": (lambda: {"a": Secretive()}, "Secretive"),
    "tuple-for-a-key": (lambda: {(SESSION_TOKEN,): 1}, "tuple"),
    "generator": (lambda: (n for n in range(3)), "generator"),
}


@pytest.mark.parametrize(("name", "door"), through_the_doors(NOT_JSON, lambda _: "ResultNotJson"))
def test_a_result_that_is_not_json(name: str, door: str, ask: Ask) -> None:
    make, named = NOT_JSON[name]

    def odd(account: Any) -> Any:
        return make()

    outcome = ask(odd, door)

    assert_told(outcome, "ResultNotJson")
    assert named in outcome.fault["hint"]
    assert "Convert it in the check" in outcome.fault["hint"]


class CheckBroke(Exception):
    def __str__(self) -> str:
        return SECRET_TEXT


RAISED: dict[str, Callable[[], BaseException]] = {
    "exception-of-its-own": CheckBroke,
    "key-error": lambda: KeyError(SECRET_TEXT),
    "value-error-with-a-secret-in-it": lambda: ValueError(SECRET_TEXT),
    "group": lambda: ExceptionGroup(SECRET_TEXT, [ValueError(SECRET_TEXT)]),
    "recursion": RecursionError,
    "memory": MemoryError,
    "timeout": TimeoutError,
    "stop-iteration": StopIteration,
}


@pytest.mark.parametrize(("name", "door"), through_the_doors(RAISED, lambda _: "CheckFailed"))
def test_a_check_that_raises(name: str, door: str, ask: Ask) -> None:
    def broken(account: Any) -> Any:
        raise RAISED[name]()

    outcome = ask(broken, door)

    assert_told(outcome, "CheckFailed")
    assert f"raised {type(RAISED[name]()).__name__} in account {TARGET}" in outcome.fault["hint"]


@pytest.mark.parametrize("door", drive.DOORS)
def test_a_check_that_raises_while_it_handles_a_failure_of_aws(door: str, ask: Ask, aws: FakeAws) -> None:
    aws.tell("ListBuckets", error("X", 400, SECRET_TEXT))

    def clumsy(account: Any) -> Any:
        try:
            return account.client("s3").list_buckets()
        except Exception as error:
            raise CheckBroke(str(error)) from error

    assert_told(ask(clumsy, door), "CheckFailed")


@pytest.mark.parametrize("door", drive.DOORS)
def test_a_check_that_calls_its_client_the_wrong_way(door: str, ask: Ask, aws: FakeAws) -> None:
    def mistaken(account: Any) -> Any:
        return account.client("s3").list_buckets(Colour="red", Secret=SESSION_TOKEN)

    outcome = ask(mistaken, door)

    assert outcome.fault["stage"] == "check"
    assert "ParamValidationError" in outcome.fault["hint"]
    assert aws.counts == {"AssumeRole": 1}


# Too much of it


TOO_MUCH: dict[str, Callable[[], Any]] = {
    "one-long-text": lambda: "x" * 7_000_000,
    "many-short-texts": lambda: ["x" * 100] * 70_000,
    "each-character-escaped-to-six": lambda: "日" * 1_200_000,
    "each-quote-escaped-twice": lambda: '"' * 2_000_000,
}


@pytest.mark.parametrize(("name", "door"), through_the_doors(TOO_MUCH, lambda _: "ResultTooLarge"))
def test_a_result_over_six_megabytes(name: str, door: str, ask: Ask) -> None:
    def much(account: Any) -> Any:
        return TOO_MUCH[name]()

    outcome = ask(much, door)

    assert_told(outcome, "ResultTooLarge")
    assert "6 MB at most. Ask for less" in outcome.fault["hint"]
    assert len(outcome.text) < 10_000


@pytest.mark.parametrize("door", ["direct", "http"])
def test_a_result_just_under_six_megabytes(door: str, ask: Ask) -> None:
    def just_fits(account: Any) -> Any:
        return "x" * 6_200_000

    outcome = ask(just_fits, door)

    assert outcome.status == 200
    assert len(outcome.body["result"]) == 6_200_000


def test_too_many_buckets_are_told_as_that(
    aws: FakeAws, log: drive.LogOfEverything, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(responses, "MAX_BYTES", 60_000)

    def page(request: Request) -> Reply:
        names = [f"bucket-{request.nth:03}-{n:05}" for n in range(100)]
        return buckets(names, token=f"t{request.nth}" if request.nth < 10 else None)

    aws.tell("ListBuckets", page, always=True)

    outcome = drive.direct({"account_id": TARGET, "check": "s3_buckets"})

    assert_told(outcome, "ResultTooLarge")
    assert aws.counts["ListBuckets"] == 10
    drive.assert_nothing_leaked(outcome.text, log.text)


# A body that is read as it comes

OBJECT = "GET /b/k"


def downloaded(account: Any) -> Any:
    return len(account.client("s3").get_object(Bucket="b", Key="k")["Body"].read())


BREAKS = {
    "breaks-off-early": Reply(b"x" * 500, content_length=10_000, ending=Ending.CLOSED),
    "is-reset": Reply(b"x" * 500, content_length=10_000, ending=Ending.RESET),
}


@pytest.mark.parametrize("door", drive.DOORS)
@pytest.mark.parametrize("name", BREAKS)
def test_a_stream_that_breaks_midway(name: str, door: str, ask: Ask, aws: FakeAws) -> None:
    aws.tell(OBJECT, BREAKS[name], always=True)

    outcome = ask(downloaded, door)

    assert_told(outcome, "CheckCallFailed")
    assert "or it broke" in outcome.fault["hint"]


def test_a_whole_stream(ask: Ask, aws: FakeAws) -> None:
    aws.tell(OBJECT, Reply(b"0123456789"))

    assert json.dumps(ask(downloaded, "direct").body["result"]) == "10"
