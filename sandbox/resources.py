"""Whose a resource is, and which policy and tags it has: read from moto's state by ARN, and never written.

A service that does not stand in a table here has no policy, so that its resources are closed to other accounts. Tags
that moto keeps where this module does not look are unknown (None), which is not the same as none ({}).
"""

import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from sandbox.backends import backend_of
from sandbox.pinned_policies import statements_of

Policy = str | Mapping[str, Any]
Tags = Mapping[str, str]


class _Arn(NamedTuple):
    text: str
    service: str
    region: str
    account: str  # empty for a bucket that does not exist, and where AWS leaves it out
    name: str  # the rest, with its colons and slashes


def owner_of(arn: str, default: str) -> str:
    """The account that has the resource: `default` if the ARN names none, and if there is no such bucket.

    What Organizations keeps bears the number of the management account, and is for a delegated administrator its own;
    so does an organization's trail, which each member sees.
    """
    parsed = _parsed(arn)
    return default if parsed.service in ("organizations", "account", "cloudtrail") else parsed.account or default


def policy_of(arn: str) -> Policy | None:
    """The resource's own policy, or None. A role's trust policy is not found here: it is the role's.

    moto also stores what is no policy, which AWS refuses as malformed; here it is none.
    """
    parsed = _parsed(arn)
    finder = _POLICIES.get(parsed.service)
    backend = _backend(parsed)
    if backend is None and parsed.service == "kms":
        return _of_the_account(parsed)
    found = finder(backend, parsed) if finder and backend else None
    return found if found and (isinstance(found, Mapping) or is_policy(found)) else None


def tags_of(arn: str) -> Tags | None:
    """The tags that aws:ResourceTag/… sees: {} for a resource without tags or one that does not exist yet."""
    parsed = _parsed(arn)
    if parsed.service == "s3":
        # S3 looks at a bucket's tags only after PutBucketAbac, which moto lacks. An access point has a region.
        return None if parsed.region else {}
    backend = _backend(parsed)
    if backend is None:
        return {} if parsed.account and parsed.service in _TAGS else None
    if finder := _TAGS.get(parsed.service):
        return finder(backend, parsed)
    tagger = getattr(backend, "tagger", None) or getattr(backend, "tagging_service", None)
    found: Tags | None = tagger.tags.get(arn) if tagger else None
    return found


def key_of(ciphertext: bytes, region: str) -> str | None:
    """The ARN of the KMS key that encrypted this, in whichever account: Decrypt may leave it out."""
    models = sys.modules.get("moto.kms.models")
    name = ciphertext[:36].decode(errors="replace")
    for account in list(getattr(models, "kms_backends", {})):
        backend = _backend(_parsed(f"arn:aws:kms:{region}:{account}:key/{name}"))
        if backend is not None and name in backend.keys:
            return str(backend.keys[name].arn)
    return None


def can_be_given(action: str) -> bool:
    """Whether a resource policy can give the action to another account, as each service's documentation lists it."""
    service, _, name = action.lower().partition(":")
    if service in _FOR_OTHERS:
        return name in _FOR_OTHERS[service]
    return action.lower() not in _FOR_THE_OWNER


def _parsed(arn: str) -> _Arn:
    parts = arn.split(":", 5)
    if len(parts) < 6:
        return _Arn(arn, "", "", "", "")
    _, _, service, region, account, name = parts
    if service == "s3" and not account:
        account = _accounts_of_buckets().get(name.partition("/")[0], ("", ""))[1]
    return _Arn(arn, service, region, account if re.fullmatch("[0-9]{12}", account) else "", name)


@lru_cache(maxsize=1000)
def is_policy(text: str | bytes) -> bool:
    """Whether it is the JSON of a policy."""
    try:
        statements_of(json.loads(text))
    except ValueError:
        return False
    return True


def _accounts_of_buckets() -> Mapping[str, tuple[str, str]]:
    from moto.s3.models import s3_backends

    return s3_backends.bucket_accounts


def _backend(arn: _Arn) -> Any | None:
    return backend_of(arn.service, arn.account, arn.region)


def _bucket_policy(backend: Any, arn: _Arn) -> Policy | None:
    from moto.s3.utils import bucket_policy_is_public

    bucket = backend.buckets.get(arn.name.partition("/")[0])
    if not bucket or not bucket.policy:
        return None
    policy: str = bucket.policy.decode()
    block = bucket.public_access_block
    if not block or not block.restrict_public_buckets or not bucket_policy_is_public(policy):
        return policy
    parsed = json.loads(policy)
    return {**parsed, "Statement": [*statements_of(parsed), _restricted_to(bucket.account_id)]}


