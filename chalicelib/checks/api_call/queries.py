"""JMESPath: what `api_call` takes from a response."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar

import jmespath  # type: ignore[import-untyped]  # botocore brings it
from botocore.model import ListShape, Shape, StructureShape
from jmespath.exceptions import JMESPathError  # type: ignore[import-untyped]
from jmespath.functions import Functions, signature  # type: ignore[import-untyped]
from jmespath.visitor import TreeInterpreter  # type: ignore[import-untyped]

from chalicelib.checks.api_call.responses import MAX_RESULT, check_size, size_of
from chalicelib.checks.check import shown
from chalicelib.cross_account import InvalidInput

MAX_LENGTH = 2_048


def _equal(left: Any, right: Any) -> Any:
    """Python compares what repeats itself without end in one step: meanwhile no other thread runs, and no deadline."""
    check_size(min(size_of(left), size_of(right)), MAX_RESULT)
    return TreeInterpreter.COMPARATOR_FUNC["eq"](left, right)


class _Bounded(TreeInterpreter):  # type: ignore[misc]
    """JMESPath, bounded: a short query that repeats a list makes one of any length, which takes all memory."""

    COMPARATOR_FUNC: ClassVar = {
        **TreeInterpreter.COMPARATOR_FUNC,
        "eq": _equal,
        "ne": lambda left, right: not _equal(left, right),
    }

    def visit_flatten(self, node: Any, value: Any) -> Any:
        flat = super().visit_flatten(node, value)
        check_size(len(flat or ()), MAX_RESULT)
        return flat


class _BoundedFunctions(Functions):  # type: ignore[misc]
    """The functions that would make or compare what repeats itself."""

    @signature({"types": ["array", "string"]}, {"types": []})  # type: ignore[untyped-decorator]
    def _func_contains(self, subject: list[Any] | str, search: Any) -> Any:
        if isinstance(search, list | dict):
            check_size(size_of(subject), MAX_RESULT)
        return super()._func_contains(subject, search)

    @signature({"types": ["string"]}, {"types": ["array-string"]})  # type: ignore[untyped-decorator]
    def _func_join(self, separator: str, texts: list[str]) -> Any:
        check_size(sum(map(len, texts)) + len(separator) * len(texts), MAX_RESULT)
        return super()._func_join(separator, texts)

    @signature({"types": []})  # type: ignore[untyped-decorator]
    def _func_to_string(self, value: Any) -> Any:
        check_size(size_of(value), MAX_RESULT)
        return super()._func_to_string(value)


_OPTIONS = jmespath.Options(custom_functions=_BoundedFunctions())


def check_query(query: str, returned: Shape | None) -> None:
    """Parse a query, and look at its functions and fields.

    Args:
        returned: what the operation returns, by botocore's model.

    Raises:
        InvalidInput: it is too long, does not parse, calls a function that there is not, or with too few or too many
            arguments, or takes a field that the response never has. JMESPath finds nothing there, which looks like an
            account that has nothing.
    """
    if len(query) > MAX_LENGTH:
        raise InvalidInput(f"query has {len(query):,} characters; the maximum is {MAX_LENGTH:,}.")
    try:
        parsed = jmespath.compile(query).parsed
        _check_functions({"type": "query", "children": [parsed]})
        _check_fields(parsed, returned)
    except JMESPathError as error:
        where = getattr(error, "lex_position", None)
        place = "" if where is None else f" at character {where + 1}"
        raise InvalidInput(
            f"query is not a JMESPath expression: {shown(query)} does not parse{place}.",
            hint="https://jmespath.org has the grammar, and tries expressions.",
        ) from None
    except RecursionError:
        raise InvalidInput("query is nested too deeply.") from None


def search(query: str, data: Any) -> Any:
    """What a query that was checked finds in a response.

    Raises:
        InvalidInput: the response has not the types that the query's functions take.
        ResultTooLarge: the query makes a list or a text of over MAX_RESULT.
    """
    try:
        return _Bounded(_OPTIONS).visit(jmespath.compile(query).parsed, data)
    except (ValueError, TypeError, ArithmeticError, RecursionError) as error:  # a JMESPathError is a ValueError
        function = getattr(error, "function_name", None)
        what = f"its function {function} got a {getattr(error, 'actual_type', 'value')}" if function else "it failed"
        raise InvalidInput(
            f"query does not suit the response: {what}.",
            hint="Ask without the query to see the response; `|| [0]` or `not_null()` stand in for what is null.",
            stage="check",
        ) from None


def _check_functions(node: Any) -> None:
    children = [child for child in node["children"] if isinstance(child, dict)]  # those of a slice are numbers
    if node["type"] == "function_expression":
        _check_function(node["value"], len(children))
    elif any(child["type"] == "expref" for child in children):
        raise InvalidInput("An expression with & in query has to be a function's argument.")
    for child in children:
        _check_functions(child)


def _check_fields(node: Any, shape: Shape | None) -> Shape | None:
    """Look at the fields that a part of a query takes from a shape. Returns what it gives; None: that is not known."""
    kind, children = node["type"], node["children"]
    if kind == "field":
        return _field(node["value"], shape)
    if kind in ("subexpression", "pipe", "index_expression"):
        for child in children:
            shape = _check_fields(child, shape)
        return shape
    if kind in ("projection", "filter_projection"):
        listed = _check_fields(children[0], shape)
        item = listed.member if isinstance(listed, ListShape) else None
        for child in children[2:]:
            _check_fields(child, item)
        found = _check_fields(children[1], item)
        return _ListOf(found) if found else None
    if kind == "flatten":
        listed = _check_fields(children[0], shape)
        item = listed.member if isinstance(listed, ListShape) else None
        return item if isinstance(item, ListShape) else listed
    if kind == "index":
        return shape.member if isinstance(shape, ListShape) else None
    if kind in ("identity", "current", "slice"):
        return shape
    if kind not in ("expref", "value_projection"):  # their fields are taken from what is not known here
        for child in children:
            _check_fields(child, shape)
    return None


class _ListOf(ListShape):
    """The shape of a list of what a projection gives."""

    def __init__(self, member: Shape) -> None:
        self.member = member


def _field(name: str, shape: Shape | None) -> Shape | None:
    if not isinstance(shape, StructureShape) or getattr(shape, "is_document_type", False):
        return None
    if name == "null":  # a field that is never there, by which `PublicIpAddress != null` compares
        return None
    if name not in shape.members:
        nearest = _nearest(name, shape.members)
        raise InvalidInput(f"The response has no {shown(name)} where query looks for it.", hint=f"There: {nearest}.")
    return shape.members[name]


def _nearest(name: str, names: Collection[str]) -> str:
    from difflib import get_close_matches  # only for a name that is wrong

    if nearest := get_close_matches(name, names, n=3):
        return ", ".join(nearest)
    first, more = ", ".join(sorted(names)[:12]), len(names) - 12
    return f"{first} and {more} more" if more > 0 else first


def _check_function(name: str, given: int) -> None:
    known = Functions.FUNCTION_TABLE
    if name not in known:
        raise InvalidInput(f"JMESPath has no function {shown(name)}.", hint=f"Nearest: {_nearest(name, known)}.")
    signature = known[name]["signature"]
    variadic = bool(signature) and signature[-1].get("variadic", False)
    if given < len(signature) or (given > len(signature) and not variadic):
        least = "at least " if variadic else ""
        raise InvalidInput(f"The function {name} in query takes {least}{len(signature)} arguments, not {given}.")
