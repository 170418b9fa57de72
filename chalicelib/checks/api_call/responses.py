"""The pages of a call as one response, in what JSON can hold, and bounded."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import jmespath  # type: ignore[import-untyped]  # botocore brings it
from botocore.model import OperationModel
from botocore.utils import merge_dicts, set_value_from_jmespath

from chalicelib.checks.api_call.arguments import loader
from chalicelib.cross_account.pages import paging_of
from chalicelib.errors import ResultTooLarge

MAX_RESULT = 10_000_000
"""Characters of JSON that one account may answer with in one region."""
MAX_MERGED = 30_000_000
"""The same before a query: it takes ten times as much memory, and the function has 512 MB."""


def merged(operation: OperationModel, pages: Iterable[Mapping[str, Any]], maximum: int) -> dict[str, Any]:
    """All pages as one response, as boto3's `build_full_result` merges them: lists grow, the rest is the first page's.

    It has no token and no ResponseMetadata; times are in ISO 8601, bytes in base64.

    Args:
        maximum: how many characters it may have as JSON.

    Raises:
        ResultTooLarge: it has more; no further page is asked for.
    """
    paging = paging_of(loader(), operation)
    keys, others = (_listed(paging.get(name)) for name in ("result_key", "non_aggregate_keys"))
    whole: dict[str, Any] = {}
    size = 0
    for number, page in enumerate(pages):
        text = json.dumps({name: value for name, value in page.items() if name != "ResponseMetadata"}, default=_plain)
        size += len(text)
        check_size(size, maximum)
        plain = json.loads(text, parse_constant=str)
        if not paging:
            return dict(plain)
        for key in keys:
            _add(whole, key, jmespath.search(key, plain))
        if number == 0:
            first: dict[str, Any] = {}
            for key in others:
                _add(first, key, jmespath.search(key, plain))
            merge_dicts(whole, first)
    return whole


def size_of(result: Any) -> int:
    """About how many characters the result of a query has as JSON; it is not counted further than MAX_RESULT.

    A short query can repeat one object without end: in memory that is one object, and as JSON it would be endless.
    """
    size, left = 0, [result]
    while left and size <= MAX_RESULT:
        one = left.pop()
        if isinstance(one, dict):
            left += one.values()
            size += 2 + sum(len(name) + 4 for name in one)
        elif isinstance(one, list):
            left += one
            size += 2 + len(one)
        else:
            size += len(one) + 2 if isinstance(one, str) else 4
    return size


def check_size(size: int, maximum: int) -> None:
    """Refuse what is larger than the maximum, both in characters of JSON.

    Raises:
        ResultTooLarge: with what to do about it.
    """
    if size > maximum:
        raise ResultTooLarge(
            f"The result has over {maximum // 1_000_000} MB in this account and region.",
            hint="Narrow it with arguments or query.",
        )


def _add(whole: dict[str, Any], key: str, value: Any) -> None:
    """Add a page's value to those before it."""
    before = jmespath.search(key, whole)
    if value is None:
        return
    if isinstance(before, list) and isinstance(value, list):
        before += value
    elif isinstance(before, dict) and isinstance(value, dict):
        merge_dicts(before, value, append_lists=True)
    elif before is None:
        set_value_from_jmespath(whole, key, value)
    elif isinstance(value, (int, float, str)) and not isinstance(value, bool):
        set_value_from_jmespath(whole, key, before + value)


def _listed(keys: Any) -> list[str]:
    return [keys] if isinstance(keys, str) else keys or []


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return base64.b64encode(value).decode() if isinstance(value, (bytes, bytearray)) else str(value)
