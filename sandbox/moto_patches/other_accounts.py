"""Resources of other accounts.

moto finds a resource in the backend of the request's account. The sandbox decides first, and then sets that account to
the resource's owner. Nearly all calls need no more; the rest stands here.
"""

import uuid
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

from sandbox import authorization, resources
from sandbox.case import keys_of_request
from sandbox.decide import ALLOWED, decide
from sandbox.moto_patches.lambda_versions import name_and_qualifier

_NO_KEYS: Mapping[str, str] = {}
_ANYTHING = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


def write_function_policies_as_lambda_does() -> None:
    # moto keeps the bare number of an account, OrganizationId and FunctionUrlAuthType beside the condition instead of
    # in it, only the last of two conditions with one operator, and the whole function for a qualifier that is part of
    # its name. Delete this when GetPolicy returns what AWS returns.
    from moto.awslambda.models import LambdaBackend
    from moto.awslambda.policy import Policy

    add_permission = LambdaBackend.add_permission

    def with_qualifier(self: Any, function_name: str, qualifier: Any, raw: str) -> Any:
        return add_permission(self, function_name, qualifier or name_and_qualifier(function_name)[1] or None, raw)  # type: ignore[arg-type]

    def decode_policy(self: Any, asked: dict[str, Any]) -> Any:
        policy: Any = Policy(self.parent)
        policy.revision = asked.get("RevisionId") or ""
        arn = getattr(self.parent, "function_arn", None) or self.parent.arn
        policy.statements = [_statement(asked, arn)]
        return policy

    LambdaBackend.add_permission = with_qualifier  # type: ignore[method-assign]
    Policy.decode_policy = decode_policy  # type: ignore[method-assign, assignment]


_CONDITIONS = {
    "SourceArn": ("ArnLike", "AWS:SourceArn"),
    "SourceAccount": ("StringEquals", "AWS:SourceAccount"),
    "PrincipalOrgID": ("StringEquals", "aws:PrincipalOrgID"),
    "OrganizationId": ("StringEquals", "aws:PrincipalOrgID"),
    "EventSourceToken": ("StringEquals", "lambda:EventSourceToken"),
    "FunctionUrlAuthType": ("StringEquals", "lambda:FunctionUrlAuthType"),
    "InvokedViaFunctionUrl": ("Bool", "lambda:InvokedViaFunctionUrl"),
}


def _statement(asked: dict[str, Any], arn: str) -> dict[str, Any]:
    """The statement that AddPermission writes, and AddLayerVersionPermission, and AWS::Lambda::Permission."""
    conditions: dict[str, dict[str, str]] = {}
    for name, (operator, key) in _CONDITIONS.items():
        if (value := asked.get(name)) is not None:
            conditions.setdefault(operator, {})[key] = str(value).lower() if operator == "Bool" else str(value)
    qualifier = name_and_qualifier(asked.get("FunctionName", ""))[1]
    return {
        "Sid": asked.get("StatementId") or str(uuid.uuid4()),
        "Effect": "Allow",
        "Principal": _principal(asked["Principal"]),
        "Action": asked["Action"],
        "Resource": f"{arn}:{qualifier}" if qualifier else arn,
        **({"Condition": conditions} if conditions else {}),
    }


def _principal(named: str) -> Any:
    if named == "*":
        return named
    if named.isdigit():
        return {"AWS": f"arn:aws:iam::{named}:root"}
    return {"AWS" if named.startswith("arn:") else "Service": named}


