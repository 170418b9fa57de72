"""Matches text, actions and ARNs against the patterns of an IAM policy: wildcards, variables and short ARNs.

Three-valued: True, False, and None for what cannot be known. The rules are those of the pages "Resource", "Action" and
"Variables and tags" in https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
"""

import fnmatch
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum, IntEnum
from functools import lru_cache

ContextValue = str | Sequence[str]

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_KEY_AND_DEFAULT = re.compile(r"\s*([^,]+?)\s*(?:, '([^']+)'\s*)?")
_ESCAPED = re.compile(r"\$\{([*?$])\}")
_ARN = re.compile("arn:", re.IGNORECASE)
_WILD_TYPE = re.compile(r"[^:/]*[*?][^:/]*[:/]")
_SPECIAL = re.compile(r"[*?$]")


class Missing(Enum):
    """Why a condition key has no value."""

    ABSENT = "the request does not have it"
    UNKNOWN = "AWS may set it, this sandbox does not know"


class ShortArn(IntEnum):
    """What a policy means by an ARN of fewer than six parts.

    AWS documents that it adds * for each missing part. The engine of tests/sandbox/verdicts does so for some kinds of
    policies only; for the others it is not known here.
    """

    UNKNOWN = 0  # resource control policies
    EXPANDED = 1  # arn:aws:sns:* is every topic, arn:aws:sns is unknown: service control and resource-based policies
    COMPLETED = 2  # both are every topic: policies of the caller


class Context:
    """The condition keys of a request; their names are compared without regard to case.

    `known` are the keys, and families such as "aws:RequestTag/", that are absent if they are not in `keys`. Any other
    is then unknown. With None every key is known.
    """

    def __init__(self, keys: Mapping[str, ContextValue], known: Iterable[str] | None = None) -> None:
        self._values = {key.lower(): _value(value) for key, value in keys.items()}
        self._known = None if known is None else {key.lower() for key in known}

    def get(self, key: str) -> ContextValue | Missing:
        key = key.lower()
        if key in self._values:
            return self._values[key]
        family = key.partition("/")[0] + "/"
        return Missing.ABSENT if self._known is None or {key, family} & self._known else Missing.UNKNOWN


def _value(value: object) -> ContextValue | Missing:
    """The value of a key as text or as a list of text; what is neither is not known."""
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)) and all(isinstance(one, str) for one in value):
        return value
    return Missing.UNKNOWN


def any_of(truths: Iterable[bool | None]) -> bool | None:
    """Three-valued "or"."""
    result: bool | None = False
    for truth in truths:
        if truth:
            return True
        result = None if truth is None else result
    return result


def all_of(truths: Iterable[bool | None]) -> bool | None:
    """Three-valued "and"."""
    result: bool | None = True
    for truth in truths:
        if truth is False:
            return False
        result = None if truth is None else result
    return result


def opposite(truth: bool | None) -> bool | None:
    return None if truth is None else not truth


def literal(pattern: str) -> str:
    """The same pattern with ${…} as text: variables came with version 2012-10-17."""
    return pattern.replace("$", "${$}")


def fill_pattern(pattern: str, context: Context) -> str | Missing:
    """Replace the variables by their values, whose * and ? are no wildcards: AWS writes such as ${*}, ${?} and ${$}."""
    return _fill(pattern, context, lambda value: _SPECIAL.sub(r"${\g<0>}", value))


def fill_text(text: str, context: Context) -> str | Missing:
    """Replace the variables by their values in what is not a pattern. What ${*} means there, AWS does not say."""
    return Missing.UNKNOWN if _ESCAPED.search(text) else _fill(text, context, str)


def _fill(text: str, context: Context, written: Callable[[str], str]) -> str | Missing:
    pieces = _VARIABLE.split(text)
    for index in range(1, len(pieces), 2):
        variable = pieces[index]
        if _SPECIAL.fullmatch(variable):
            pieces[index] = f"${{{variable}}}"
            continue
        parts = _KEY_AND_DEFAULT.fullmatch(variable)
        value = context.get(parts[1]) if parts else Missing.UNKNOWN
        if value is Missing.UNKNOWN or value == "":  # AWS does not say whether an empty value is one
            return Missing.UNKNOWN
        default = parts[2] if parts else None
        if not isinstance(value, str) and default is None:  # absent, or several values
            return Missing.ABSENT
        pieces[index] = written(value if isinstance(value, str) else str(default))
    return "".join(pieces)


@lru_cache(maxsize=4096)
def _expression(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    # In fnmatch [ ] is a character class, in IAM it is not.
    translated = fnmatch.translate(_ESCAPED.sub(r"[\1]", pattern.replace("[", "[[]")))
    return re.compile(translated, re.IGNORECASE if ignore_case else 0)


def like(value: str, pattern: str, ignore_case: bool = False) -> bool:
    """Match IAM's wildcards: * is any text, ? is one character."""
    return pattern == "*" or _expression(pattern, ignore_case).match(value) is not None


def arn_like(value: str, pattern: str) -> bool | None:
    """Match each of the six parts separately, as ArnLike does; None if one of both is not an ARN."""
    values, patterns = value.split(":", 5), pattern.split(":", 5)
    if not len(values) == len(patterns) == 6 or not values[0] == patterns[0] == "arn":
        return None
    return all(map(like, values, patterns))


def is_everything(pattern: str) -> bool:
    return bool(pattern) and not pattern.strip("*")


def action_like(service: str, name: str, pattern: str) -> bool | None:
    """Match an action, in lower case, against an element of Action: wildcards may stand only after the service."""
    if is_everything(pattern):
        return True
    wanted, colon, wanted_name = pattern.partition(":")
    if not colon:
        return None
    return wanted.lower() == service and like(name, wanted_name, ignore_case=True)


def resource_like(resource: str | None, pattern: str, context: Context, short: ShortArn) -> bool | None:
    """Match a resource against an element of Resource.

    The requested resource is "*" if the action has none: only * matches it. None is a resource that is not known.
    Variables may stand only in the last of an ARN's six parts; one without a value matches nothing.
    """
    if is_everything(pattern):
        return True
    if resource is None or not _ARN.match(pattern) or any("${" in part for part in pattern.split(":", 5)[:5]):
        return None
    filled = fill_pattern(pattern, context)
    if resource == "*" or filled is Missing.ABSENT:
        return False
    if filled is Missing.UNKNOWN or resource.count(":") < 5:
        return None
    *first, last = resource.split(":", 5)
    *patterns, last_pattern = [*filled.split(":", 5), *"*****"][:6]
    matches = all(like(*pair, ignore_case=True) for pair in zip(first, patterns, strict=True))
    if not matches or not like(last, last_pattern):
        # AWS: "If the * wildcard is the last character of a resource ARN segment, it can expand to match beyond the
        # colon boundaries". It does not say when.
        return None if like(resource, filled) else False
    if pattern.count(":") < 5:
        return True if short >= (ShortArn.EXPANDED if pattern.endswith("*") else ShortArn.COMPLETED) else None
    # AWS documents that a wildcard must not stand in the type of a resource, not what it does there. The ARNs of
    # buckets have no type, region or account.
    is_wild = _WILD_TYPE.match(_VARIABLE.sub("*", pattern.split(":", 5)[5])) is not None
    return None if is_wild and patterns[2:] != ["s3", "", ""] else True


def is_exact(pattern: str, context: Context) -> bool:
    """Whether an element of Resource is an ARN of six parts whose variables have values."""
    is_arn = pattern.startswith("arn:") and pattern.count(":") >= 5
    return is_arn and isinstance(fill_pattern(pattern, context), str)