def _restricted_to(account: str) -> Mapping[str, Any]:
    """What RestrictPublicBuckets means while a bucket's policy is public."""
    condition = {"StringNotEquals": {"aws:PrincipalAccount": account}, "Bool": {"aws:PrincipalIsAWSService": "false"}}
    return {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*", "Condition": condition}


def _key(backend: Any, arn: _Arn) -> Any | None:
    kind, _, name = arn.name.partition("/")
    if kind == "key":
        return backend.keys.get(name)
    return next((key for key in list(backend.keys.values()) if arn.name in key.aliases), None)


def _key_policy(backend: Any, arn: _Arn) -> Policy | None:
    key = _key(backend, arn)
    return _attribute(key, "policy") if key else _of_the_account(arn)


def _of_the_account(arn: _Arn) -> Policy:
    """As if there were a key: the account's own policies decide who is told that there is none."""
    root = {"AWS": f"arn:aws:iam::{arn.account}:root"}
    return {"Statement": {"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"}}


def _secret(backend: Any, arn: _Arn) -> Any | None:
    secret = backend.secrets.get(arn.text) or backend.secrets.get(arn.name.removeprefix("secret:"))
    return getattr(secret, "source", secret)  # a replica has its original's


def _function(backend: Any, arn: _Arn) -> Any | None:
    """The function, without its qualifier, or the version of a layer."""
    kind, _, rest = arn.name.partition(":")
    name, _, version = rest.partition(":")
    if kind == "layer":
        layer = backend._layers._layers.get(name)
        return layer.layer_versions.get(version) if layer else None
    versions = backend._lambdas._functions.get(name) if kind == "function" else None
    return versions["latest"] if versions else None


def _statements(found: Any) -> Policy | None:
    return {"Version": "2012-10-17", "Statement": list(found.policy.statements)} if found else None


def _bus_policy(backend: Any, arn: _Arn) -> Policy | None:
    bus = backend.event_buses.get(arn.name.removeprefix("event-bus/"))
    return {"Version": "2012-10-17", "Statement": [s.describe() for s in bus._statements.values()]} if bus else None


def _repository_policy(backend: Any, arn: _Arn) -> Policy | None:
    """It has no Resource: it means its repository."""
    repository = backend.repositories.get(arn.name.removeprefix("repository/"))
    if not repository or not repository.policy:
        return None
    policy = json.loads(repository.policy)
    return {**policy, "Statement": [{"Resource": arn.text, **one} for one in statements_of(policy)]}


def _attribute(found: Any, name: str) -> Any:
    return getattr(found, name, None)


_POLICIES: Mapping[str, Callable[[Any, _Arn], Policy | None]] = {
    "s3": _bucket_policy,
    "sqs": lambda backend, arn: _attribute(backend.queues.get(arn.name), "policy"),
    "sns": lambda backend, arn: _attribute(backend.topics.get(arn.text), "policy"),
    "kms": _key_policy,
    "lambda": lambda backend, arn: _statements(_function(backend, arn)),
    "secretsmanager": lambda backend, arn: _attribute(_secret(backend, arn), "policy"),
    "dynamodb": lambda backend, arn: _attribute(
        backend.resource_policies.get(re.sub("/index/.*", "", arn.text)), "policy_doc"
    ),
    "kinesis": lambda backend, arn: backend.resource_policies.get(arn.text),
    "events": _bus_policy,
    "ecr": _repository_policy,
}

# https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-limitations-of-custom-policies.html
# https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-language-api-permissions-reference.html
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/rbac-iam-actions.html
_FOR_OTHERS = {
    service: frozenset(names.lower().split())
    for service, names in {
        "kms": """CreateGrant Decrypt DescribeKey Encrypt GenerateDataKey GenerateDataKeyPair
            GenerateDataKeyPairWithoutPlaintext GenerateDataKeyWithoutPlaintext GenerateMac GetKeyRotationStatus
            GetPublicKey ListGrants ReEncryptFrom ReEncryptTo RetireGrant RevokeGrant Sign Verify VerifyMac
            DeriveSharedSecret""",
        "sqs": """ChangeMessageVisibility DeleteMessage GetQueueAttributes GetQueueUrl ListDeadLetterSourceQueues
            PurgeQueue ReceiveMessage SendMessage""",
        "sns": """AddPermission DeleteTopic GetDataProtectionPolicy GetTopicAttributes ListSubscriptionsByTopic
            ListTagsForResource Publish PutDataProtectionPolicy RemovePermission SetTopicAttributes Subscribe""",
        "dynamodb": """BatchGetItem BatchWriteItem ConditionCheckItem DeleteItem DeleteTable DescribeStream
            DescribeTable GetItem GetRecords GetShardIterator ListTagsOfResource PutItem Query Scan TagResource
            UntagResource UpdateItem UpdateTable""",
    }.items()
}
_FOR_THE_OWNER = {f"s3:{verb}bucketpolicy" for verb in ("get", "put", "delete")}


def _of_pairs(pairs: Iterable[Mapping[str, str]] | None) -> Tags:
    """Tags in AWS's form of lists, whose keys have different cases."""
    tags = [{key.lower(): value for key, value in pair.items()} for pair in pairs or ()]
    return {tag["key"]: tag.get("value") or "" for tag in tags}


def _iam_tags(backend: Any, arn: _Arn) -> Tags | None:
    kind, _, path = arn.name.partition("/")
    name = path.rpartition("/")[2]
    if kind == "user":
        return dict(backend.tagger.get_tag_dict_for_resource(arn.text))
    if kind == "role":
        return _of_pairs(_attribute(next((r for r in list(backend.roles.values()) if r.name == name), None), "tags"))
    if kind == "policy":
        return _of_pairs((_attribute(backend.managed_policies.get(arn.text), "tags") or {}).values())
    if kind == "instance-profile":
        return _of_pairs(_attribute(backend.instance_profiles.get(name), "tags"))
    return None


def _ssm_tags(backend: Any, arn: _Arn) -> Tags | None:
    kind, _, name = arn.name.partition("/")
    if kind == "parameter":
        of_kind = backend._resource_tags.get("Parameter", {})
        return dict(of_kind.get(name) or of_kind.get(f"/{name}") or {})
    if kind == "document":
        return dict(backend._resource_tags.get("Document", {}).get(name) or {})
    return None


def _function_tags(backend: Any, arn: _Arn) -> Tags | None:
    kind, _, name = arn.name.partition(":")
    if kind == "event-source-mapping":
        return dict(_attribute(backend._event_source_mappings.get(name), "tags") or {})
    return dict(_attribute(_function(backend, arn), "tags") or {}) if kind in ("function", "layer") else None


def _stack_tags(backend: Any, arn: _Arn) -> Tags | None:
    kind, _, name = arn.name.partition("/")
    if kind != "stack":
        return None
    stacks = list(backend.stacks.values())
    named = name.partition("/")[0]  # the last part is a random id, which a caller that gives a name does not know
    return dict(_attribute(next((stack for stack in stacks if stack.name == named), None), "tags") or {})


def _database_tags(backend: Any, arn: _Arn) -> Tags | None:
    kind, _, name = arn.name.partition(":")
    found = backend._find_resource(kind, name)
    return _of_pairs(found.get_tags()) if found else {}


def _by_arn(*kinds: str) -> Callable[[Any, _Arn], Tags | None]:
    """Of a service that keeps all its tags by ARN; of other kinds of its resources they are unknown."""

    def finder(backend: Any, arn: _Arn) -> Tags | None:
        tagger = getattr(backend, "tagger", None) or backend.tagging_service
        text = arn.text.removesuffix(":*") if arn.service == "logs" else arn.text
        found = tagger.tags.get(text)
        return found if found or not arn.name.startswith(kinds) else {}

    return finder


_TAGS: Mapping[str, Callable[[Any, _Arn], Tags | None]] = {
    "ec2": lambda backend, arn: dict(backend.tags.get(arn.name.rpartition("/")[2]) or {}),
    "iam": _iam_tags,
    "lambda": _function_tags,
    "sqs": lambda backend, arn: dict(_attribute(backend.queues.get(arn.name), "tags") or {}),
    "sns": lambda backend, arn: dict(_attribute(backend.topics.get(arn.text), "_tags") or {}),
    "dynamodb": lambda backend, arn: _of_pairs(
        _attribute(backend.tables.get(arn.name.split("/")[1]) if arn.name.startswith("table/") else None, "tags")
    ),
    "kms": lambda backend, arn: dict(backend.tagger.tags.get(_attribute(_key(backend, arn), "id")) or {}),
    "secretsmanager": lambda backend, arn: _of_pairs(_attribute(_secret(backend, arn), "tags")),
    "ssm": _ssm_tags,
    "rds": _database_tags,
    "cloudformation": _stack_tags,
    "logs": _by_arn("log-group:"),
    "states": _by_arn("stateMachine:"),
    "events": _by_arn("rule/", "event-bus/"),
    "ecr": _by_arn("repository/"),
    "elasticloadbalancing": _by_arn("loadbalancer/app/", "loadbalancer/net/", "targetgroup/", "listener"),
    "cloudtrail": _by_arn("trail/"),
    "cloudwatch": _by_arn("alarm:"),
}
