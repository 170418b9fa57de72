"""The parameters that AssumeRole and GetFederationToken share: session policies and session tags, and their limits.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from moto.iam.policy_validation import IAMPolicyDocumentValidator

from sandbox.aws_errors import AwsError
from sandbox.callers import managed_policy

_MAXIMUM_CHARACTERS = 2048
_MAXIMUM_TOGETHER = 2 * _MAXIMUM_CHARACTERS
_TEXT = r"[\w+=,.@-]*"
_TAG = r"[\w\s.:/=+@-]*"

Parameters = Mapping[str, Any]
"""Of a call, as botocore names them."""


def session_policies(parameters: Parameters, account: str) -> tuple[str, ...] | None:
    """The documents of Policy and PolicyArns, which together are a session's policy; None if there is neither."""
    arns = [str(named.get("arn")) for named in parameters.get("PolicyArns") or []]
    inline = parameters.get("Policy")
    documents = [managed_policy(account, arn) for arn in arns]
    for arn, document in zip(arns, documents, strict=True):
        if document is None:
            raise invalid(f"The managed policy {arn} does not exist in account {account}, nor among AWS's")
    found = tuple(document for document in (inline, *documents) if document is not None)
    return found or None


def session_tags(parameters: Parameters) -> dict[str, str]:
    """The passed tags."""
    return {tag["Key"]: tag.get("Value", "") for tag in parameters.get("Tags") or []}


def check_session_parameters(parameters: Parameters) -> None:
    """Raise if a session policy or a tag does not have STS's form."""
    policy = parameters.get("Policy")
    if policy is not None:
        _check_policy(policy)
    tags = parameters.get("Tags") or []
    if len(tags) > 50:
        raise constraint("tags", "tags", "Member must have length less than or equal to 50")
    for tag in tags:
        check_text("tags.member.key", tag.get("Key", ""), _TAG, 1, 128)
        check_text("tags.member.value", tag.get("Value", ""), _TAG, 0, 256)
    if len({tag["Key"].lower() for tag in tags}) < len(tags):
        raise AwsError(
            "InvalidParameterValue", "Duplicate tag keys found. Please note that Tag keys are case insensitive."
        )
    if len(parameters.get("PolicyArns") or []) > 10:
        raise constraint("policyArns", "policyArns", "Member must have length less than or equal to 10")
    if _characters(parameters) > _MAXIMUM_TOGETHER:
        raise AwsError("PackedPolicyTooLarge", "The policies and tags of the session are together too large")


def packed_policy_size(parameters: Parameters) -> dict[str, int]:
    """PackedPolicySize, in percent; absent without a policy or a tag.

    AWS does not document how it packs. Here it is the share of what a policy and tags may have together.
    """
    characters = _characters(parameters)
    return {"PackedPolicySize": max(1, characters * 100 // _MAXIMUM_TOGETHER)} if characters else {}


def _characters(parameters: Parameters) -> int:
    sent = [parameters.get("Policy") or "", *(str(named.get("arn")) for named in parameters.get("PolicyArns") or [])]
    return sum(map(len, [*sent, *(f"{name}{value}" for name, value in session_tags(parameters).items())]))


def check_name(name: str, value: str, longest: int = 64) -> None:
    """Raise if it is not the name of a session."""
    check_text(name, value, _TEXT, 2, longest)


def check_text(name: str, value: str, pattern: str, shortest: int, longest: int) -> None:
    """Raise AWS's ValidationError."""
    if len(value) < shortest:
        raise constraint(value, name, f"Member must have length greater than or equal to {shortest}")
    if len(value) > longest:
        raise constraint(value, name, f"Member must have length less than or equal to {longest}")
    if not re.fullmatch(pattern, value, re.ASCII):
        raise constraint(value, name, f"Member must satisfy regular expression pattern: {pattern}")


def check_seconds(seconds: int, longest: int) -> None:
    """Raise if a session cannot last so long."""
    if not 900 <= seconds <= longest:
        bound = "greater than or equal to 900" if seconds < 900 else f"less than or equal to {longest}"
        raise constraint(str(seconds), "durationSeconds", f"Member must have value {bound}")


def constraint(value: str, name: str, rule: str) -> AwsError:
    """The error for a parameter that breaks a rule of its form."""
    return invalid(f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: {rule}")


def invalid(message: str) -> AwsError:
    return AwsError("ValidationError", message)


def _check_policy(policy: str) -> None:
    if not 1 <= len(policy) <= _MAXIMUM_CHARACTERS:
        bound = "greater than or equal to 1" if not policy else f"less than or equal to {_MAXIMUM_CHARACTERS}"
        raise constraint(policy, "policy", f"Member must have length {bound}")
    IAMPolicyDocumentValidator(policy).validate()  # raises MalformedPolicyDocument
    statements = json.loads(policy)["Statement"]
    for statement in statements if isinstance(statements, list) else [statements]:
        if "Principal" in statement or "NotPrincipal" in statement:  # moto's validator lets it pass
            raise AwsError("MalformedPolicyDocument", "Policy document should not specify a principal.")
