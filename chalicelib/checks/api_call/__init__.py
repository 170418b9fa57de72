"""Any read-only call of AWS's API, without a check of its own.

What it needs beside this module is loaded at its first question: a function that never asks it does not pay for it.
"""

from __future__ import annotations

from typing import Any

from botocore import xform_name

from chalicelib.checks.check import Needs, check, require_field
from chalicelib.cross_account import Account, WrongAccount

Arguments = dict[str, Any]


def needs(*, operation: str, arguments: Arguments | None = None, query: str | None = None) -> Needs:
    """The one IAM action that the operation needs. Everything is validated.

    Raises:
        InvalidInput: the operation is unknown or not permitted, or its arguments or the query are wrong.
    """
    from chalicelib.checks.api_call.arguments import validated
    from chalicelib.checks.api_call.operations import permitted
    from chalicelib.checks.api_call.queries import check_query

    asked = permitted(operation)
    validated(asked, arguments or {})
    if query is not None:
        check_query(query)
    return Needs((asked.action,), asked.scope, asked.access)


@check(needs=needs)
def api_call(account: Account, *, operation: str, arguments: Arguments | None = None, query: str | None = None) -> Any:
    """Ask any operation that only reads configuration, such as ec2:DescribeInstances; query is JMESPath."""
    from chalicelib.checks.api_call import responses
    from chalicelib.checks.api_call.arguments import model_of, validated
    from chalicelib.checks.api_call.operations import permitted
    from chalicelib.checks.api_call.queries import search

    asked = permitted(operation)
    service, _, name = operation.partition(":")
    pages = account.pages(service, xform_name(name), **validated(asked, arguments or {}))
    maximum = responses.MAX_RESULT if query is None else responses.MAX_MERGED
    result: Any = responses.merged(model_of(asked), pages, maximum)
    if operation == "sts:GetCallerIdentity" and require_field(result, "Account") != account.id:
        raise WrongAccount(f"The session of account {account.id} belongs to another account.", stage="check")
    if query is not None:
        result = search(query, result)
        responses.check_size(responses.size_of(result), responses.MAX_RESULT)
    return result
