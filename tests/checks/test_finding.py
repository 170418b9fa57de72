"""What becomes of a check's findings if AWS refuses one of its calls, or the service does not answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from chalicelib.checks import finding
from chalicelib.checks.finding import Findings, alarm, each, judged, looked, ok, or_skip, skip
from chalicelib.errors import CheckCallFailed

ACCOUNT = "123456789012"
OK, ALARM = ok("a", "Fine."), alarm("b", "Not fine.")


def refusal(code: str = "AccessDenied", message: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "DescribeImages")


NO_IMAGES = refusal(
    "UnauthorizedOperation",
    "You are not authorized to perform this operation. User: arn:aws:sts::1:assumed-role/r/secret is not authorized to "
    "perform: ec2:DescribeImages because no identity-based policy allows the ec2:DescribeImages action",
)


def failing(error: Exception, *before: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from before
    raise error


def unknown(resource: str, reason: str) -> dict[str, str]:
    return {"resource": resource, "verdict": "unknown", "reason": reason}


def test_a_call_that_is_denied_leaves_the_others_and_names_the_action_that_is_missing() -> None:
    def found() -> Findings:
        yield from looked("images", lambda: failing(NO_IMAGES))
        yield ALARM

    reason = "The action ec2:DescribeImages is missing: DescribeImages was denied, UnauthorizedOperation."
    assert judged(found(), ACCOUNT) == [ALARM, unknown("images", reason)]


def test_what_a_policy_denies_explicitly_is_not_called_missing() -> None:
    message = "User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: ec2:DescribeImages on resource: * "
    error = refusal("AccessDenied", f"{message}with an explicit deny in a service control policy")
    (found,) = judged([OK, finding.CouldNotLook("x", error)], ACCOUNT)[1:]
    assert found["reason"].startswith("The action ec2:DescribeImages is denied explicitly: ")


def test_of_aws_message_nothing_but_the_action_is_told() -> None:
    (found,) = judged([OK, finding.CouldNotLook("x", NO_IMAGES)], ACCOUNT)[1:]
    assert "secret" not in found["reason"]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (refusal(), "DescribeImages was denied, AccessDenied."),
        (refusal("NoSuchBucket"), "DescribeImages in AWS: refused, NoSuchBucket."),
        (CheckCallFailed("AWS's response has no Id."), "AWS's response has no Id."),
    ],
)
def test_what_came_before_a_refused_call_is_judged_and_the_rest_is_unknown(error: Exception, reason: str) -> None:
    assert judged(failing(error, OK), ACCOUNT) == [OK, unknown(ACCOUNT, reason)]


@pytest.mark.parametrize("error", [refusal(), refusal("Throttling"), CheckCallFailed("No Id.")])
def test_a_check_that_could_not_look_at_anything_fails(error: Exception) -> None:
    with pytest.raises(type(error)):
        judged(failing(error), ACCOUNT)
    with pytest.raises(ClientError):
        judged(looked("a", lambda: failing(refusal())), ACCOUNT)


def test_pages_that_end_early_are_half_an_answer() -> None:
    slow = ReadTimeoutError(endpoint_url="https://example.com")
    assert judged(failing(slow, OK), ACCOUNT) == [OK, unknown(ACCOUNT, "AWS: timed out, ReadTimeoutError.")]
    broken = ConnectionClosedError(endpoint_url="https://example.com")
    assert judged(failing(broken, ALARM), ACCOUNT)[0] == ALARM
    with pytest.raises(ConnectionClosedError):
        judged(failing(broken), ACCOUNT)


@pytest.mark.parametrize("error", [refusal("ExpiredToken"), refusal("AuthFailure"), ZeroDivisionError(), KeyError("x")])
def test_a_session_that_is_rejected_and_a_mistake_in_the_check_are_no_verdict(error: Exception) -> None:
    with pytest.raises(type(error)):
        judged(looked("a", lambda: failing(error, OK)), ACCOUNT)


def test_a_service_that_does_not_answer_is_not_asked_a_thousand_times() -> None:
    asked: list[str] = []

    def ask(thing: str) -> Findings:
        asked.append(thing)
        return failing(refusal("Throttling"), OK)

    assert len(judged(each("abc", str, ask, ACCOUNT), ACCOUNT)) == 2
    assert asked == ["a"]


def test_nothing_found_is_a_skip_and_nothing_that_could_be_looked_at_is_none() -> None:
    assert judged(or_skip([], ACCOUNT, "There are none."), ACCOUNT) == [skip(ACCOUNT, "There are none.")]
    assert judged(or_skip([OK], ACCOUNT, "There are none."), ACCOUNT) == [OK]
    with pytest.raises(ClientError):
        judged(or_skip(looked("a", lambda: failing(refusal())), ACCOUNT, "There are none."), ACCOUNT)


def test_things_are_asked_about_one_by_one_up_to_the_cap_which_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "MAX_LOOKS", 2)
    found = judged(each("abc", str.upper, lambda thing: [ok(thing, "Fine.")], ACCOUNT), ACCOUNT)
    assert [one["resource"] for one in found] == ["a", "b", ACCOUNT]
    assert found[2] == unknown(ACCOUNT, "Only the first 2 were looked at; there are more.")
    assert len(judged(each("ab", str, lambda thing: [OK], ACCOUNT), ACCOUNT)) == 2


def test_what_is_deleted_meanwhile_is_not_unknown() -> None:
    (found,) = judged(each("a", str, lambda thing: failing(refusal("NoSuchBucket")), ACCOUNT), ACCOUNT)
    assert (found["resource"], found["verdict"]) == ("a", "skip")


def test_one_thing_that_is_refused_leaves_the_others() -> None:
    found = judged(each("ab", str.upper, lambda thing: failing(refusal()) if thing == "a" else [OK], ACCOUNT), ACCOUNT)
    assert [(one["resource"], one["verdict"]) for one in found] == [("a", "ok"), ("A", "unknown")]