def keep_buckets_apart() -> None:
    # In moto each account reaches each bucket, by S3 and by whatever reads from S3 (a function's code, a stack's
    # template), and a bucket's policy is looked at before the caller is known. Delete this when moto authorizes by
    # bucket policies.
    from moto.iam.access_control import PermissionResult
    from moto.s3 import models
    from moto.s3.exceptions import S3ClientError
    from moto.s3.responses import S3Response

    copying = ContextVar("copying", default=False)  # from a bucket of another account; both were authorized

    def copies(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def copy(self: Any) -> Any:
            token = copying.set(True)
            try:
                return original(self)
            finally:
                copying.reset(token)

        return copy

    create = models.S3Backend.create_bucket

    def create_bucket(self: Any, bucket_name: str, *args: Any, **kwargs: Any) -> Any:
        # moto then asks the bucket whose it is, which is not told
        if resources.owner_of(f"arn:aws:s3:::{bucket_name}", self.account_id) != self.account_id:
            raise S3ClientError("BucketAlreadyExists", "The requested bucket name is not available.")
        return create(self, bucket_name, *args, **kwargs)

    models.S3Backend.create_bucket = create_bucket  # type: ignore[method-assign]
    models.s3_allow_crossdomain_access = copying.get  # type: ignore[attr-defined]
    models.FakeBucket.get_permission = lambda self, action, resource: PermissionResult.NEUTRAL  # type: ignore[method-assign]
    S3Response.copy_object = copies(S3Response.copy_object)  # type: ignore[method-assign, assignment]
    S3Response.upload_part_copy = copies(S3Response.upload_part_copy)  # type: ignore[method-assign, assignment]


def block_public_policies() -> None:
    # New buckets block public access since 2023, which moto's do not, and what they are told to block they let in:
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html. Delete this when
    # moto's do. RestrictPublicBuckets is in resources.py.
    from moto.s3 import models
    from moto.s3.exceptions import S3AccessDeniedError
    from moto.s3.utils import bucket_policy_is_public

    make, put = models.FakeBucket.__init__, models.S3Backend.put_bucket_policy
    everything = models.PublicAccessBlock(True, True, True, True)

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        make(self, *args, **kwargs)
        self.public_access_block = everything

    def put_bucket_policy(self: Any, bucket_name: str, policy: bytes) -> None:
        block = self.get_bucket(bucket_name).public_access_block
        is_blocked = block is not None and block.block_public_policy and resources.is_policy(policy)
        if is_blocked and bucket_policy_is_public(policy):
            raise S3AccessDeniedError()
        put(self, bucket_name, policy)

    models.FakeBucket.__init__ = __init__  # type: ignore[method-assign]
    models.S3Backend.put_bucket_policy = put_bucket_policy  # type: ignore[method-assign]


def hide_which_keys_exist() -> None:
    # S3 tells only those who may list the bucket that a key does not exist:
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html. Delete this when moto does.
    from moto.s3.exceptions import MissingKey, MissingVersion, S3AccessDeniedError
    from moto.s3.responses import S3Response

    def may_list(response: Any) -> bool:
        keys = keys_of_request(response.normalized_request.environ, response.region)
        bucket = f"arn:aws:s3:::{response.bucket_name}"
        return authorization.may(authorization.caller_of(response), "s3:ListBucket", bucket, keys)

    def hiding(original: Callable[..., Any]) -> Callable[..., Any]:
        def answer(self: Any, *args: Any, **kwargs: Any) -> Any:
            try:
                response = original(self, *args, **kwargs)
            except (MissingKey, MissingVersion):
                if may_list(self):
                    raise
                raise S3AccessDeniedError() from None
            return (403, {}, "") if response[0] == 404 and not may_list(self) else response

        return answer

    S3Response._key_response_get = hiding(S3Response._key_response_get)  # type: ignore[method-assign]
    S3Response.head_object = hiding(S3Response.head_object)  # type: ignore[method-assign]


def publish_to_other_accounts() -> None:
    # moto looks for a subscription's queue or function in the account of the topic. In AWS it may be in another one,
    # whose policy must let SNS in. (Within one account moto needs no such policy, and so does the sandbox.) Delete this
    # when moto delivers by the endpoint's ARN.
    from moto.sns.models import SNSBackend, Subscription

    subscribe, publish = SNSBackend.subscribe, Subscription.publish
    actions = {"sqs": "sqs:SendMessage", "lambda": "lambda:InvokeFunction"}

    def to_the_owner(self: Any, topic_arn: str, endpoint: str, protocol: str) -> Any:
        subscription = subscribe(self, topic_arn, endpoint, protocol)
        subscription.account_id = resources.owner_of(endpoint, self.account_id)
        return subscription

    def if_let_in(self: Any, *args: Any, **kwargs: Any) -> None:
        topic, action = self.topic, actions.get(self.protocol, "")
        source = {"aws:SourceArn": topic.arn, "aws:SourceAccount": topic.account_id}
        policy = resources.policy_of(self.endpoint)
        if self.account_id == topic.account_id or lets_in(policy, "sns.amazonaws.com", action, self.endpoint, source):
            publish(self, *args, **kwargs)

    # It would find other accounts' topics, which the request was not authorized for if that is not its account.
    SNSBackend.get_topic = _own_topic  # type: ignore[method-assign]
    SNSBackend.subscribe = to_the_owner  # type: ignore[method-assign]
    Subscription.publish = if_let_in  # type: ignore[method-assign]


def _own_topic(self: Any, arn: str) -> Any:
    from moto.sns.exceptions import TopicNotFound

    if arn not in self.topics:
        raise TopicNotFound
    return self.topics[arn]


def lets_in(
    policy: resources.Policy | None, principal: str, action: str, arn: str, keys: Mapping[str, str] = _NO_KEYS
) -> bool:
    """Whether the resource's own policy allows the action to an AWS service, or to a principal of another account."""
    owner = resources.owner_of(arn, "")
    request = {
        "action": action,
        "principal": principal,
        "resource": {"resource": arn, "accountId": owner},
        "context": {"aws:ResourceAccount": owner, **keys},
        "known": [],
    }
    return decide({"request": request, "identityPolicies": [_ANYTHING], "resourcePolicy": policy}) == ALLOWED
