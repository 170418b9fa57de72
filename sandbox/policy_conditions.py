"""Evaluates the conditions of an IAM policy statement for the condition keys of a request.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

import ipaddress
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sandbox.policy_patterns import (
    Context,
    Missing,
    all_of,
    any_of,
    arn_like,
    fill_pattern,
    fill_text,
    like,
    literal,
)
from sandbox.policy_patterns import ContextValue as ContextValue  # until its importers name policy_patterns

_ANY, _ALL = "foranyvalue", "forallvalues"
_WRITTEN = re.compile(rf"(?:({_ANY}|{_ALL}):)?([a-z]+?)(ifexists)?")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:]{5,8}(\.[0-9]+)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?")

# Compares the request's value with one of the policy; None if they cannot be compared.
Comparison = Callable[[str, str], bool | None]
Filling = Callable[[str, Context], str | Missing]


@dataclass(frozen=True)
class Operator:
    """How one value of the request is compared with one of the policy, and whether the result is turned round."""

    compare: Comparison
    fill: Filling | None = None  # AWS replaces variables only in the values of string and ARN operators
    negated: bool = False


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
    _, slash, bits = text.partition("/")
    try:
        return ipaddress.ip_network(text, strict=False) if bits.isdigit() or not slash else None
    except ValueError:
        return None


def _in_network(value: str, wanted: str) -> bool | None:
    address, network = _network(value), _network(wanted)
    if address is None or network is None or "/" in value:
        return None
    if address.version != network.version and "/" not in wanted:
        return None
    return address.network_address in network


_ORDERS = {
    "equals": operator.eq,
    "lessthan": operator.lt,
    "lessthanequals": operator.le,
    "greaterthan": operator.gt,
    "greaterthanequals": operator.ge,
}
_ARN = Operator(arn_like, fill_pattern)  # AWS documents ArnEquals and ArnLike as the same
# The judge of the tests, and AWS in the names of keys, do not regard case.
_OPERATORS = {
    "stringequals": Operator(operator.eq, fill_text),
    "stringequalsignorecase": Operator(lambda value, wanted: value.lower() == wanted.lower(), fill_text),
    "stringlike": Operator(like, fill_pattern),
    "arnequals": _ARN,
    "arnlike": _ARN,
    "bool": Operator(_ordered(_boolean, operator.eq)),
    "binaryequals": Operator(operator.eq),
    "ipaddress": Operator(_in_network),
    **{f"numeric{name}": Operator(_ordered(_number, order)) for name, order in _ORDERS.items()},
    **{f"date{name}": Operator(_ordered(_moment, order)) for name, order in _ORDERS.items()},
}
_NEGATED = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "arnnotequals": "arnequals",
    "arnnotlike": "arnlike",
    "notipaddress": "ipaddress",
    "numericnotequals": "numericequals",
    "datenotequals": "dateequals",
}
_OPERATORS |= {name: replace(_OPERATORS[positive], negated=True) for name, positive in _NEGATED.items()}


@dataclass(frozen=True)
class Condition:
    """An operator, a key, and the policy's values for it."""

    operator: Operator | None  # None is Null
    quantifier: str
    if_exists: bool
    key: str
    values: tuple[str, ...]
    variables: bool

    def met(self, context: Context) -> bool | None:
        """Whether the request meets it; None if that is not known."""
        actual = context.get(self.key)
        if actual is Missing.UNKNOWN:
            return None
        if self.operator is None:
            return any(_boolean(value) is (actual is Missing.ABSENT) for value in self.values)
        if actual is Missing.ABSENT:
            return self.quantifier == _ALL or (not self.quantifier and (self.if_exists or self.operator.negated))
        if not isinstance(actual, str) and not self.quantifier:
            return False  # a key with several values needs ForAnyValue or ForAllValues
        wanted = [self._fill(value, context) for value in self.values]
        truths = (_holds(self.operator, value, wanted) for value in ([actual] if isinstance(actual, str) else actual))
        return any_of(truths) if self.quantifier == _ANY else all_of(truths)

    def _fill(self, value: str, context: Context) -> str | Missing:
        if "${" not in value or not self.variables:
            return value
        fill = self.operator.fill if self.operator else None
        return fill(value, context) if fill else Missing.UNKNOWN


def _holds(operator: Operator, value: str, wanted: Iterable[str | Missing]) -> bool | None:
    def satisfies(one: str | Missing) -> bool | None:
        if isinstance(one, str):
            # What cannot be compared is neither like nor unlike.
            return operator.compare(value, one) is (not operator.negated)
        # No value equals a variable without one. Whether it is then unlike it, AWS does not say.
        return False if one is Missing.ABSENT and not operator.negated else None

    return (all_of if operator.negated else any_of)(map(satisfies, wanted))


def parse_conditions(block: object, variables: bool) -> tuple[Condition, ...] | None:
    """The conditions of a Condition element; None if it is malformed or has an operator that AWS does not have.

    Without `variables`, ${…} is text.
    """
    if not isinstance(block, Mapping):
        return None
    conditions = []
    for written, keys in block.items():
        found = _WRITTEN.fullmatch(written.lower())
        operator = _OPERATORS.get(found[2]) if found else None
        if not found or not isinstance(keys, Mapping) or (operator is None and found[2] != "null"):
            return None
        for key, value in keys.items():
            values = texts(value)
            if values is None:
                return None
            if operator and operator.fill is fill_pattern and not variables:
                values = tuple(map(literal, values))
            conditions.append(Condition(operator, found[1] or "", found[3] is not None, key, values, variables))
    return tuple(conditions)


def texts(value: object) -> tuple[str, ...] | None:
    """One value or a list of them as text, for IAM also takes numbers and booleans; None if there is anything else."""
    found = []
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, float) and one.is_integer():
            one = int(one)
        if not isinstance(one, (str, int, float)):
            return None
        found.append(str(one).lower() if isinstance(one, bool) else str(one))
    return tuple(found)
