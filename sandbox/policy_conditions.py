"""Evaluates the conditions of an IAM policy statement for the condition keys of a request.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

import ipaddress
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sandbox.policy_patterns import Context, Missing, all_of, any_of, arn_like, fill, like, literal, opposite, unescape
from sandbox.policy_patterns import ContextValue as ContextValue  # until its importers name policy_patterns

_QUANTIFIERS = ("", "ForAnyValue", "ForAllValues")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?", re.ASCII)

# A comparison of the request's value with one of the policy; None if they cannot be compared.
Comparison = Callable[[str, str], bool | None]


@dataclass(frozen=True)
class Operator:
    """How one value is compared with one of the policy."""

    compare: Comparison
    negated: bool = False
    variables: bool = False  # AWS replaces variables only in the values of string and ARN operators


def _ordered(read: Callable[[str], Any], compare: Callable[[Any, Any], bool]) -> Comparison:
    def comparison(value: str, wanted: str) -> bool | None:
        left, right = read(value), read(wanted)
        # A date and a number of seconds are not compared.
        return None if left is None or type(left) is not type(right) else compare(left, right)

    return comparison


def _number(text: str) -> Decimal | None:
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def _moment(text: str) -> datetime | Decimal | None:
    """A date in ISO 8601, or seconds since 1970."""
    if not _DATE.fullmatch(text.upper()):
        return _number(text)
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _boolean(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text.lower())


@lru_cache(maxsize=4096)
def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _in_network(value: str, wanted: str) -> bool | None:
    address, network = _network(value), _network(wanted)
    if address is None or network is None or address.version != network.version:
        return None
    return address.subnet_of(network)  # type: ignore[arg-type]


_NUMERIC = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "LessThanEquals": operator.le,
    "GreaterThan": operator.gt,
    "GreaterThanEquals": operator.ge,
}
_EQUALS = Operator(lambda value, wanted: value == unescape(wanted), variables=True)
_EQUALS_IGNORE_CASE = Operator(lambda value, wanted: value.lower() == unescape(wanted).lower(), variables=True)
_OPERATORS = {
    "StringEquals": _EQUALS,
    "StringEqualsIgnoreCase": _EQUALS_IGNORE_CASE,
    "StringLike": Operator(like, variables=True),
    "ArnEquals": Operator(arn_like, variables=True),  # AWS documents ArnEquals and ArnLike as the same
    "ArnLike": Operator(arn_like, variables=True),
    "Bool": Operator(_ordered(_boolean, operator.eq)),
    "BinaryEquals": Operator(operator.eq),
    "IpAddress": Operator(_in_network),
    **{f"Numeric{name}": Operator(_ordered(_number, compare)) for name, compare in _NUMERIC.items()},
    **{f"Date{name}": Operator(_ordered(_moment, compare)) for name, compare in _NUMERIC.items()},
}
_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NotIpAddress": "IpAddress",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
}
for _name, _positive in _NEGATED.items():
    _OPERATORS[_name] = Operator(_OPERATORS[_positive].compare, True, _OPERATORS[_positive].variables)


@dataclass(frozen=True)
class Condition:
    """One operator, one key and its values."""

    operator: Operator | None  # None: Null
    quantifier: str
    if_exists: bool
    key: str
    values: tuple[str, ...]

    def met(self, context: Context) -> bool | None:
        """Whether the request meets it; None if that cannot be known."""
        actual = context.get(self.key)
        if actual is Missing.UNKNOWN:
            return None
        if self.operator is None:
            absent = actual is Missing.ABSENT
            return any_of(None if (null := _boolean(value)) is None else null is absent for value in self.values)
        if isinstance(actual, Missing):
            if self.quantifier:
                return self.quantifier == "ForAllValues"
            return self.if_exists or self.operator.negated
        if isinstance(actual, str):
            values = [actual]
        elif self.quantifier:
            values = list(actual)
        else:
            return False  # a key with several values needs ForAnyValue or ForAllValues
        wanted = self._wanted(context)
        truths = [self._holds(value, wanted) for value in values]
        return any_of(truths) if self.quantifier == "ForAnyValue" else all_of(truths)

    def _wanted(self, context: Context) -> list[str | Missing]:
        assert self.operator is not None
        if self.operator.variables:
            return [fill(value, context) for value in self.values]
        return [Missing.UNKNOWN if "${" in value else value for value in self.values]

    def _holds(self, value: str, wanted: list[str | Missing]) -> bool | None:
        assert self.operator is not None
        negated, compare = self.operator.negated, self.operator.compare

        def matches(one: str | Missing) -> bool | None:
            if isinstance(one, str):
                return compare(value, one)
            # No value is like an absent one. Whether every value is unlike it, AWS does not say.
            return False if one is Missing.ABSENT and not negated else None

        truth = any_of(map(matches, wanted))
        return opposite(truth) if negated else truth


def parse_conditions(block: object, variables: bool) -> tuple[Condition, ...] | None:
    """The conditions of a Condition element; None if it is malformed or has an operator that AWS does not have.

    Without `variables`, ${…} is text, as in policies whose version is not 2012-10-17.
    """
    if not isinstance(block, Mapping):
        return None
    conditions = []
    for written, keys in block.items():
        quantifier, colon, name = written.rpartition(":")
        if_exists = name.endswith("IfExists")
        name = name.removesuffix("IfExists")
        if quantifier not in _QUANTIFIERS or (colon and not quantifier) or not isinstance(keys, Mapping):
            return None
        if name != "Null" and name not in _OPERATORS:
            return None
        for key, written_values in keys.items():
            values = texts(written_values)
            if values is None:
                return None
            values = values if variables else tuple(map(literal, values))
            conditions.append(Condition(_OPERATORS.get(name), quantifier, if_exists, key, values))
    return tuple(conditions)


def texts(value: object) -> tuple[str, ...] | None:
    """One value or a list of them as text, as IAM also takes numbers and booleans."""
    texts = []
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, bool):
            texts.append(str(one).lower())
        elif isinstance(one, (str, int, float)):
            texts.append(str(one))
        else:
            return None
    return tuple(texts)
