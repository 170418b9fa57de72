"""Evaluates the conditions of an IAM policy statement for the condition keys of a request.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

import ipaddress
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
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
    opposite,
)

_ANY, _ALL = "foranyvalue", "forallvalues"
_WRITTEN = re.compile(rf"(?:({_ANY}|{_ALL}):)?([a-z]+?)(ifexists)?")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?", re.ASCII)
_ADDRESS = re.compile(r"[0-9A-Fa-f.:]+(/(0|[1-9][0-9]*))?")

# Compares the request's value with one of the policy; None if it is not known what AWS makes of them.
Comparison = Callable[[str, str], bool | None]
Filling = Callable[[str, Context], str | Missing]


@dataclass(frozen=True)
class Operator:
    """How one value of the request is compared with one of the policy."""

    compare: Comparison
    has: re.Pattern[str] = re.compile("")  # what every value has; one without it is neither like nor unlike another
    fill: Filling | None = None  # AWS replaces variables only in the values of string and ARN operators
    negated: bool = False

    def satisfied(self, value: str, wanted: str | Missing) -> bool | None:
        if isinstance(wanted, Missing):
            # No value equals a variable without one. Whether it is then unlike it, AWS does not say.
            return False if wanted is Missing.ABSENT and not self.negated else None
        if not self.has.search(value) or not self.has.search(wanted):
            return False
        truth = self.compare(value, wanted)
        return opposite(truth) if self.negated else truth


def _ordered(read: Callable[[str], Any], compare: Callable[[Any, Any], bool]) -> Comparison:
    def comparison(value: str, wanted: str) -> bool | None:
        left, right = read(value), read(wanted)
        # Of a date and a number of seconds it is not known either.
        return None if left is None or type(left) is not type(right) else compare(left, right)

    return comparison


def _number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) else None


def _moment(text: str) -> datetime | float | None:
    """A date in ISO 8601, or seconds since 1970."""
    if not _DATE.fullmatch(text.upper()):
        return _number(text) if text.isdigit() and len(text) != 4 else None  # four digits may be a year
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
        return ipaddress.ip_network(text, strict=False) if _ADDRESS.fullmatch(text) else None
    except ValueError:
        return None


def _in_network(value: str, wanted: str) -> bool | None:
    address, network = _network(value), _network(wanted)
    return None if address is None or network is None or "/" in value else address.network_address in network


def _not_outside_network(value: str, wanted: str) -> bool | None:
    """For NotIpAddress: that an IPv4 address is not a single IPv6 address is unknown to the engine of the verdicts."""
    single_of_other_version = "/" not in wanted and (":" in value) != (":" in wanted)
    return None if single_of_other_version else _in_network(value, wanted)


_ORDERS = {
    "equals": operator.eq,
    "lessthan": operator.lt,
    "lessthanequals": operator.le,
    "greaterthan": operator.gt,
    "greaterthanequals": operator.ge,
}
_DIGIT = re.compile("[0-9]")
_ARN = Operator(arn_like, re.compile("[:*]"), fill_pattern)  # AWS documents ArnEquals and ArnLike as the same
# In lower case: AWS takes operators in their own case only, other engines in any.
_OPERATORS = {
    "stringequals": Operator(operator.eq, fill=fill_text),
    "stringequalsignorecase": Operator(lambda value, wanted: value.lower() == wanted.lower(), fill=fill_text),
    "stringlike": Operator(like, fill=fill_pattern),
    "arnequals": _ARN,
    "arnlike": _ARN,
    "bool": Operator(lambda value, wanted: value.lower() == wanted.lower(), re.compile("(?i)^(true|false)$")),
    "binaryequals": Operator(operator.eq),
    "ipaddress": Operator(_in_network, re.compile("[0-9:]")),
    "notipaddress": Operator(_not_outside_network, re.compile("[0-9:]"), negated=True),
    **{f"numeric{name}": Operator(_ordered(_number, order), _DIGIT) for name, order in _ORDERS.items()},
    **{f"date{name}": Operator(_ordered(_moment, order), _DIGIT) for name, order in _ORDERS.items()},
}
_NEGATED = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "arnnotequals": "arnequals",
    "arnnotlike": "arnlike",
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
        of_all = all_of if self.operator.negated else any_of
        truths = (
            of_all(self.operator.satisfied(value, one) for one in wanted)
            for value in ([actual] if isinstance(actual, str) else actual)
        )
        return any_of(truths) if self.quantifier == _ANY else all_of(truths)

    def _fill(self, value: str, context: Context) -> str | Missing:
        if "${" not in value or not self.variables:
            return value
        fill = self.operator.fill if self.operator else None
        return fill(value, context) if fill else Missing.UNKNOWN


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
