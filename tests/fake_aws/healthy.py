"""Successful responses of STS, S3, IAM and Bedrock, for the calls that the checks make."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from tests.fake_aws.canaries import HUB, HUB_ARN, SESSION_SECRET, session_key, session_token
from tests.fake_aws.messages import REQUEST_ID, Reply, Request

KNOWN_CHECKS = (
    "identity",
    "preflight",
    "s3_buckets",
    "bedrock_models",
    "bedrock_converse",
    "account_summary",
    "role_drift",
)
"""The checks of which it knows every call; checks that a user added are not here."""

CONVERSE: dict[str, Any] = {
    "output": {"message": {"role": "assistant", "content": [{"text": "Blue."}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5},
    "metrics": {"latencyMs": 1},
}
MODELS: dict[str, Any] = {"modelSummaries": [{"modelId": "a.b", "modelName": "B", "providerName": "A"}]}


def xml(body: str, status: int = 200) -> Reply:
    return Reply(body, status, {"Content-Type": "text/xml", "x-amzn-RequestId": REQUEST_ID})


def as_json(body: Any, status: int = 200, **headers: str) -> Reply:
    """A response in Bedrock's form; a string is sent unchanged."""
    text = body if isinstance(body, str) else json.dumps(body)
    return Reply(text, status, {"Content-Type": "application/json", "x-amzn-RequestId": REQUEST_ID, **headers})


def result(operation: str, inner: str) -> Reply:
    """A response in the form of STS and IAM."""
    return xml(
        f'<{operation}Response xmlns="https://example.com/doc/2011-06-15/"><{operation}Result>{inner}'
        f"</{operation}Result><ResponseMetadata><RequestId>{REQUEST_ID}</RequestId></ResponseMetadata>"
        f"</{operation}Response>"
    )


def healthy(request: Request, buckets: Mapping[str, Sequence[str]] | None = None) -> Reply:
    """The response to a request; `buckets` are the names by account, by default one, `bucket-of-<account>`."""
    if request.operation == "ListBuckets":
        return _list_buckets(request, (buckets or {}).get(request.signer, [f"bucket-of-{request.signer}"]))
    return _RESPONSES.get(request.operation, _nothing)(request)


def session(
    *, lasting: float = 3600, account: str | None = None, arn: str | None = None, expiration: str | None = None
) -> Callable[[Request], Reply]:
    """AssumeRole's response: a session of `lasting` seconds with an access key of its own.

    It belongs to `account`, by default the one in the request; `arn` and `expiration` are used unchanged.
    """

    def respond(request: Request) -> Reply:
        until = expiration or (datetime.now(UTC) + timedelta(seconds=lasting)).isoformat()
        name = request.form.get("RoleSessionName", "")
        session_arn = arn or f"arn:aws:sts::{account or request.account}:assumed-role/external-role/{name}"
        return result(
            "AssumeRole",
            f"<AssumedRoleUser><Arn>{session_arn}</Arn><AssumedRoleId>AROA:{name}</AssumedRoleId></AssumedRoleUser>"
            f"<Credentials><AccessKeyId>{session_key(request.account, request.nth)}</AccessKeyId>"
            f"<SecretAccessKey>{SESSION_SECRET}</SecretAccessKey>"
            f"<SessionToken>{session_token(request.account)}</SessionToken>"
            f"<Expiration>{until}</Expiration></Credentials>",
        )

    return respond


def caller_identity(account: str | None = None) -> Callable[[Request], Reply]:
    """GetCallerIdentity's response, for the signer or for `account`."""

    def respond(request: Request) -> Reply:
        caller = account or request.signer
        arn = HUB_ARN if caller == HUB else f"arn:aws:sts::{caller}:assumed-role/external-role/x"
        return result("GetCallerIdentity", f"<Arn>{arn}</Arn><UserId>AROA:x</UserId><Account>{caller}</Account>")

    return respond


def buckets(names: Sequence[str], *, token: str | None = None, region: str = "eu-west-1") -> Reply:
    """One page of ListBuckets' response; a token says that there is another page."""
    listed = "".join(
        f"<Bucket><Name>{name}</Name><CreationDate>2025-01-28T00:00:00.000Z</CreationDate>"
        f"<BucketRegion>{region}</BucketRegion></Bucket>"
        for name in names
    )
    more = f"<ContinuationToken>{token}</ContinuationToken>" if token else ""
    return xml(
        '<?xml version="1.0" encoding="UTF-8"?><ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Owner><ID>o</ID></Owner><Buckets>{listed}</Buckets>{more}</ListAllMyBucketsResult>"
    )


def _list_buckets(request: Request, names: Sequence[str]) -> Reply:
    size = min(int(request.query.get("max-buckets", "10000")), 2)  # at most two per page
    start = int(request.query.get("continuation-token", "0-").split("-")[0])
    token = f"{start + size}-{request.signer}" if start + size < len(names) else None
    return buckets(names[start : start + size], token=token, region=request.region)


def _account_aliases(request: Request) -> Reply:
    return result("ListAccountAliases", f"<AccountAliases><member>alias-{request.signer}</member></AccountAliases>")


def _account_summary(_request: Request) -> Reply:
    return result("GetAccountSummary", "<SummaryMap><entry><key>Users</key><value>7</value></entry></SummaryMap>")


def _role_policies(_request: Request) -> Reply:
    return result("ListRolePolicies", "<IsTruncated>false</IsTruncated><PolicyNames><member>x</member></PolicyNames>")


def _role_policy(_request: Request) -> Reply:
    statement = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
    document = quote(json.dumps({"Version": "2012-10-17", "Statement": statement}))
    return result(
        "GetRolePolicy", f"<RoleName>x</RoleName><PolicyName>x</PolicyName><PolicyDocument>{document}</PolicyDocument>"
    )


def _attached_policies(_request: Request) -> Reply:
    policy = "<PolicyName>ViewOnlyAccess</PolicyName><PolicyArn>arn:aws:iam::aws:policy/ViewOnlyAccess</PolicyArn>"
    return result(
        "ListAttachedRolePolicies",
        f"<IsTruncated>false</IsTruncated><AttachedPolicies><member>{policy}</member></AttachedPolicies>",
    )


def _nothing(_request: Request) -> Reply:
    """The response to all other calls, such as S3's PutObject."""
    return Reply(headers={"ETag": '"etag"'})


_RESPONSES: Mapping[str, Callable[[Request], Reply]] = {
    "AssumeRole": session(),
    "GetCallerIdentity": caller_identity(),
    "ListAccountAliases": _account_aliases,
    "GetAccountSummary": _account_summary,
    "ListRolePolicies": _role_policies,
    "GetRolePolicy": _role_policy,
    "ListAttachedRolePolicies": _attached_policies,
    "Converse": lambda _request: as_json(CONVERSE),
    "ListFoundationModels": lambda _request: as_json(MODELS),
}
