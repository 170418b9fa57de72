"""The Condition block of an IAM policy, judged against the keys a request carries.

Three answers, not two: a condition is met, is not met, or cannot be judged here because it uses an
operator or a key this module does not know. The caller turns "cannot be judged" into a denial (no Allow
from it, and a Deny from it holds), so that a policy is never more generous here than it is in AWS.
"""

import fnmatch
import re
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from functools import lru_cache
from typing import Any

# An empty sequence says that the request surely lacks the key; for a name that ends in a slash, that it has no keys of
# this family but those listed.
ContextValue = str | Sequence[str]

# Keys whose absence from any request means something. Any other absent key may be one AWS would have set.
KNOWN_KEYS = frozenset(
    key.lower()
    for key in (
        "sts:ExternalId",
        "sts:RoleSessionName",
        "aws:PrincipalArn",
        "aws:PrincipalAccount",
        "aws:PrincipalOrgID",
        "aws:ResourceAccount",
        "aws:ResourceOrgID",
        "aws:RequestedRegion",
        "aws:userid",
        "lambda:SourceFunctionArn",
    )
)


class Verdict(Enum):
    """What a Condition says about a request."""

    MET = "met"
    NOT_MET = "not met"
    UNKNOWN = "unknown"


def as_list(value: object) -> list[Any]:
    """IAM writes one value bare and several as a list; give back a list always."""
    return list(value) if isinstance(value, (list, tuple)) else [value]


@lru_cache(maxsize=4096)
def _pattern(glob: str, ignore_case: bool) -> re.Pattern[str]:
    # fnmatch would read [ ] as a character class, which IAM does not have.
    escaped = glob.replace("[", "[[]")
    return re.compile(fnmatch.translate(escaped), re.IGNORECASE if ignore_case else 0)


def like(value: str, glob: str, ignore_case: bool = False) -> bool:
    """IAM's wildcards: * for any run of characters, ? for one."""
    return _pattern(glob, ignore_case).match(value) is not None


def arn_like(value: str, glob: str) -> bool:
    """ARN wildcards hold within each of the six colon-separated parts, as ArnLike and Resource do in IAM."""
    if glob == "*":
        return True
    values, globs = value.split(":", 5), glob.split(":", 5)
    return len(values) == len(globs) and all(like(v, g) for v, g in zip(values, globs, strict=True))


def _bool_equals(value: str, expected: str) -> bool:
    return value.lower() == expected.lower()


_MATCHERS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda value, expected: value == expected,
    "StringEqualsIgnoreCase": lambda value, expected: value.lower() == expected.lower(),
    "StringLike": like,
    "ArnEquals": arn_like,  # AWS documents ArnEquals and ArnLike as the same
    "ArnLike": arn_like,
    "Bool": _bool_equals,
}
_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}


def judge_conditions(block: object, context: Mapping[str, ContextValue]) -> Verdict:
    """All operators and all keys of a Condition block must be met; one that is not decides, then one unknown."""
    if not isinstance(block, Mapping):
        return Verdict.UNKNOWN
    values = {key.lower(): [str(v) for v in as_list(value)] for key, value in context.items()}
    verdicts = {
        _judge(operator, key.lower(), as_list(expected), values)
        for operator, keys in block.items()
        for key, expected in keys.items()
    }
    if Verdict.NOT_MET in verdicts:
        return Verdict.NOT_MET
    return Verdict.UNKNOWN if Verdict.UNKNOWN in verdicts else Verdict.MET


def _judge(operator: str, key: str, expected: list[Any], values: Mapping[str, list[str]]) -> Verdict:
    quantifier, _, name = operator.rpartition(":")
    if_exists = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    negated = name in _NEGATED
    matches = _MATCHERS.get(_NEGATED.get(name, name))
    wanted = [str(value).lower() if isinstance(value, bool) else str(value) for value in expected]
    known = key in values or key in KNOWN_KEYS or f"{key.partition('/')[0]}/" in values
    actual = values.get(key, [])
    # A policy variable such as ${aws:username} is not resolved here.
    if not known or any("${" in value for value in wanted) or quantifier not in ("", "ForAnyValue", "ForAllValues"):
        return Verdict.UNKNOWN
    if name == "Null" and not quantifier and not if_exists:
        return _verdict(any((not actual) == (value.lower() == "true") for value in wanted))
    if matches is None:
        return Verdict.UNKNOWN
    if not actual:
        return _verdict(if_exists or quantifier == "ForAllValues" or (negated and not quantifier))

    def holds(value: str) -> bool:
        return any(matches(value, one) for one in wanted) != negated

    # Without a quantifier a key has one value; were there several, the stricter reading is the safe one.
    return _verdict(any(map(holds, actual)) if quantifier == "ForAnyValue" else all(map(holds, actual)))


def _verdict(met: bool) -> Verdict:
    return Verdict.MET if met else Verdict.NOT_MET
