"""Evaluates the Condition block of an IAM policy for the condition keys of a request.

There are three results: met, not met, and unknown, because the block uses an operator or a key that this module does
not know. For the caller, unknown means denied (an Allow does not apply and a Deny does), so that a policy never allows
more here than in AWS.
"""

import fnmatch
import re
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from functools import lru_cache
from typing import Any

# An empty sequence means that the request does not have the key; for a name that ends in a slash, that it has only the
# listed keys of this family.
ContextValue = str | Sequence[str]

# If one of these keys is absent, the request does not have it. Any other absent key may be one that AWS would set.
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
    """The result of a Condition for a request."""

    MET = "met"
    NOT_MET = "not met"
    UNKNOWN = "unknown"


def as_list(value: object) -> list[Any]:
    """Always a list: IAM allows a single value without one."""
    return list(value) if isinstance(value, (list, tuple)) else [value]


@lru_cache(maxsize=4096)
def _pattern(glob: str, ignore_case: bool) -> re.Pattern[str]:
    # In fnmatch [ ] is a character class, in IAM it is not.
    escaped = glob.replace("[", "[[]")
    return re.compile(fnmatch.translate(escaped), re.IGNORECASE if ignore_case else 0)


def like(value: str, glob: str, ignore_case: bool = False) -> bool:
    """Match IAM's wildcards: * is any text, ? is one character."""
    return _pattern(glob, ignore_case).match(value) is not None


def arn_like(value: str, glob: str) -> bool:
    """Match each of the six parts between colons separately, as ArnLike and Resource do in IAM."""
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
    """NOT_MET if any key is not met, else UNKNOWN if any is unknown, else MET."""
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
    # Policy variables such as ${aws:username} are unknown here.
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

    # Without a quantifier a key has one value; for several, all must match, which is stricter.
    return _verdict(any(map(holds, actual)) if quantifier == "ForAnyValue" else all(map(holds, actual)))


def _verdict(met: bool) -> Verdict:
    return Verdict.MET if met else Verdict.NOT_MET
