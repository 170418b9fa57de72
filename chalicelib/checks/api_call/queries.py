"""JMESPath: what `api_call` takes from a response."""

from __future__ import annotations

from typing import Any

import jmespath  # type: ignore[import-untyped]  # botocore brings it
from jmespath.exceptions import JMESPathError  # type: ignore[import-untyped]
from jmespath.functions import Functions  # type: ignore[import-untyped]

from chalicelib.checks.check import shown
from chalicelib.cross_account import InvalidInput

MAX_LENGTH = 2_048


def check_query(query: str) -> None:
    """Parse a query and look at its functions.

    Raises:
        InvalidInput: it is too long, does not parse, or calls a function that there is not, or with too few or too many
            arguments.
    """
    if len(query) > MAX_LENGTH:
        raise InvalidInput(f"query may have {MAX_LENGTH:,} characters, and this one has {len(query):,}.")
    try:
        _check_functions({"type": "query", "children": [jmespath.compile(query).parsed]})
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
    """
    try:
        return jmespath.search(query, data)
    except (ValueError, TypeError, RecursionError) as error:  # a JMESPathError is a ValueError
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


def _check_function(name: str, given: int) -> None:
    known = Functions.FUNCTION_TABLE
    if name not in known:
        from difflib import get_close_matches  # only for a name that is wrong

        nearest = get_close_matches(name, known, n=3) or sorted(known)
        raise InvalidInput(f"JMESPath has no function {shown(name)}.", hint=f"Nearest: {', '.join(nearest)}.")
    signature = known[name]["signature"]
    variadic = bool(signature) and signature[-1].get("variadic", False)
    if given < len(signature) or (given > len(signature) and not variadic):
        least = "at least " if variadic else ""
        raise InvalidInput(f"The function {name} in query takes {least}{len(signature)} arguments, not {given}.")
